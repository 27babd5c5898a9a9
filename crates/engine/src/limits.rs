//! Every bound of the engine in one place.

use std::time::Duration;

/// Bounds an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of memory the index may hold before growth is refused; 0 = no limit.
    pub memory_bytes: u64,
    /// Longest value in bytes.
    pub value_bytes: usize,
    /// Most operations of one batch.
    pub batch_ops: usize,
    /// Tombstones kept beyond the feed's retention.
    pub tombstones: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory_bytes: 0, value_bytes: 16 << 20, batch_ops: 10_000, tombstones: 10_000_000 }
    }
}

/// How much of the change feed is kept: the oldest records go when any bound is passed.
#[derive(Debug, Clone)]
pub struct Retention {
    /// By age.
    pub age: Duration,
    /// By number.
    pub records: u64,
    /// By size of the stored records.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { age: Duration::from_secs(7 * 24 * 3600), records: 1_000_000, bytes: 1 << 30 }
    }
}
