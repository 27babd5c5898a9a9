//! Queues: messages by number, where each of them is, and the totals.

use std::collections::BTreeMap;

use super::{Span, Value};

/// No script lasts so long.
const FAR_MS: u64 = 1_800_000;
/// Later than everything.
const NEVER_MS: u64 = 1 << 53;

/// One queue, deleted or not: its numbers and its dead letters outlive it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Queue {
    pub exists: bool,
    /// Somebody said how it is to be; else its first sender did.
    pub configured: bool,
    pub rate: Rate,
    pub last: u64,
    pub messages: BTreeMap<u64, Message>,
    /// Keys of deduplication, and whether their window is open; without it they count while their message is there.
    keys: BTreeMap<String, (u64, bool)>,
    pub enqueued: u64,
    pub acked: u64,
    pub purged: u64,
    pub delivered: u64,
    pub returned: u64,
    pub died: u64,
    pub letters: Letters,
}

/// How messages are taken that do not say it themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    pub max_attempts: u32,
    pub priority: i64,
    pub max_depth: Option<u64>,
}

/// Totals of the dead letters as a queue of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Letters {
    pub arrived: u64,
    pub delivered: u64,
    pub returned: u64,
    pub acked: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub payload: Value,
    pub headers: String,
    pub priority: i64,
    pub attempts: u32,
    pub max_attempts: Option<u32>,
    pub at: Span,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Ready,
    Delayed(Span),
    Leased(Span),
    Dead { reason: &'static str, held: Option<Span> },
}

/// A message to be added.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub payload: Value,
    pub headers: String,
    pub priority: Option<i64>,
    pub delay_ms: u64,
    pub key: Option<String>,
    pub max_attempts: Option<u32>,
    /// What a queue is like that this message makes.
    pub rate: Rate,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Full,
    Duplicate(u64),
    New { sequence: u64, position: Option<u64> },
}

impl Message {
    fn is_dead(&self) -> bool {
        matches!(self.place, Place::Dead { .. })
    }
}

impl Queue {
    pub fn add(&mut self, new: &Delivery, now: Span) -> Added {
        let before = (self.exists, self.configured, self.rate);
        if !self.exists {
            (self.exists, self.configured, self.rate) = (true, false, new.rate);
        }
        if let Some((sequence, open)) = new.key.as_ref().and_then(|key| self.keys.get(key))
            && (*open || self.messages.contains_key(sequence))
        {
            return Added::Duplicate(*sequence);
        }
        let waiting = self.count(|place| matches!(place, Place::Ready | Place::Delayed(_)));
        if self.rate.max_depth.is_some_and(|max| waiting >= max) {
            (self.exists, self.configured, self.rate) = before;
            return Added::Full;
        }
        let rate = if self.configured { self.rate } else { new.rate };
        let own = (rate.max_attempts != self.rate.max_attempts).then_some(rate.max_attempts);
        let priority = new.priority.unwrap_or(rate.priority);
        let place = if new.delay_ms == 0 { Place::Ready } else { Place::Delayed(now.plus(new.delay_ms)) };
        let ahead = self.messages.values().filter(|m| m.place == Place::Ready && m.priority >= priority).count();
        self.last += 1;
        self.enqueued += 1;
        if let Some(key) = &new.key {
            self.keys.insert(key.clone(), (self.last, true));
        }
        let message = Message {
            payload: new.payload.clone(),
            headers: new.headers.clone(),
            priority,
            attempts: 0,
            max_attempts: new.max_attempts.or(own),
            at: now,
            place,
        };
        self.messages.insert(self.last, message);
        Added::New { sequence: self.last, position: (place == Place::Ready).then_some(ahead as u64 + 1) }
    }

    /// Makes it as somebody says; whether there was none, or none that anybody had configured. `None` when it is
    /// configured otherwise.
    pub fn configure(&mut self, rate: Rate, same: bool) -> Option<bool> {
        if self.exists && self.configured {
            return same.then_some(false);
        }
        let new = !self.exists;
        (self.exists, self.configured, self.rate) = (true, true, rate);
        Some(new)
    }

    pub fn count(&self, which: impl Fn(Place) -> bool) -> u64 {
        self.messages.values().filter(|message| which(message.place)).count() as u64
    }

