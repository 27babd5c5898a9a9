//! How long fsyncs took, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[cfg(test)]
mod tests;

/// Upper bounds of the buckets in microseconds, each part of its bucket; one more bucket takes the rest.
pub const FSYNC_BOUNDS_MICROS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

#[derive(Debug, Default)]
pub(crate) struct Fsyncs {
    buckets: [AtomicU64; FSYNC_BOUNDS_MICROS.len() + 1],
    micros: AtomicU64,
}

impl Fsyncs {
    /// One more, which took that long.
    pub fn record(&self, micros: u64) {
        let bucket = FSYNC_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// How many fell into each bucket alone.
    pub fn buckets(&self) -> [u64; FSYNC_BOUNDS_MICROS.len() + 1] {
        std::array::from_fn(|at| self.buckets[at].load(Relaxed))
    }

    /// How long all took together.
    pub fn micros(&self) -> u64 {
        self.micros.load(Relaxed)
    }
}
