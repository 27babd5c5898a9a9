//! The events of the cache as one connection hears them.

use manifold_engine::cache::{Cache, CacheEvent};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

/// Most events that may wait for a client that takes nothing.
const MOST_WAITING: usize = 1000;

/// What is heard, if anything.
#[derive(Debug)]
pub(super) struct Following(Option<Receiver<CacheEvent>>);

/// More waits than is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind;

impl Following {
    /// From now on.
    pub(super) fn new(cache: &Cache) -> Self {
        Following(Some(cache.follow()))
    }

    /// Hears from now on, unless it does.
    pub(super) fn start(&mut self, cache: &Cache) {
        self.0.get_or_insert_with(|| cache.follow());
    }

    /// Hears no more, and forgets what waits.
    pub(super) fn stop(&mut self) {
        self.0 = None;
    }

    /// The next event; never, when nothing is heard. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Result<CacheEvent, Behind> {
        let Some(events) = &mut self.0 else { return std::future::pending().await };
        match events.recv().await {
            Ok(event) => Ok(event),
            Err(RecvError::Lagged(_)) => Err(Behind),
            // The cache lives longer than its followers.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// At most so many of the events that wait.
    pub(super) fn take(&mut self, most: usize) -> Result<Vec<CacheEvent>, Behind> {
        let Some(events) = &mut self.0 else { return Ok(Vec::new()) };
        let mut taken = Vec::new();
        while taken.len() < most {
            match events.try_recv() {
                Ok(event) => taken.push(event),
                Err(TryRecvError::Lagged(_)) => return Err(Behind),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Ok(taken)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, Receiver::len)
    }

    /// Whether more wait than a client may leave lying.
    pub(super) fn is_behind(&self) -> bool {
        self.waiting() > MOST_WAITING
    }
}
