//! How many requests are answered at one time. Those that wait for a message do nothing meanwhile, so they are counted
//! apart.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::error::Error;

#[cfg(test)]
mod tests;

/// Most of each kind.
const MOST: usize = 10_000;

/// The places of one listener.
#[derive(Debug, Default)]
pub(super) struct Places {
    running: AtomicUsize,
    waiting: AtomicUsize,
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Place<'a> {
    places: &'a Places,
    /// Whether it may wait.
    may_wait: bool,
    /// Whether it has begun to.
    waited: AtomicBool,
    /// Whether it should wait no longer, and what tells so.
    let_go: AtomicBool,
    told: Notify,
}

/// A request that waits; dropped, it runs again.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Places);

impl Places {
    /// A place for one more request.
    pub(super) fn take(&self) -> Result<Place<'_>, Error> {
        self.take_for(true)
    }

    /// The same for a request that may be one too many to wait.
    pub(super) fn take_for(&self, may_wait: bool) -> Result<Place<'_>, Error> {
        let (waited, let_go) = (AtomicBool::new(false), AtomicBool::new(false));
        let place = Place { places: self, may_wait, waited, let_go, told: Notify::new() };
        if self.running.fetch_add(1, Ordering::Relaxed) >= MOST { Err(Error::Overloaded) } else { Ok(place) }
    }
}

impl<'a> Place<'a> {
    /// Waits from now on.
    pub(super) fn wait(&self) -> Result<Waiting<'a>, Error> {
        if !self.may_wait {
            return Err(Error::Overloaded);
        }
        self.waited.store(true, Ordering::Relaxed);
        self.places.running.fetch_sub(1, Ordering::Relaxed);
        let waiting = Waiting(self.places);
        if self.places.waiting.fetch_add(1, Ordering::Relaxed) >= MOST { Err(Error::Overloaded) } else { Ok(waiting) }
    }

    /// Lets it wait no longer: its client takes nothing.
    pub(super) fn let_go(&self) {
        self.let_go.store(true, Ordering::Relaxed);
        self.told.notify_waiters();
    }

    /// Completes when it should wait no longer.
    pub(super) async fn is_let_go(&self) {
        // Made before the look: who tells between the two is heard.
        let told = self.told.notified();
        if !self.let_go.load(Ordering::Relaxed) {
            told.await;
        }
    }

    /// Whether it waits, or has waited.
    pub(super) fn has_waited(&self) -> bool {
        self.waited.load(Ordering::Relaxed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.running.fetch_add(1, Ordering::Relaxed);
    }
}
