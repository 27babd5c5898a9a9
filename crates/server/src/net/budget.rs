//! What all listeners of a process may hold together: connections, and bytes of request bodies.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

#[cfg(test)]
mod tests;

/// Bytes of each body that are not counted: whoever sends no more than this is never refused for what others send.
pub const UNCOUNTED_BYTES: usize = 16 << 10;

/// The bounds, and how much of them is taken.
#[derive(Debug)]
pub struct Budget {
    connections: Pool,
    bodies: Pool,
    bodies_refused_total: AtomicU64,
}

/// So much of something.
#[derive(Debug)]
pub(super) struct Pool {
    limit: usize,
    taken: AtomicUsize,
}

/// What one request holds of the budget for bodies, from the arrival of its bytes until it is answered. A connection that
/// was upgraded holds what came of a message that is not complete.
#[derive(Debug, Clone)]
pub struct Account(Arc<Open>);

#[derive(Debug)]
struct Open {
    budget: Arc<Budget>,
    bytes: AtomicUsize,
}

/// The bodies of all requests together would have more bytes than they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

impl Budget {
    /// For so many connections, and so many bytes of bodies.
    pub fn new(connections: usize, bodies_bytes: usize) -> Arc<Self> {
        let (connections, bodies) = (Pool::new(connections), Pool::new(bodies_bytes));
        Arc::new(Budget { connections, bodies, bodies_refused_total: AtomicU64::new(0) })
    }

    /// One for listeners that nothing bounds together.
    pub fn unbounded() -> Arc<Self> {
        Budget::new(usize::MAX, usize::MAX)
    }

    pub(super) fn connections(&self) -> &Pool {
        &self.connections
    }

    /// Bytes of bodies that are counted now.
    pub fn bodies_bytes(&self) -> u64 {
        self.bodies.taken() as u64
    }

    /// Bodies that were refused for want of room since the start.
    pub fn bodies_refused(&self) -> u64 {
        self.bodies_refused_total.load(Ordering::Relaxed)
    }
}

impl Pool {
    pub(super) fn new(limit: usize) -> Self {
        Pool { limit, taken: AtomicUsize::new(0) }
    }

    pub(super) fn take(&self, more: usize) -> bool {
        let fits = |now: usize| now.checked_add(more).filter(|taken| *taken <= self.limit);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok()
    }

    /// Gives back what was taken; how much there was before.
    pub(super) fn give_back(&self, less: usize) -> usize {
        self.taken.fetch_sub(less, Ordering::AcqRel)
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }
}

impl Account {
    pub(super) fn open(budget: Arc<Budget>) -> Self {
        Account(Arc::new(Open { budget, bytes: AtomicUsize::new(0) }))
    }

    /// Counts bytes that are kept for the request: of its body as it came, and once more as it is decoded.
    pub fn charge(&self, bytes: usize) -> Result<(), NoRoom> {
        let Open { budget, bytes: held } = &*self.0;
        let before = held.fetch_add(bytes, Ordering::Relaxed);
        let more = counted(before + bytes) - counted(before);
        if more == 0 || budget.bodies.take(more) {
            return Ok(());
        }
        held.fetch_sub(bytes, Ordering::Relaxed);
        budget.bodies_refused_total.fetch_add(1, Ordering::Relaxed);
        Err(NoRoom)
    }

    /// Gives back bytes that were no part of what is kept.
    pub fn give_back(&self, bytes: usize) {
        let Open { budget, bytes: held } = &*self.0;
        let less = |before: usize| Some(before.saturating_sub(bytes));
        let before = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        let less = counted(before) - counted(before.saturating_sub(bytes));
        if less > 0 {
            budget.bodies.give_back(less);
        }
    }

    /// The request is answered, or the message complete: nothing is kept of it here any more.
    pub fn settle(&self) {
        self.0.settle();
    }
}

fn counted(bytes: usize) -> usize {
    bytes.saturating_sub(UNCOUNTED_BYTES)
}

impl Open {
    fn settle(&self) {
        let held = counted(self.bytes.swap(0, Ordering::Relaxed));
        if held > 0 {
            self.budget.bodies.give_back(held);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.settle();
    }
}
