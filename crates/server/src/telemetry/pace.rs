//! How many things happen per second, as the mean of the last ten.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use super::Counter;

#[cfg(test)]
mod tests;

/// Seconds that are looked back.
const WINDOW: u64 = 10;
/// A power of two beyond the window.
const SECONDS: usize = 16;

/// A count that remembers what it was at the beginning of each of the last seconds.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    total: Counter,
    /// The second whose beginning was noted last.
    noted: AtomicU64,
    /// By second: its number + 1 (0 = none), and the count when it began.
    begins: [(AtomicU64, AtomicU64); SECONDS],
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            started: Instant::now(),
            total: Counter::default(),
            noted: AtomicU64::new(u64::MAX),
            begins: Default::default(),
        }
    }
}

impl Pace {
    /// Since when it counts.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// One more.
    pub(super) fn inc(&self) {
        self.at(self.elapsed().as_secs());
    }

    fn at(&self, second: u64) {
        // The first one of a second notes where it began; whoever comes second in that race lets it be.
        if self.noted.load(Relaxed) != second && self.noted.swap(second, Relaxed) != second {
            let (number, count) = &self.begins[second as usize % SECONDS];
            count.store(self.total.get(), Relaxed);
            number.store(second + 1, Relaxed);
        }
        self.total.inc();
    }

    /// The count, and the mean per second.
    pub(super) fn read(&self) -> (u64, u64) {
        self.read_at(self.elapsed().as_secs())
    }

    fn read_at(&self, second: u64) -> (u64, u64) {
        let total = self.total.get();
        let from = second.saturating_sub(WINDOW);
        // Seconds in which nothing happened were not noted: the next one that was tells what the count was in them.
        let begins = self.begins.iter().map(|(number, count)| (number.load(Relaxed), count.load(Relaxed)));
        let before = begins.filter(|(number, _)| *number > from).min().map_or(total, |(_, count)| count);
        (total, total.saturating_sub(before) / (second - from).max(1))
    }
}
