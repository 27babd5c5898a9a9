//! The order of a queue's messages: where each of them is, by number. Nothing here is on disk; it is what the rows say,
//! kept so that the next message, the next deadline and the oldest dead letter are found in logarithmic time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use foldhash::fast::RandomState;

use crate::{Timestamp, queue::rows::Fate};

/// Messages of one row of the table of blocks: reading a queue looks at so many numbers for each of them.
pub(crate) const BLOCK: u64 = 1024;
/// Priorities over which a place in the queue is counted.
const COUNTED_LANES: usize = 1024;

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Visible, with this priority.
    Ready(i64),
    /// Invisible until then.
    Delayed(Timestamp),
    /// Held by a consumer until then.
    Leased(Timestamp),
    /// A dead letter.
    Dead {
        /// Since when.
        died: Timestamp,
        /// The priority it keeps.
        priority: i64,
        /// Until when a consumer of dead letters holds it, if one does.
        held: Option<Timestamp>,
    },
}

impl Place {
    /// The place of a message of this priority.
    pub(crate) fn of(priority: i64, fate: Fate) -> Place {
        match fate {
            Fate::Waiting(None) => Place::Ready(priority),
            Fate::Waiting(Some(due)) => Place::Delayed(due),
            Fate::Leased(lease) => Place::Leased(lease.until),
            Fate::Dead { at, held, .. } => Place::Dead { died: at, priority, held: held.map(|lease| lease.until) },
        }
    }
}

/// A message goes from one place to another; `None` is outside of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) sequence: u64,
    pub(crate) from: Option<Place>,
    pub(crate) to: Option<Place>,
}

/// All places.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) ready: Lanes,
    pub(crate) delayed: BTreeSet<(Timestamp, u64)>,
    pub(crate) leased: BTreeSet<(Timestamp, u64)>,
    /// All dead letters, in the order they died.
    pub(crate) dead: BTreeSet<(Timestamp, u64)>,
    /// Those of them that nobody holds.
    pub(crate) letters: Lanes,
    /// The others, by the ends of their leases.
    pub(crate) held: BTreeSet<(Timestamp, u64)>,
    /// How many messages each block holds.
    pub(crate) blocks: HashMap<u64, u32, RandomState>,
}

impl Order {
    pub(crate) fn apply(&mut self, step: &Move) {
        let Move { sequence, from, to } = *step;
        match from {
            None => *self.blocks.entry(sequence / BLOCK).or_default() += 1,
            Some(Place::Ready(priority)) => self.ready.remove(priority, sequence),
            Some(Place::Delayed(at)) => drop(self.delayed.remove(&(at, sequence))),
            Some(Place::Leased(at)) => drop(self.leased.remove(&(at, sequence))),
            Some(Place::Dead { died, priority, held }) => {
                self.dead.remove(&(died, sequence));
                match held {
                    None => self.letters.remove(priority, sequence),
                    Some(until) => drop(self.held.remove(&(until, sequence))),
                }
            }
        }
        match to {
            None => self.leave_block(sequence / BLOCK),
            Some(Place::Ready(priority)) => self.ready.insert(priority, sequence),
            Some(Place::Delayed(at)) => drop(self.delayed.insert((at, sequence))),
            Some(Place::Leased(at)) => drop(self.leased.insert((at, sequence))),
            Some(Place::Dead { died, priority, held }) => {
                self.dead.insert((died, sequence));
                match held {
                    None => self.letters.insert(priority, sequence),
                    Some(until) => drop(self.held.insert((until, sequence))),
                }
            }
        }
    }

    fn leave_block(&mut self, block: u64) {
        let Some(left) = self.blocks.get_mut(&block) else { return };
        *left -= 1;
        if *left == 0 {
            self.blocks.remove(&block);
        }
    }

    /// Messages that wait, visible or not.
    pub(crate) fn waiting(&self) -> u64 {
        (self.ready.len + self.delayed.len()) as u64
    }

    /// All messages, dead letters too.
    pub(crate) fn len(&self) -> u64 {
        self.waiting() + (self.leased.len() + self.dead.len()) as u64
    }

    /// The first instant at which a message changes its place by itself.
    pub(crate) fn soonest(&self) -> Option<Timestamp> {
        let first = |places: &BTreeSet<(Timestamp, u64)>| places.first().map(|(at, _)| *at);
        [&self.delayed, &self.leased, &self.held].into_iter().filter_map(first).min()
    }
}

/// What a consumer may take: a lane of numbers for each priority.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<Reverse<i64>, BTreeSet<u64>>,
    len: usize,
}

impl Lanes {
    fn insert(&mut self, priority: i64, sequence: u64) {
        self.len += usize::from(self.lanes.entry(Reverse(priority)).or_default().insert(sequence));
    }

    fn remove(&mut self, priority: i64, sequence: u64) {
        let Some(lane) = self.lanes.get_mut(&Reverse(priority)) else { return };
        self.len -= usize::from(lane.remove(&sequence));
        if lane.is_empty() {
            self.lanes.remove(&Reverse(priority));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn len(&self) -> u64 {
        self.len as u64
    }

    /// Priorities and numbers, the next message first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u64)> {
        self.lanes.iter().flat_map(|(priority, lane)| lane.iter().map(|sequence| (priority.0, *sequence)))
    }

    /// The place of a new message of this priority, 1 = next; none when it would take too long to count.
    pub(crate) fn next_place(&self, priority: i64) -> Option<u64> {
        if self.lanes.len() > COUNTED_LANES {
            return None;
        }
        let ahead: usize = self.lanes.range(..=Reverse(priority)).map(|(_, lane)| lane.len()).sum();
        Some(ahead as u64 + 1)
    }

    /// The lowest number.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.lanes.values().filter_map(BTreeSet::first).min().copied()
    }
}
