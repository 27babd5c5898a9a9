//! Counters and histograms for the hot path: relaxed adds on a cache line that (mostly) one thread uses, summed up when
//! somebody reads. The registry's own histogram is a mutex and its counters share one line among all threads.

use std::{
    cell::Cell,
    sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// A power of two: more threads than this share lines, which costs time but no count.
const SHARDS: usize = 8;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter {
    shards: [Line<AtomicU64>; SHARDS],
}

impl Counter {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }
    /// So many more.
    pub fn add(&self, more: u64) {
        self.shards[shard()].0.fetch_add(more, Relaxed);
    }
    /// The count.
    pub fn get(&self) -> u64 {
        self.shards.iter().map(|line| line.0.load(Relaxed)).sum()
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
    shards: [Line<Cells>; SHARDS],
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
        let cells = &self.shards[shard()].0;
        cells.buckets[bucket].fetch_add(1, Relaxed);
        cells.sum_nanos.fetch_add(nanos, Relaxed);
    }

    /// Sum in seconds, number of observations, and (upper bound in seconds, observations in this bucket alone).
    pub fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BOUNDS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds
            .enumerate()
            .map(|(at, bound)| (bound, self.shards.iter().map(|line| line.0.buckets[at].load(Relaxed)).sum::<u64>()))
            .collect();
        let sum_nanos: u64 = self.shards.iter().map(|line| line.0.sum_nanos.load(Relaxed)).sum();
        let count = buckets.iter().map(|(_, count)| count).sum();
        (sum_nanos as f64 / 1e9, count, buckets)
    }
}

/// Two lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line<T>(T);

fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Relaxed) % SHARDS);
        }
        mine.get()
    })
}
