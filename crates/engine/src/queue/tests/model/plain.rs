//! A queue as plain maps: nothing in it is clever, so that it can be believed.

use std::collections::{BTreeMap, BTreeSet};

use super::{super::*, SETTINGS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Waiting(Option<u64>),
    Leased { lease: u64, until: u64 },
    Dead { at: u64, reason: Reason, held: Option<(u64, u64)> },
}

#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) priority: i64,
    pub(super) max_attempts: u32,
    pub(super) attempts: u32,
    pub(super) enqueued_at: u64,
    pub(super) at: At,
    /// Who holds it, as long as the engine remembers.
    pub(super) holder: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct LetterTotals {
    pub(super) arrived: u64,
    pub(super) delivered: u64,
    pub(super) returned: u64,
    pub(super) acked: u64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) exists: bool,
    pub(super) now: u64,
    pub(super) messages: BTreeMap<u64, Letter>,
    pub(super) keys: BTreeMap<u8, (u64, u64)>,
    pub(super) last: u64,
    pub(super) last_lease: u64,
    pub(super) enqueued: u64,
    pub(super) acked: u64,
    pub(super) purged: u64,
    pub(super) delivered: u64,
    pub(super) returned: u64,
    pub(super) died: u64,
    pub(super) letters: LetterTotals,
}

