//! Everything an opener may choose.

use std::time::Duration;

/// The number of a table. Part of every row on disk: never reused for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table(pub u8);

/// How a table is kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct TableSpec {
    /// Its number.
    pub table: Table,
    /// Its name, for `verify` and the docs.
    pub name: &'static str,
    /// Whether [`crate::Store::range`] may be called on it. Point-only tables save the memory of an order.
    pub ordered: bool,
    /// Bodies longer than this many bytes stay in their segment; none = [`Options::inline_max`].
    pub inline_max: Option<usize>,
}

/// When a committed batch counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// After an fsync that covers it.
    #[default]
    Always,
    /// After a write to the kernel; an fsync follows within [`Options::interval`].
    Interval,
    /// After a write to the kernel; running segments are never fsynced for it.
    Os,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Durability of every commit.
    pub level: Level,
    /// Time between fsyncs at [`Level::Interval`].
    pub interval: Duration,
    /// A segment is sealed when it passes this many bytes.
    pub segment_bytes: u64,
    /// Bodies longer than this many bytes stay in their segment and are read with `pread`.
    pub inline_max: usize,
    /// Space kept back for relief batches (deletes, acknowledgements, expiry) when the disk is full.
    pub reserve_bytes: u64,
    /// Space is allocated ahead in steps of this many bytes while there is plenty.
    pub allocate_bytes: u64,
    /// Every table that may be used.
    pub tables: &'static [TableSpec],
    /// Tables whose rows are also counted by what their keys begin with, up to the first zero byte.
    pub counted: &'static [Table],
    /// Mixed into the checksums of a log that is created now; random, so that nobody can forge frames inside values.
    pub salt: u32,
    /// Whether a thread cleans, heals and tidies; tests do that by hand to have the same calls in every run.
    pub maintenance: bool,
}

impl Options {
    /// The defaults of the product for `tables`.
    pub fn new(tables: &'static [TableSpec]) -> Self {
        Options {
            level: Level::Always,
            interval: Duration::from_secs(1),
            segment_bytes: 128 << 20,
            inline_max: 1024,
            reserve_bytes: 1 << 20,
            allocate_bytes: 8 << 20,
            tables,
            counted: &[],
            salt: 0,
            maintenance: true,
        }
    }
}
