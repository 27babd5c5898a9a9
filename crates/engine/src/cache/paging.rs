//! The keys of a space, page by page, the newest entries first. An entry keeps the number it was created with, so one
//! that is there during a whole walk comes exactly once, whatever happens to others meanwhile.

use bytes::Bytes;

use super::{Glob, table::Table};

/// Entries looked at under the lock at one time.
const PIECE: usize = 256;

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

/// Keys that were looked at with the numbers of their entries, the newest first.
pub(super) struct Piece {
    keys: Vec<(u64, Bytes)>,
    /// Where to go on; none when there is nothing more.
    below: Option<u64>,
}

impl Walk {
    pub(super) fn new(page: KeysAfter) -> Self {
        let below = if page.cursor == 0 { u64::MAX } else { page.cursor };
        Walk { glob: page.glob, count: page.count, below, found: Vec::new() }
    }

    /// Looks at some more entries of a space; the caller holds the lock.
    pub(super) fn look(&self, table: &Table, space: &[u8]) -> Piece {
        let Some(space) = table.entries.spaces.find(space) else {
            return Piece { keys: Vec::new(), below: None };
        };
        let mut older = table.entries.spaces.get(space).created.range(..self.below).rev();
        let mut keys = Vec::with_capacity(PIECE);
        for (number, slot) in older.by_ref().take(PIECE) {
            keys.extend(table.key(*slot).map(|key| (*number, key.clone())));
        }
        Piece { keys, below: older.next().map(|(number, _)| number + 1) }
    }

    /// Takes what matches; the page, when it is full or nothing is left. Needs no lock.
    pub(super) fn take(&mut self, piece: Piece) -> Option<KeyPage> {
        for (number, key) in piece.keys {
            if !self.glob.matches(&key) {
                continue;
            }
            // One more than asked for was found: so there is a next page.
            if self.found.len() == self.count {
                return Some(self.page(true));
            }
            self.found.push((number, key));
        }
        let Some(below) = piece.below else { return Some(self.page(false)) };
        self.below = below;
        None
    }

    fn page(&mut self, more: bool) -> KeyPage {
        let found = std::mem::take(&mut self.found);
        let lowest = found.last().map_or(0, |(number, _)| *number);
        let mut keys: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
        keys.sort_unstable();
        KeyPage { keys, cursor: if more { lowest } else { 0 } }
    }
}
