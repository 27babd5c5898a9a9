//! A bounded cache: what was used least recently goes first, exactly. Volatile; a pair of space and key has a value, a
//! version and perhaps a deadline.
//!
//! One lock guards all of it, because the order of use is one order over all entries. Every step under it takes the same
//! short time however much there is; what looks at many entries walks in pieces and lets others in between. Only a step
//! that must be one and names many entries takes as long as they do. What is due is absent from that moment on.

use bytes::Bytes;

mod cut;
mod entries;
mod expiry;
mod glob;
mod handle;
mod paging;
mod recency;
mod snapshot;
mod spaces;
mod table;

#[cfg(test)]
mod tests;

pub use glob::Glob;
pub use handle::Cache;
pub use paging::{KeyPage, KeysAfter};
pub use snapshot::SnapshotFile;

/// Bounds and defaults.
#[derive(Debug, Clone)]
pub struct CacheLimits {
    /// Live entries over all spaces; at least 1.
    pub entries: usize,
    /// Bytes of keys, values and names of spaces; 0 = no bound. The newest entry stays whatever its size.
    pub bytes: u64,
    /// How long an entry lives whose writer does not say, in milliseconds; 0 = until it is pushed out.
    pub ttl_ms: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        CacheLimits { entries: 100_000, bytes: 0, ttl_ms: 0 }
    }
}

/// How long a value lives. Belongs to the value: every write sets it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// As long as [`CacheLimits::ttl_ms`] says.
    Default,
    /// Until it is pushed out.
    Never,
    /// That many milliseconds.
    Millis(u64),
}

/// One entry to write.
#[derive(Debug, Clone)]
pub struct CacheSet<'a> {
    /// Its space; empty for the one without a name.
    pub space: &'a [u8],
    /// Its key.
    pub key: &'a [u8],
    /// Its value.
    pub value: Bytes,
    /// How long it lives.
    pub ttl: Ttl,
}

/// What counting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The value now.
    To(i64),
    /// There is no such entry.
    Absent,
    /// Its value is no integer of 64 bits: an optional sign and digits.
    NotANumber,
    /// The sum does not fit.
    Overflow,
}

/// What a write on a condition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanged {
    /// Written; its version now.
    To(u64),
    /// There is no such entry.
    Absent,
    /// Its version is another.
    Other(u64),
}

/// An entry as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The space; empty for the one without a name.
    pub space: Bytes,
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// 1 when it was created, one more with every write.
    pub version: u64,
    /// Milliseconds until it expires; none = never.
    pub left_ms: Option<u64>,
}

/// What happened to an entry, for whoever follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEvent {
    /// The space; empty for the one without a name, and when everything is gone.
    pub space: Bytes,
    /// The key; empty when everything is gone.
    pub key: Bytes,
    /// What.
    pub what: CacheChange,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheChange {
    /// It was written; bytes of its value.
    Set(usize),
    /// It was deleted.
    Delete,
    /// Its deadline passed.
    Expired,
    /// Everything is gone.
    Clear,
    /// It was counted up or down. By how much is what parts the two, which may need more than 64 bits.
    Counted {
        /// The value before.
        before: i64,
        /// The value now.
        now: i64,
    },
    /// It was written on a condition; its version now.
    Exchanged(u64),
    /// It has another deadline, so many milliseconds from now; 0 = none.
    Touched(u64),
}

/// What was counted since the start, and what there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Reads that found something.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Entries pushed out by others.
    pub evictions: u64,
    /// Values written, counting apart.
    pub puts: u64,
    /// Deletions of something, and expiries.
    pub deletes: u64,
    /// Writes on a condition that held.
    pub cas_hits: u64,
    /// Writes on a condition that did not hold.
    pub cas_misses: u64,
    /// Live entries.
    pub entries: u64,
    /// Most entries.
    pub max_entries: u64,
    /// Bytes of live keys and values, and of the names of their spaces.
    pub bytes: u64,
}

impl CacheStats {
    /// The part of the reads that found something; 0 before the first one.
    pub fn hit_rate(&self) -> f64 {
        let reads = self.hits + self.misses;
        if reads == 0 { 0.0 } else { self.hits as f64 / reads as f64 }
    }
}
