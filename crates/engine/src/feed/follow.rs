//! A reader that stays: replay, then live, through one position.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use crate::{
    Error, Kind, Result,
    feed::{Filter, Start, Step, read::Room},
    live::Live,
};

/// A cursor over the feed: holds a position and a filter, no buffer, so a slow reader costs nobody anything.
pub struct Follower {
    live: Arc<Live>,
    head_moved: watch::Receiver<u64>,
    filter: Filter,
    position: u64,
    /// It started at the very beginning and has not read yet: whatever is gone by now, it was never promised.
    from_the_start: bool,
}

impl Follower {
    pub(crate) fn new(live: Arc<Live>, start: Start, filter: Filter) -> Self {
        let position = match start {
            Start::Head => live.feed.head(&live.store),
            Start::After(seq) => seq,
        };
        let head_moved = live.feed.subscribe();
        Follower { live, head_moved, filter, position, from_the_start: start == Start::After(0) }
    }

    /// The number up to which every matching change was given.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next step, waiting for one: at least one matching change, or a reset. At most `limit` changes and about
    /// `max_bytes`. May be dropped and called again without loss. `Closed` when the engine stops.
    pub async fn next(&mut self, limit: usize, max_bytes: usize) -> Result<Step> {
        loop {
            if self.live.stopping() {
                return Err(Error::new(Kind::Closed, "the engine is stopping"));
            }
            // Seen before the look: what comes while we look wakes us again.
            self.head_moved.borrow_and_update();
            match self.try_next(limit, max_bytes)? {
                Some(Step::Changes { changes, .. }) if changes.is_empty() => tokio::task::yield_now().await,
                Some(step) => return Ok(step),
                None => {
                    let live = self.live.clone();
                    live.unless_stopped(self.head_moved.changed()).await;
                }
            }
        }
    }

    /// The next step without waiting: `None` when every matching change up to the head was given. Looks at a bounded
    /// number of changes, so a step may say no more than how far it came.
    pub fn try_next(&mut self, limit: usize, max_bytes: usize) -> Result<Option<Step>> {
        let Live { feed, store, .. } = &*self.live;
        let head = feed.head(store);
        let standing = feed.standing(self.position, head);
        if standing.reset || (standing.truncated && !self.from_the_start) {
            self.position = standing.position;
            self.from_the_start = false;
            return Ok(Some(Step::Reset { oldest_seq: feed.oldest(head), head }));
        }
        self.position = standing.position;
        if self.position == head {
            return Ok(None);
        }
        let mut room = Room::new(limit, max_bytes);
        let Some(piece) = feed.piece(store, self.position, head, &self.filter, &mut room)? else {
            // Trimmed since it was judged: judged again, it is told.
            return Ok(Some(Step::Changes { changes: Vec::new(), upto: self.position, head }));
        };
        self.position = piece.position;
        self.from_the_start = false;
        Ok(Some(Step::Changes { changes: piece.changes, upto: piece.position, head }))
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Follower { live: _, head_moved: _, filter, position, from_the_start } = self;
        f.debug_struct("Follower")
            .field("position", position)
            .field("filter", filter)
            .field("from_the_start", from_the_start)
            .finish()
    }
}