impl Model {
    pub(super) fn visible(&self) -> Vec<u64> {
        let ready = self.messages.iter().filter(|(_, letter)| letter.at == At::Waiting(None));
        let mut ready: Vec<_> = ready.map(|(sequence, letter)| (-letter.priority, *sequence)).collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, sequence)| sequence).collect()
    }

    pub(super) fn dead(&self) -> BTreeSet<(u64, u64)> {
        let dead = |(sequence, letter): (&u64, &Letter)| match letter.at {
            At::Dead { at, .. } => Some((at, *sequence)),
            _ => None,
        };
        self.messages.iter().filter_map(dead).collect()
    }

    pub(super) fn waiting(&self) -> usize {
        self.messages.values().filter(|letter| matches!(letter.at, At::Waiting(_))).count()
    }

    pub(super) fn due(&mut self) {
        let mut ended = BTreeSet::new();
        for (sequence, letter) in &mut self.messages {
            match letter.at {
                At::Waiting(Some(due)) if due <= self.now => letter.at = At::Waiting(None),
                At::Leased { until, .. } if until <= self.now => drop(ended.insert((until, *sequence))),
                _ => {}
            }
        }
        for (_, sequence) in ended {
            self.give_back(sequence, Reason::Expired, None);
        }
        for letter in self.messages.values_mut() {
            if let At::Dead { held, .. } = &mut letter.at
                && held.take_if(|(_, until)| *until <= self.now).is_some()
            {
                letter.holder = None;
                self.letters.returned += 1;
            }
        }
    }

    /// Letters that nobody holds, the next one first.
    pub(super) fn free_letters(&self) -> Vec<u64> {
        let free = self.messages.iter().filter(|(_, letter)| matches!(letter.at, At::Dead { held: None, .. }));
        let mut free: Vec<_> = free.map(|(sequence, letter)| (-letter.priority, *sequence)).collect();
        free.sort_unstable();
        free.into_iter().map(|(_, sequence)| sequence).collect()
    }

    pub(super) fn has_letters(&self) -> bool {
        self.exists || self.letters.arrived > 0
    }

    /// How many of the messages, or of the letters, somebody holds.
    pub(super) fn held_by(&self, consumer: Option<u64>, letters: bool) -> usize {
        let theirs = self.messages.values().filter(|letter| consumer.is_some() && letter.holder == consumer);
        theirs.filter(|letter| matches!(letter.at, At::Dead { .. }) == letters).count()
    }

    /// Consumers that hold messages, or letters; those that are not known are one.
    pub(super) fn consumers(&self, letters: bool) -> u64 {
        let held = self.messages.values().filter(|letter| match letter.at {
            At::Waiting(_) => false,
            At::Leased { .. } => !letters,
            At::Dead { held, .. } => letters && held.is_some(),
        });
        held.map(|letter| letter.holder).collect::<BTreeSet<_>>().len() as u64
    }

    /// Whether it died.
    pub(super) fn give_back(&mut self, sequence: u64, reason: Reason, due: Option<u64>) -> bool {
        let letter = self.messages.get_mut(&sequence).expect("a leased message");
        if letter.attempts >= letter.max_attempts {
            self.kill(sequence, reason);
            return true;
        }
        letter.at = At::Waiting(due);
        letter.holder = None;
        self.returned += 1;
        false
    }

    pub(super) fn kill(&mut self, sequence: u64, reason: Reason) {
        let letter = self.messages.get_mut(&sequence).expect("a leased message");
        letter.at = At::Dead { at: self.now, reason, held: None };
        letter.holder = None;
        self.returned += 1;
        self.died += 1;
        self.letters.arrived += 1;
        let dead = self.dead();
        if dead.len() > 4 {
            self.messages.remove(&dead.first().expect("a letter").1);
            self.purged += 1;
        }
    }

    pub(super) fn held(&self, held: Held) -> bool {
        let leased = self.messages.get(&held.sequence).and_then(|letter| match letter.at {
            At::Leased { lease, .. } => Some(lease),
            _ => None,
        });
        leased.is_some_and(|lease| held.lease.is_none_or(|held| held == lease))
    }

    pub(super) fn held_letter(&self, held: Held) -> bool {
        let lease = self.messages.get(&held.sequence).and_then(|letter| match letter.at {
            At::Dead { held, .. } => held.map(|(lease, _)| lease),
            _ => None,
        });
        lease.is_some_and(|lease| held.lease.is_none_or(|held| held == lease))
    }

    pub(super) fn settle_letters(&mut self, held: &[Held], deed: LetterDeed) -> Option<Settled> {
        self.has_letters().then_some(())?;
        let mut settled = Settled::default();
        let mut named = BTreeSet::new();
        for held in held.iter().filter(|held| named.insert(held.sequence)) {
            if !self.held_letter(*held) {
                settled.not_found.push(held.sequence);
                continue;
            }
            settled.done += 1;
            match deed {
                LetterDeed::Return => {
                    let letter = self.messages.get_mut(&held.sequence).expect("a letter");
                    letter.holder = None;
                    if let At::Dead { held, .. } = &mut letter.at {
                        *held = None;
                    }
                    self.letters.returned += 1;
                }
                LetterDeed::Ack => {
                    self.messages.remove(&held.sequence);
                    self.acked += 1;
                    self.letters.acked += 1;
                }
                LetterDeed::Discard => {
                    self.messages.remove(&held.sequence);
                    self.purged += 1;
                    self.letters.returned += 1;
                }
            }
        }
        Some(settled)
    }

    pub(super) fn each(&mut self, held: &[Held], mut deed: impl FnMut(&mut Model, u64) -> bool) -> Option<Settled> {
        self.exists.then_some(())?;
        let mut settled = Settled::default();
        let mut named = BTreeSet::new();
        // All are judged by what they were before the first of them was done.
        let held: Vec<_> = held
            .iter()
            .filter(|held| named.insert(held.sequence))
            .map(|held| (held.sequence, self.held(*held)))
            .collect();
        for (sequence, holds) in held {
            match holds && self.messages.contains_key(&sequence) {
                false => settled.not_found.push(sequence),
                true if deed(self, sequence) => settled.dead += 1,
                true => settled.done += 1,
            }
        }
        Some(settled)
    }

    pub(super) fn purge(&mut self, goes: impl Fn(&At) -> bool) -> u64 {
        let before = self.messages.len();
        self.messages.retain(|_, letter| !goes(&letter.at));
        let purged = (before - self.messages.len()) as u64;
        self.purged += purged;
        purged
    }

    pub(super) fn delete(&mut self) {
        self.messages.retain(|_, letter| matches!(letter.at, At::Dead { .. }));
        self.keys.retain(|_, (sequence, _)| self.messages.contains_key(sequence));
        let Model { now, last, last_lease, letters, .. } = *self;
        let (messages, keys) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.keys));
        // A key of a letter outlives it no longer.
        let keys = keys.into_iter().map(|(key, (sequence, _))| (key, (sequence, 0))).collect();
        let enqueued = messages.len() as u64;
        *self = Model { now, last, last_lease, letters, enqueued, messages, keys, ..Model::default() };
    }

    pub(super) fn stats(&self) -> Option<Stats> {
        self.exists.then(|| Stats {
            ready: self.waiting() as u64,
            delayed: (self.waiting() - self.visible().len()) as u64,
            leased: self.messages.values().filter(|letter| matches!(letter.at, At::Leased { .. })).count() as u64,
            dead: self.dead().len() as u64,
            enqueued_total: self.enqueued,
            last: self.last,
            acked_total: self.acked,
            purged_total: self.purged,
            delivered_total: self.delivered,
            returned_total: self.returned,
            dead_total: self.died,
            waiting: 0,
            consumers: self.consumers(false),
            oldest: self.visible().iter().min().map(|oldest| Timestamp(self.messages[oldest].enqueued_at)),
            settings: SETTINGS,
            by_itself: ByItself::default(),
        })
    }

    pub(super) fn letter_stats(&self) -> Option<LetterStats> {
        let LetterTotals { arrived, delivered, returned, acked } = self.letters;
        let free = self.free_letters();
        self.has_letters().then(|| LetterStats {
            ready: free.len() as u64,
            leased: self.dead().len() as u64 - free.len() as u64,
            arrived_total: arrived,
            delivered_total: delivered,
            returned_total: returned,
            acked_total: acked,
            consumers: self.consumers(true),
            oldest: free.iter().min().map(|oldest| Timestamp(self.messages[oldest].enqueued_at)),
        })
    }
}

pub(super) fn give_up(model: &mut Model, sequence: u64, to: NackTo) -> bool {
    match to {
        NackTo::Ready(delay) => {
            let delay = delay.as_millis() as u64;
            model.give_back(sequence, Reason::Nack, (delay > 0).then_some(model.now + delay))
        }
        NackTo::Undelivered => {
            let letter = model.messages.get_mut(&sequence).expect("a leased message");
            letter.attempts -= 1;
            letter.at = At::Waiting(None);
            letter.holder = None;
            model.delivered -= 1;
            false
        }
        NackTo::Dead => {
            model.kill(sequence, Reason::Nack);
            true
        }
    }
}
