//! A reader that stays: replay, then live, through one position.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::watch;

use crate::{
    Error, Kind, Result,
    live::Live,
    stream::{
        StreamStart, StreamStep,
        read::Room,
        state::{Bounds, Stream},
    },
};

/// A cursor over a stream: a position and no buffer, so a slow reader costs nobody anything.
pub struct StreamFollower {
    live: Arc<Live>,
    stream: Arc<Stream>,
    moved: watch::Receiver<()>,
    position: u64,
}

impl StreamFollower {
    pub(crate) fn new(live: Arc<Live>, stream: Arc<Stream>, start: StreamStart) -> Result<Self> {
        let moved = stream.subscribe();
        let position = stream.start(&live, start)?;
        stream.followers.fetch_add(1, Ordering::Relaxed);
        live.streams.followers.fetch_add(1, Ordering::Relaxed);
        Ok(StreamFollower { live, stream, moved, position })
    }

    /// The offset that comes next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Which life of the name it follows; see [`StreamInfo::generation`](super::StreamInfo::generation).
    pub fn generation(&self) -> u64 {
        self.stream.id
    }

    /// The next step, waiting for one. At most `limit` records and about `max_bytes`. May be dropped and called again
    /// without loss. `Closed` when the engine stops.
    pub async fn next(&mut self, limit: usize, max_bytes: usize) -> Result<StreamStep> {
        loop {
            if self.live.stopping() {
                return Err(Error::new(Kind::Closed, "the engine is stopping"));
            }
            if let Some(step) = self.try_next(limit, max_bytes)? {
                return Ok(step);
            }
            let live = self.live.clone();
            live.unless_stopped(self.moved.changed()).await;
        }
    }

    /// The next step without waiting: `None` when every record was given.
    pub fn try_next(&mut self, limit: usize, max_bytes: usize) -> Result<Option<StreamStep>> {
        // Seen before the look: what comes while we look wakes whoever waits after it.
        self.moved.borrow_and_update();
        loop {
            let Bounds { first, end } = self.stream.bounds(&self.live.store);
            if self.stream.is_deleted() {
                return Ok(Some(StreamStep::Deleted));
            }
            if self.position < first {
                let expected = std::mem::replace(&mut self.position, first);
                return Ok(Some(StreamStep::Dropped { expected, first }));
            }
            if self.position >= end {
                return Ok(None);
            }
            let records = self.stream.records(&self.live, self.position, &mut Room::new(limit, max_bytes))?;
            // Nothing there: trimmed since the look, so the next one tells.
            if let Some(last) = records.last() {
                self.position = last.offset + 1;
                return Ok(Some(StreamStep::Records(records)));
            }
        }
    }

    /// Completes when there may be more than [`StreamFollower::try_next`] saw. It is its own, so that whoever follows many
    /// streams can wait for all of them at once.
    pub fn news(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut moved = self.moved.clone();
        async move {
            // The sender lives as long as the stream, which the follower keeps.
            moved.changed().await.ok();
        }
    }
}

impl Drop for StreamFollower {
    fn drop(&mut self) {
        self.stream.followers.fetch_sub(1, Ordering::Relaxed);
        self.live.streams.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for StreamFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamFollower").field("position", &self.position).finish_non_exhaustive()
    }
}
