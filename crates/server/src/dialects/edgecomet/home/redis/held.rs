//! What this process knows of its leases. Redis is asked for them and may answer late, twice, or not at all; what it then
//! has more than is known here belongs to nobody and goes back into queues.

use std::{collections::HashSet, ops::Range};

use foldhash::quality::RandomState;
use manifold_engine::recache::Lease;
use parking_lot::Mutex;

#[cfg(test)]
mod tests;

/// Leases of this run of the process, by number. There are as many as the scheduler wants to hold at most.
#[derive(Debug, Default)]
pub(super) struct Held {
    next: u64,
    /// Numbers that a pull on its way may be using.
    pulling: Vec<Range<u64>>,
    known: HashSet<u64, RandomState>,
}

/// A range of numbers in use by a pull on its way; not any more once this is dropped.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    held: &'a Mutex<Held>,
    range: Range<u64>,
}

impl Held {
    /// Numbers for so many leases.
    pub(super) fn reserve(held: &Mutex<Held>, count: u64) -> Reserved<'_> {
        let mut this = held.lock();
        let range = this.next..this.next + count;
        this.next = range.end;
        this.pulling.push(range.clone());
        Reserved { held, range }
    }

    /// Notes leases that arrived.
    pub(super) fn insert(&mut self, ids: impl IntoIterator<Item = u64>) {
        self.known.extend(ids);
    }

    /// Forgets leases that Redis has ended. Of one that it could not end the scheduler tells it again.
    pub(super) fn remove<'a>(&mut self, leases: impl IntoIterator<Item = &'a Lease>) {
        for lease in leases {
            self.known.remove(&lease.id);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether a lease of this run belongs to nobody.
    pub(super) fn is_lost(&self, id: u64) -> bool {
        !self.known.contains(&id) && !self.pulling.iter().any(|range| range.contains(&id))
    }
}

impl Reserved<'_> {
    pub(super) fn first(&self) -> u64 {
        self.range.start
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.held.lock().pulling.retain(|range| *range != self.range);
    }
}

/// The name of a lease in the hash: which run of the process, and its number there.
pub(super) fn field(run: &str, id: u64) -> String {
    format!("{run}:{id}")
}

/// The number of a lease of this run; none of what another left.
pub(super) fn number(run: &str, field: &str) -> Option<u64> {
    field.strip_prefix(run)?.strip_prefix(':')?.parse().ok()
}
