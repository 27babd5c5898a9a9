//! The one model: what the server must hold, in plain maps. It knows no dialect; how a dialect says it is in `spell`.

mod key;
mod queue;
mod stream;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use key::{Change, Expires, Held, Op, Refused, Slot, When};
pub use queue::{Added, Delivery, LetterDeed, Message, Place, Queue, Rate};
pub use stream::{Record, Stream};
pub use value::Value;

/// A key, a queue or a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub space: &'static str,
    pub name: String,
}

/// An instant in epoch milliseconds that is known to lie between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    pub to: u64,
}

/// Everything a client may know of what it owns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct World {
    pub keys: BTreeMap<Name, Slot>,
    pub queues: BTreeMap<Name, Queue>,
    pub streams: BTreeMap<Name, Stream>,
    /// Every change of a value but expiries, in the order they were made.
    pub changes: Vec<Change>,
    /// The versions that expiries took: when they came between the changes is up to the clock.
    pub expiries: BTreeSet<(Name, u64)>,
    /// Counts commits.
    commit: u64,
}

impl Span {
    /// An instant that is known.
    pub fn at(instant: u64) -> Span {
        Span { from: instant, to: instant }
    }

    pub fn plus(self, millis: u64) -> Span {
        Span { from: self.from + millis, to: self.to + millis }
    }

    /// Seconds from `now` to this deadline, rounded up, for a key that is there.
    pub fn seconds_left(self, now: Span) -> std::ops::RangeInclusive<u64> {
        let seconds = |millis: u64| millis.div_ceil(1000).max(1);
        seconds(self.from.saturating_sub(now.to))..=seconds(self.to.saturating_sub(now.from))
    }

    pub fn range(self) -> std::ops::RangeInclusive<u64> {
        self.from..=self.to
    }
}

impl World {
    /// What is due by then happens.
    pub fn pass(&mut self, now: u64) {
        self.expire_keys(now);
        for queue in self.queues.values_mut() {
            queue.pass(now);
        }
    }

    /// When exactly a far lease or delay ends is of no matter: worlds that differ in that only are one.
    pub fn forget_what_is_far(&mut self, now: u64) {
        self.queues.values_mut().for_each(|queue| queue.forget_what_is_far(now));
    }

    /// Instants after which something may have happened by itself, of those that may have come by `now`.
    pub fn perhaps_due(&self, now: u64) -> Vec<u64> {
        let keys = self.keys.values().filter_map(|slot| slot.deadline);
        let mut due: Vec<u64> = keys
            .chain(self.queues.values().flat_map(Queue::deadlines))
            .filter(|deadline| deadline.from <= now)
            .map(|deadline| deadline.to)
            .collect();
        due.sort_unstable();
        due.dedup();
        due
    }

    /// How long nothing may happen by itself.
    pub fn quiet_until(&self) -> u64 {
        let keys = self.keys.values().filter_map(|slot| slot.deadline);
        keys.chain(self.queues.values().flat_map(Queue::deadlines))
            .map(|deadline| deadline.from)
            .min()
            .unwrap_or(u64::MAX)
    }
}
