//! The keys of a space, page by page, the newest entries first. An entry keeps the number it was created with, so one
//! that is there during a whole walk comes exactly once, whatever happens to others meanwhile.

use bytes::Bytes;

use super::{Glob, table::Table};

/// Entries looked at under the lock at one time.
const PIECE: usize = 1024;

/// Which page.
#[derive(Debug, Clone)]
pub struct KeysAfter {
    /// Where the last page ended; 0 = at the beginning.
    pub cursor: u64,
    /// Most keys.
    pub count: usize,
    /// Which keys.
    pub glob: Glob,
}

/// Some keys, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<Bytes>,
    /// Where to go on; 0 when there is nothing more.
    pub cursor: u64,
}

/// A walk that goes on where it was.
#[derive(Debug)]
pub(super) struct Walk {
    glob: Glob,
    count: usize,
    /// Only numbers below this are still to come.
    below: u64,
    found: Vec<(u64, Bytes)>,
}

/// Entries that were looked at: number and key, the newest first.
pub(super) struct Piece {
    entries: Vec<(u64, Bytes)>,
    last: bool,
}

impl Walk {
    pub(super) fn new(page: KeysAfter) -> Self {
        let below = if page.cursor == 0 { u64::MAX } else { page.cursor };
        Walk { glob: page.glob, count: page.count, below, found: Vec::new() }
    }

    /// Looks at some more entries of a space; the caller holds the lock.
    pub(super) fn look(&self, table: &Table, space: &[u8]) -> Piece {
        let Some(space) = table.entries.spaces.find(space) else {
            return Piece { entries: Vec::new(), last: true };
        };
        let created = &table.entries.spaces.get(space).created;
        let end = created.partition_point(|(number, _)| *number < self.below);
        let start = end.saturating_sub(PIECE);
        let live = created[start..end].iter().rev().filter(|(number, slot)| table.entries.holds(*number, *slot));
        let entries = live.map(|(number, slot)| (*number, table.entries.get(*slot).key.clone())).collect();
        Piece { entries, last: start == 0 }
    }

    /// Takes what matches; the page, when it is full or nothing is left. Needs no lock.
    pub(super) fn take(&mut self, piece: Piece) -> Option<KeyPage> {
        for (number, key) in piece.entries {
            self.below = number;
            if !self.glob.matches(&key) {
                continue;
            }
            // One more than asked for was found: so there is a next page.
            if self.found.len() == self.count {
                return Some(self.page(true));
            }
            self.found.push((number, key));
        }
        piece.last.then(|| self.page(false))
    }

    fn page(&mut self, more: bool) -> KeyPage {
        let found = std::mem::take(&mut self.found);
        let lowest = found.last().map_or(0, |(number, _)| *number);
        let mut keys: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
        keys.sort_unstable();
        KeyPage { keys, cursor: if more { lowest } else { 0 } }
    }
}
