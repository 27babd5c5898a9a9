//! The store itself (signatures first).

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use crate::{Batch, Error, OpenError, Options, Seq, Table, disk::Disk};

/// What a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Only what is durable at the configured level: what a client may be told.
    Durable,
    /// Everything committed: what a transaction decides on (its answer then waits for [`Row::seq`] to be durable).
    Latest,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {}

impl Row {
    /// The head given to [`Batch::put`].
    pub fn head(&self) -> &[u8] {
        todo!()
    }
    /// Length of the body in bytes.
    pub fn body_len(&self) -> usize {
        todo!()
    }
    /// The body: shared when it is in memory, else one positioned read whose checksum is verified.
    pub fn body(&self) -> Result<Bytes, Error> {
        todo!()
    }
    /// The frame that wrote the row (kept when cleaning moves it).
    pub fn seq(&self) -> Seq {
        todo!()
    }
}

/// What to read of a table.
#[derive(Debug, Clone)]
pub struct Range {
    /// First key, inclusive.
    pub from: Vec<u8>,
    /// End, exclusive; none = end of the table.
    pub to: Option<Vec<u8>>,
    /// Most rows of one chunk.
    pub limit: usize,
    /// From the end towards the start.
    pub reverse: bool,
}

/// A bounded piece of a range, in key order (or reverse).
#[derive(Debug, Default)]
pub struct Chunk {
    /// Keys (without the table number) and rows.
    pub rows: Vec<(Bytes, Row)>,
    /// Where to go on: the next `from` (or, reverse, the next `to`); none = the range is at its end.
    pub resume: Option<Vec<u8>>,
}

/// A cut at one frame: reads through it see that state however long they take. Holds old versions back while it lives.
#[derive(Debug)]
pub struct Snapshot {}

impl Snapshot {
    /// The frame of the cut.
    pub fn seq(&self) -> Seq {
        todo!()
    }
    /// One row of the cut.
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Row> {
        todo!("{table:?} {key:?}")
    }
    /// A chunk of the cut.
    pub fn range(&self, table: Table, range: &Range) -> Chunk {
        todo!("{table:?} {range:?}")
    }
}

/// Whether writes are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everything is accepted.
    Open,
    /// The disk is full: relief batches only, until there is space.
    Full,
    /// A write or fsync failed: nothing is accepted any more.
    Failed(String),
}

/// Numbers for metrics.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of memory the index holds: keys, inline rows, entries.
    pub memory_bytes: u64,
    /// Bytes of all segments.
    pub log_bytes: u64,
    /// Bytes of them that no live row needs.
    pub dead_bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Frames committed since the start.
    pub commits: u64,
    /// fsyncs since the start.
    pub fsyncs: u64,
    /// Microseconds spent in them.
    pub fsync_micros: u64,
    /// Bytes cut off the end of the log as a torn tail when it was opened.
    pub torn_bytes: u64,
    /// Bytes replayed when it was opened.
    pub replayed_bytes: u64,
}

/// Completes when a frame is durable at the configured level, or can never be.
#[derive(Debug)]
pub struct Durable {}

impl Future for Durable {
    type Output = Result<(), Error>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        todo!()
    }
}

/// The store. Cheap to clone; all methods may be called from any thread.
#[derive(Debug, Clone)]
pub struct Store {}

impl Store {
    /// Locks the directory (created if absent), replays the log, cuts a torn tail, starts the log thread.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Store, OpenError> {
        todo!("{disk:?} {dir:?} {options:?}")
    }
    /// Sets what is called, in order of frames, when everything up to a frame became durable, just before readers see
    /// it. Called under a lock: it must be short and must not call the store. Set it before the first commit.
    pub fn on_durable(&self, hook: Box<dyn Fn(Seq) + Send + Sync>) {
        drop(hook);
        todo!()
    }
    /// Appends the batch to the log buffer and applies it to the index; never waits for the disk. An empty batch
    /// returns the latest frame.
    pub fn commit(&self, batch: Batch) -> Result<Seq, Error> {
        todo!("{batch:?}")
    }
    /// Completes when `seq` is durable at the configured level.
    pub fn durable(&self, seq: Seq) -> Durable {
        todo!("{seq}")
    }
    /// The same for a plain thread.
    pub fn wait_durable(&self, seq: Seq) -> Result<(), Error> {
        todo!("{seq}")
    }
    /// The last durable frame.
    pub fn durable_seq(&self) -> Seq {
        todo!()
    }
    /// Completes at once, or when a congested log buffer has room again: await it before a commit.
    pub async fn room(&self) {
        todo!()
    }
    /// One row.
    pub fn get(&self, view: View, table: Table, key: &[u8]) -> Option<Row> {
        todo!("{view:?} {table:?} {key:?}")
    }
    /// A chunk of an ordered table as one cut.
    pub fn range(&self, view: View, table: Table, range: &Range) -> Chunk {
        todo!("{view:?} {table:?} {range:?}")
    }
    /// A durable cut that stays readable. `also` runs under the lock of [`Store::on_durable`], so what it reads of the
    /// hook's own state belongs to exactly this cut.
    pub fn snapshot<T>(&self, also: impl FnOnce() -> T) -> (Snapshot, T) {
        drop(also);
        todo!()
    }
    /// Rows of a table (committed, live).
    pub fn rows(&self, table: Table) -> u64 {
        todo!("{table:?}")
    }
    /// Bytes of heads and bodies of a table's live rows.
    pub fn table_bytes(&self, table: Table) -> u64 {
        todo!("{table:?}")
    }
    /// Whether writes are accepted.
    pub fn state(&self) -> State {
        todo!()
    }
    /// Whether the last stop was clean (everything written and synced, and said so).
    pub fn clean_start(&self) -> bool {
        todo!()
    }
    /// Numbers for metrics.
    pub fn stats(&self) -> Stats {
        todo!()
    }
    /// Writes and syncs everything, marks the log as cleanly closed, frees the directory. Later calls answer
    /// [`Error::Closed`].
    pub fn close(&self) -> Result<(), Error> {
        todo!()
    }
}
