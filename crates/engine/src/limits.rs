//! Every bound of the engine in one place.

use std::time::Duration;

/// Bounds an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of what clients keep, [`crate::Stats::accounted_bytes`], before growth is refused; 0 = no limit.
    pub memory_bytes: u64,
    /// Longest value in bytes.
    pub value_bytes: usize,
    /// Most bytes of values or elements in one answer.
    pub answer_bytes: usize,
    /// Most operations of one batch.
    pub batch_ops: usize,
    /// Tombstones kept beyond the feed's retention.
    pub tombstones: u64,
    /// Most series of a namespace.
    pub series: u64,
    /// Most fields of a measurement.
    pub series_fields: u64,
    /// Bounds of one query over time series.
    pub query: QueryLimits,
}

/// Bounds of one query over time series.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Most windows in its range, and most points in its answer.
    pub points: usize,
    /// Most bytes of memory for points it has to hold at one time.
    pub memory_bytes: usize,
    /// Longest time it may take.
    pub time: Duration,
}

impl Default for QueryLimits {
    fn default() -> Self {
        QueryLimits { points: 1_000_000, memory_bytes: 1 << 30, time: Duration::from_secs(30) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 0,
            value_bytes: 16 << 20,
            answer_bytes: 256 << 20,
            batch_ops: 10_000,
            tombstones: 10_000_000,
            series: 1_000_000,
            series_fields: 10_000,
            query: QueryLimits::default(),
        }
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
