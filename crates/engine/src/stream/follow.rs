//! A reader that stays: replay, then live, through one position.

use crate::{Result, stream::StreamStep};

/// A cursor over a stream: a position and no buffer, so a slow reader costs nobody anything.
#[derive(Debug)]
pub struct StreamFollower {
    position: u64,
}

impl StreamFollower {
    /// The offset that comes next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next step, waiting for one. At most `limit` records and about `max_bytes`. May be dropped and called again
    /// without loss. `Closed` when the engine stops.
    pub async fn next(&mut self, limit: usize, max_bytes: usize) -> Result<StreamStep> {
        todo!("{limit} {max_bytes}")
    }

    /// The next step without waiting: `None` when every record was given.
    pub fn try_next(&mut self, limit: usize, max_bytes: usize) -> Result<Option<StreamStep>> {
        todo!("{limit} {max_bytes}")
    }
}
