//! The handle of a subscriber.

use std::{fmt, sync::Arc};

use crate::{
    Error, Kind, Result,
    live::Live,
    pubsub::{Pattern, Step, outlet::Outlet, tree::Id},
};

/// Somebody who is subscribed. Dropped, it is subscribed to nothing any more.
pub struct Subscriber {
    live: Arc<Live>,
    outlet: Arc<Outlet>,
    id: Id,
}

impl Subscriber {
    /// Room for `buffer` messages that the subscriber has not taken yet.
    pub(crate) fn new(live: Arc<Live>, buffer: usize) -> Self {
        let outlet = Arc::new(Outlet::new(buffer));
        let id = live.pubsub.join(outlet.clone());
        Subscriber { live, outlet, id }
    }

    /// Adds patterns, all or none; how many there are now. `Busy` when they would be more than
    /// [`crate::pubsub::MAX_PATTERNS`].
    pub fn add(&self, patterns: &[Pattern]) -> Result<usize> {
        self.live.pubsub.add(self.id, patterns, self.live.clock.now())
    }

    /// Takes patterns away, or all; how many of them there were.
    pub fn remove(&self, patterns: Option<&[Pattern]>) -> usize {
        self.live.pubsub.remove(self.id, patterns)
    }

    /// The next step, waiting for one. May be dropped and called again without loss. One task reads. `Closed` when the
    /// engine stops.
    pub async fn next(&self) -> Result<Step> {
        loop {
            if self.live.stopping() {
                return Err(Error::new(Kind::Closed, "the engine is stopping"));
            }
            if let Some(step) = self.outlet.try_next() {
                return Ok(step);
            }
            self.live.unless_stopped(self.outlet.arrival()).await;
        }
    }

    /// The next step without waiting: `None` when there is none.
    pub fn try_next(&self) -> Option<Step> {
        self.outlet.try_next()
    }

    /// Completes when the subscriber was dropped because it did not keep up, for a reader that is busy with what it took.
    pub async fn fell_behind(&self) {
        while !self.outlet.is_slow() {
            // The reader looks before it waits, so an arrival that is noticed here is none it misses.
            self.outlet.arrival().await;
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.live.pubsub.leave(self.id);
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("id", &self.id).finish_non_exhaustive()
    }
}
