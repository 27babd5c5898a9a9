//! How many requests are answered at one time. Those that wait for a message do nothing meanwhile, so they are counted
//! apart.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::Error;

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
pub(super) struct Place<'a>(&'a Places);

/// A request that waits; dropped, it runs again.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Places);

impl Places {
    /// A place for one more request.
    pub(super) fn take(&self) -> Result<Place<'_>, Error> {
        let place = Place(self);
        if self.running.fetch_add(1, Ordering::Relaxed) >= MOST { Err(Error::Overloaded) } else { Ok(place) }
    }
}

impl<'a> Place<'a> {
    /// Waits from now on.
    pub(super) fn wait(&self) -> Result<Waiting<'a>, Error> {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        let waiting = Waiting(self.0);
        if self.0.waiting.fetch_add(1, Ordering::Relaxed) >= MOST { Err(Error::Overloaded) } else { Ok(waiting) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.running.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_leaves_its_place_to_others() {
        let places = Places::default();
        let running: Vec<_> = (0..MOST).map(|_| places.take().unwrap()).collect();
        assert_eq!(places.take().unwrap_err(), Error::Overloaded);
        let waiting = running[0].wait().unwrap();
        let more = places.take().unwrap();
        drop(waiting);
        assert_eq!(places.take().unwrap_err(), Error::Overloaded);
        drop((running, more));
        assert_eq!(places.running.load(Ordering::Relaxed), 0);
        assert_eq!(places.waiting.load(Ordering::Relaxed), 0);
    }
}
