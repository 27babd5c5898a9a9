//! Which consumer holds which message: kept in memory only, to tell how many consumers there are. Leases of before the
//! start belong to nobody known. Messages and dead letters each have holders of their own.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::queue::{
    Consumer, Shelf,
    order::{Move, Place},
};

/// The consumers that hold messages.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    by_message: HashMap<u64, u64, RandomState>,
    /// How many messages each consumer holds; none holds 0.
    held: HashMap<u64, u64, RandomState>,
}

impl Holders {
    /// Messages of a shelf have moved; those that are leased now went to `consumer`.
    pub(crate) fn follow(&mut self, shelf: Shelf, moves: &[Move], consumer: Option<u64>) {
        let leased = |place: &Option<Place>| match place {
            Some(Place::Leased(_)) => shelf == Shelf::Messages,
            Some(Place::Dead { held, .. }) => shelf == Shelf::Letters && held.is_some(),
            Some(Place::Ready(_) | Place::Delayed(_)) | None => false,
        };
        for Move { sequence, from, to } in moves {
            match (leased(from), leased(to)) {
                (false, true) => self.take(*sequence, consumer),
                (true, false) => self.give_up(*sequence),
                _ => {}
            }
        }
    }

    /// How many different consumers hold one of `leased` messages or are among `waiting`.
    pub(crate) fn count(&self, leased: usize, waiting: impl Iterator<Item = Option<Consumer>>) -> u64 {
        let mut known: Vec<u64> = self.held.keys().copied().collect();
        let mut nobody = leased > self.by_message.len();
        for consumer in waiting {
            match consumer {
                Some(consumer) => known.push(consumer.number()),
                None => nobody = true,
            }
        }
        known.sort_unstable();
        known.dedup();
        known.len() as u64 + u64::from(nobody)
    }

    /// How many messages a consumer holds.
    pub(crate) fn held_by(&self, consumer: u64) -> u64 {
        self.held.get(&consumer).copied().unwrap_or(0)
    }

    fn take(&mut self, sequence: u64, consumer: Option<u64>) {
        let Some(consumer) = consumer else { return };
        self.by_message.insert(sequence, consumer);
        *self.held.entry(consumer).or_default() += 1;
    }

    fn give_up(&mut self, sequence: u64) {
        let Some(consumer) = self.by_message.remove(&sequence) else { return };
        if let Some(held) = self.held.get_mut(&consumer) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&consumer);
            }
        }
    }
}
