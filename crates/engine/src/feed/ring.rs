//! The newest changes, kept in memory for the readers that keep up: most of them.

use std::{collections::VecDeque, sync::Arc};

use crate::feed::Change;

/// Most changes kept.
const CHANGES: usize = 4096;
/// Most bytes kept; the newest change stays even when it alone is larger.
const BYTES: usize = 32 << 20;

/// A queue of changes whose numbers are dense: gaps arise only at a recovery, and the ring starts empty after one.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
}

impl Ring {
    pub(crate) fn push(&mut self, change: Arc<Change>) {
        self.bytes += change.size_bytes();
        self.changes.push_back(change);
        while self.changes.len() > CHANGES || (self.bytes > BYTES && self.changes.len() > 1) {
            let Some(oldest) = self.changes.pop_front() else { return };
            self.bytes -= oldest.size_bytes();
        }
    }

    /// The number of the oldest change kept.
    pub(crate) fn oldest(&self) -> Option<u64> {
        Some(self.changes.front()?.seq)
    }

    /// The changes from `seq` to `to`, both included; none when `seq` is no longer kept.
    pub(crate) fn between(&self, seq: u64, to: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        let skip = usize::try_from(seq.checked_sub(self.oldest()?)?).ok()?;
        let to = move |change: &&Arc<Change>| change.seq <= to;
        Some(self.changes.range(skip.min(self.changes.len())..).take_while(to))
    }
}