    /// The numbers of those that `which` takes, next one first.
    pub fn in_order(&self, which: impl Fn(Place) -> bool) -> Vec<u64> {
        let mut found: Vec<(i64, u64)> =
            self.messages.iter().filter(|(_, m)| which(m.place)).map(|(n, m)| (-m.priority, *n)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, sequence)| sequence).collect()
    }

    /// Leases messages until then; their numbers.
    pub fn take(&mut self, count: usize, until: Span) -> Vec<u64> {
        let mut taken = self.in_order(|place| place == Place::Ready);
        taken.truncate(count);
        for sequence in &taken {
            let message = self.message(*sequence);
            message.attempts += 1;
            message.place = Place::Leased(until);
        }
        self.delivered += taken.len() as u64;
        taken
    }

    /// Leases a dead letter.
    pub fn take_letter(&mut self, until: Span) -> Option<u64> {
        let free = |place| matches!(place, Place::Dead { held: None, .. });
        let sequence = *self.in_order(free).first()?;
        self.letters.delivered += 1;
        if let Place::Dead { held, .. } = &mut self.message(sequence).place {
            *held = Some(until);
        }
        Some(sequence)
    }

    /// Whether there was a lease to end.
    pub fn ack(&mut self, sequence: u64) -> bool {
        let held = self.is_leased(sequence);
        if held {
            self.acked += 1;
            self.forget(sequence);
        }
        held
    }

    /// Gives a leased message back; none when it is not leased, else whether it died of it.
    pub fn give_back(&mut self, sequence: u64, due: Option<Span>, reason: &'static str) -> Option<bool> {
        if !self.is_leased(sequence) {
            return None;
        }
        let most = self.messages[&sequence].max_attempts.unwrap_or(self.rate.max_attempts);
        if self.messages[&sequence].attempts >= most {
            return self.kill(sequence, reason);
        }
        self.returned += 1;
        self.message(sequence).place = due.map_or(Place::Ready, Place::Delayed);
        Some(false)
    }

    /// Makes a leased message a dead letter.
    pub fn kill(&mut self, sequence: u64, reason: &'static str) -> Option<bool> {
        if !self.is_leased(sequence) {
            return None;
        }
        self.returned += 1;
        self.died += 1;
        self.letters.arrived += 1;
        self.message(sequence).place = Place::Dead { reason, held: None };
        Some(true)
    }

    pub fn extend(&mut self, sequence: u64, until: Span) -> bool {
        let leased = self.is_leased(sequence);
        if leased {
            self.message(sequence).place = Place::Leased(until);
        }
        leased
    }

    /// Ends the lease of a dead letter: it goes as acknowledged or as thrown away, or stays.
    pub fn settle_letter(&mut self, sequence: u64, deed: LetterDeed) -> bool {
        let place = self.messages.get(&sequence).map(|message| message.place);
        let Some(Place::Dead { reason, held: Some(_) }) = place else { return false };
        match deed {
            LetterDeed::Ack => {
                self.letters.acked += 1;
                self.acked += 1;
                self.forget(sequence);
            }
            LetterDeed::Discard => {
                self.letters.returned += 1;
                self.purged += 1;
                self.forget(sequence);
            }
            LetterDeed::Return => {
                self.letters.returned += 1;
                self.message(sequence).place = Place::Dead { reason, held: None };
            }
        }
        true
    }

    /// Makes a dead letter a message again.
    pub fn requeue(&mut self, sequence: u64) -> bool {
        let dead = self.messages.get(&sequence).is_some_and(Message::is_dead);
        if dead {
            let message = self.message(sequence);
            message.attempts = 0;
            message.place = Place::Ready;
        }
        dead
    }

    /// Throws away; how many.
    pub fn purge(&mut self, which: impl Fn(Place) -> bool) -> u64 {
        let gone = self.in_order(which);
        gone.iter().for_each(|sequence| self.forget(*sequence));
        self.purged += gone.len() as u64;
        gone.len() as u64
    }

    /// Deletes the queue, but for its dead letters and its numbers.
    pub fn delete(&mut self) -> bool {
        let there = self.exists;
        if there {
            self.purge(|place| !matches!(place, Place::Dead { .. }));
            let messages = &self.messages;
            self.keys.retain(|_, (sequence, _)| messages.contains_key(sequence));
            self.keys.values_mut().for_each(|(_, open)| *open = false);
            let enqueued = self.messages.len() as u64;
            let Queue { last, messages, keys, letters, .. } = std::mem::take(self);
            *self = Queue { last, messages, keys, letters, enqueued, ..Queue::default() };
        }
        there
    }

    /// Whether its dead letters can be asked for.
    pub fn has_letter_view(&self) -> bool {
        self.exists || self.letters.arrived > 0
    }

    /// What is due by then happens.
    pub(super) fn pass(&mut self, now: u64) {
        let sequences: Vec<u64> = self.messages.keys().copied().collect();
        for sequence in sequences {
            let place = self.messages[&sequence].place;
            match place {
                Place::Delayed(until) if until.to <= now => self.message(sequence).place = Place::Ready,
                Place::Leased(until) if until.to <= now => {
                    self.give_back(sequence, None, "expired");
                }
                Place::Dead { held: Some(until), .. } if until.to <= now => {
                    self.settle_letter(sequence, LetterDeed::Return);
                }
                _ => {}
            }
        }
    }

    pub(super) fn forget_what_is_far(&mut self, now: u64) {
        let far = |until: &mut Span| {
            if until.from > now + FAR_MS {
                *until = Span::at(NEVER_MS);
            }
        };
        self.messages.values_mut().for_each(|message| match &mut message.place {
            Place::Ready | Place::Dead { held: None, .. } => {}
            Place::Delayed(until) | Place::Leased(until) | Place::Dead { held: Some(until), .. } => far(until),
        });
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = Span> {
        self.messages.values().filter_map(|message| match message.place {
            Place::Ready | Place::Dead { held: None, .. } => None,
            Place::Delayed(until) | Place::Leased(until) | Place::Dead { held: Some(until), .. } => Some(until),
        })
    }

    fn is_leased(&self, sequence: u64) -> bool {
        self.messages.get(&sequence).is_some_and(|message| matches!(message.place, Place::Leased(_)))
    }

    fn forget(&mut self, sequence: u64) {
        self.messages.remove(&sequence);
        self.keys.retain(|_, (of, open)| *of != sequence || *open);
    }

    fn message(&mut self, sequence: u64) -> &mut Message {
        self.messages.get_mut(&sequence).expect("it was just found")
    }
}

/// What ends the lease of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterDeed {
    Ack,
    Discard,
    Return,
}
