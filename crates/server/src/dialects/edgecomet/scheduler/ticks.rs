//! Which queues a tick looks at.

use std::time::Duration;

use manifold_engine::recache::Priority;

#[cfg(test)]
mod tests;

/// Counts ticks.
#[derive(Debug)]
pub(super) struct Ticks {
    count: u64,
    /// Every so many ticks all queues are looked at.
    every: u64,
}

impl Ticks {
    /// Ticks this far apart, and all queues looked at this often; zero = at every tick.
    pub(super) fn new(tick: Duration, check: Duration) -> Self {
        let every = check.as_nanos().checked_div(tick.as_nanos()).unwrap_or(1);
        Ticks { count: 0, every: u64::try_from(every).unwrap_or(u64::MAX).max(1) }
    }

    /// One more tick; the queues to look at, the most urgent first.
    pub(super) fn tick(&mut self) -> &'static [Priority] {
        self.count += 1;
        if self.count.is_multiple_of(self.every) { &Priority::ALL } else { &Priority::ALL[..1] }
    }

    /// Ticks so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
