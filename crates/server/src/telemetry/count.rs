//! Counters and histograms for the hot path: relaxed adds on a cache line that (mostly) one thread uses, summed up when
//! somebody reads. The registry's own histogram is a mutex and its counters share one line among all threads.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::striped::Striped;

#[cfg(test)]
mod tests;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter {
    counts: Striped<AtomicU64>,
}

impl Counter {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }
    /// So many more.
    pub fn add(&self, more: u64) {
        self.counts.mine().fetch_add(more, Relaxed);
    }
    /// The count.
    pub fn get(&self) -> u64 {
        self.counts.each().map(|count| count.load(Relaxed)).sum()
    }
}

/// A number that goes up and down; changed rarely, so it is one cell.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds, or takes away.
    pub fn add(&self, delta: i64) {
        self.0.fetch_add(delta, Relaxed);
    }
    /// The number.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// Upper bounds of the buckets in microseconds; one more bucket takes the rest.
const BOUNDS_MICROS: [u64; 17] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// Durations in fixed buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    cells: Striped<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Histogram {
    /// One more observation.
    pub fn record(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| bound * 1_000 < nanos);
        let cells = self.cells.mine();
        cells.buckets[bucket].fetch_add(1, Relaxed);
        cells.sum_nanos.fetch_add(nanos, Relaxed);
    }

    /// Sum in seconds, number of observations, and (upper bound in seconds, observations in this bucket alone).
    pub fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BOUNDS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds
            .enumerate()
            .map(|(at, bound)| (bound, self.cells.each().map(|cells| cells.buckets[at].load(Relaxed)).sum::<u64>()))
            .collect();
        let sum_nanos: u64 = self.cells.each().map(|cells| cells.sum_nanos.load(Relaxed)).sum();
        let count = buckets.iter().map(|(_, count)| count).sum();
        (sum_nanos as f64 / 1e9, count, buckets)
    }
}
