//! What a query may use.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::{Error, Kind, QueryLimits, Result};

/// What is left of what a query may use; shared by its threads.
pub(super) struct Budget<'a> {
    limits: &'a QueryLimits,
    /// Set when nobody waits for the answer any more.
    given_up: &'a AtomicBool,
    memory_bytes: AtomicUsize,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a QueryLimits, given_up: &'a AtomicBool) -> Self {
        Budget { limits, given_up, memory_bytes: AtomicUsize::new(limits.memory_bytes) }
    }

    /// Ends a query that nobody waits for.
    pub(super) fn check(&self) -> Result<()> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Busy, "the query was given up"));
        }
        Ok(())
    }

    /// Refuses an answer of so many points if that is too many.
    pub(super) fn check_points(&self, points: usize) -> Result<()> {
        let limit = self.limits.points;
        if points > limit {
            return Err(Error::new(Kind::Invalid, format!("the answer has more than {limit} points")));
        }
        Ok(())
    }
    /// Refuses a range of so many windows if that is too many.
    pub(super) fn check_windows(&self, windows: u64) -> Result<()> {
        let limit = self.limits.points;
        if windows > limit as u64 {
            return Err(Error::new(Kind::Invalid, format!("the range has {windows} windows, more than {limit}")));
        }
        Ok(())
    }

    /// Bytes that a query may hold.
    pub(super) fn memory_bytes(&self) -> usize {
        self.limits.memory_bytes
    }
    fn take(&self, bytes: usize) -> Result<()> {
        let taken =
            self.memory_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| {
            let limit = self.limits.memory_bytes;
            Error::new(Kind::Invalid, format!("the query needs more than {limit} bytes of memory"))
        })
    }
}

impl fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("memory_bytes", &self.memory_bytes).finish_non_exhaustive()
    }
}

/// Memory of a query in use; given back when dropped.
#[derive(Debug)]
pub(super) struct Memory<'a> {
    budget: &'a Budget<'a>,
    taken: usize,
    used: usize,
}

impl<'a> Memory<'a> {
    pub(super) fn new(budget: &'a Budget<'a>) -> Self {
        Memory { budget, taken: 0, used: 0 }
    }
    /// So many bytes more. Takes more than is asked for as it grows, as vectors do.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<()> {
        let used = self.used.saturating_add(bytes);
        if used > self.taken {
            let needed = used - self.taken;
            let ahead = needed.max(self.taken / 2);
            self.taken += match self.budget.take(ahead) {
                Ok(()) => ahead,
                Err(_) => self.budget.take(needed).map(|()| needed)?,
            };
        }
        self.used = used;
        Ok(())
    }
    /// What another one holds too.
    pub(super) fn absorb(&mut self, mut other: Memory<'a>) {
        self.taken += std::mem::take(&mut other.taken);
        self.used += other.used;
    }
    /// So many bytes less.
    pub(super) fn shrink(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        self.budget.memory_bytes.fetch_add(self.taken, Ordering::Relaxed);
    }
}
