//! Deadlines in their order.

use std::collections::BTreeSet;

/// Slots by deadline, in milliseconds of the clock that never goes back.
#[derive(Debug, Default)]
pub(super) struct Expiry(BTreeSet<(u64, u32)>);

impl Expiry {
    /// Replaces the deadline of a slot.
    pub(super) fn change(&mut self, slot: u32, from: Option<u64>, to: Option<u64>) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            self.0.remove(&(from, slot));
        }
        if let Some(to) = to {
            self.0.insert((to, slot));
        }
    }

    /// The slot whose deadline passed first.
    pub(super) fn due(&self, now: u64) -> Option<u32> {
        self.0.first().filter(|(at, _)| *at <= now).map(|(_, slot)| *slot)
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<u64> {
        self.0.first().map(|(at, _)| *at)
    }
}
