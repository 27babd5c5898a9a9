//! Keys: one key space, one line of versions for each key, one feed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Name, Span, Value, World};

/// What a key is and was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slot {
    /// The last version it had.
    pub version: u64,
    pub held: Option<Held>,
    pub deadline: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    Value { value: Value, actor: String, at: Span },
    Hash(BTreeMap<String, String>),
    List(Vec<String>),
    Set(BTreeSet<String>),
    Scores(BTreeMap<String, i64>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub name: Name,
    pub version: u64,
    pub op: Op,
    pub actor: String,
    /// Changes of one commit, and in it those that have an order.
    pub order: (u64, u64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    Set(Value),
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    Absent,
    Present,
    Version(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    Never,
    InMs(u64),
    At(u64),
    Keep,
}

/// Why a verb changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// The key holds this instead.
    Type(&'static str),
    /// The live version, or 0.
    Conflict(u64),
}

impl Held {
    pub fn kind(&self) -> &'static str {
        match self {
            Held::Value { .. } => "string",
            Held::Hash(_) => "hash",
            Held::List(_) => "list",
            Held::Set(_) => "set",
            Held::Scores(_) => "zset",
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Held::Value { .. } => false,
            Held::Hash(fields) => fields.is_empty(),
            Held::List(elements) => elements.is_empty(),
            Held::Set(members) => members.is_empty(),
            Held::Scores(scores) => scores.is_empty(),
        }
    }
}

impl Slot {
    /// The version of the live value, or 0.
    pub fn live_version(&self) -> u64 {
        if matches!(self.held, Some(Held::Value { .. })) { self.version } else { 0 }
    }

    pub fn value(&self) -> Option<&Value> {
        match &self.held {
            Some(Held::Value { value, .. }) => Some(value),
            _ => None,
        }
    }
}

impl World {
    /// What is there.
    pub fn slot(&self, name: &Name) -> Slot {
        self.keys.get(name).cloned().unwrap_or_default()
    }

    /// The live value, unless the key holds something else.
    pub fn value(&self, name: &Name) -> Result<Option<Value>, Refused> {
        match &self.slot(name).held {
            None => Ok(None),
            Some(Held::Value { value, .. }) => Ok(Some(value.clone())),
            Some(other) => Err(Refused::Type(other.kind())),
        }
    }

    /// Whether the expiry of a key with this version may have happened by `now`, although nobody looked since.
    pub fn may_expire(&self, space: &str, key: &str, version: u64, now: u64) -> bool {
        let slot = self.keys.iter().find(|(name, _)| name.space == space && name.name == key).map(|(_, slot)| slot);
        slot.is_some_and(|slot| {
            slot.live_version() + 1 == version && slot.deadline.is_some_and(|deadline| deadline.from <= now)
        })
    }

    /// What follows is one commit.
    pub fn begin(&mut self) {
        self.commit += 1;
    }

    /// The refusal of a condition, or of a key that holds a collection.
    pub fn check(&self, name: &Name, when: When) -> Result<(), Refused> {
        self.value(name)?;
        let live = self.slot(name).live_version();
        let holds = match when {
            When::Always => true,
            When::Absent => live == 0,
            When::Present => live > 0,
            When::Version(version) => live == version,
        };
        if holds { Ok(()) } else { Err(Refused::Conflict(live)) }
    }

    pub fn put(
        &mut self,
        name: &Name,
        value: Value,
        when: When,
        expires: Expires,
        actor: &str,
        now: Span,
    ) -> Result<Slot, Refused> {
        self.check(name, when)?;
        let deadline = match expires {
            Expires::Never => None,
            Expires::InMs(millis) => Some(now.plus(millis)),
            Expires::At(at) => Some(Span::at(at)),
            Expires::Keep => self.slot(name).deadline,
        };
        Ok(self.set(name, value, deadline, actor, now))
    }

    /// Deletes a value; its version, if there was one.
    pub fn delete(&mut self, name: &Name, when: When, actor: &str) -> Result<Option<u64>, Refused> {
        self.check(name, when)?;
        let there = self.slot(name).held.is_some();
        Ok(there.then(|| {
            self.clear(name, actor);
            self.slot(name).version
        }))
    }

    /// Deletes whatever the key holds; whether it held anything.
    pub fn clear(&mut self, name: &Name, actor: &str) -> bool {
        match self.slot(name).held {
            None => false,
            Some(Held::Value { .. }) => {
                let version = self.vacate(name);
                self.note(name, version, Op::Delete, actor);
                true
            }
            Some(_) => {
                self.hold(name, None, None);
                true
            }
        }
    }

    /// Gives the key a value in place of whatever it held.
    pub fn set(&mut self, name: &Name, value: Value, deadline: Option<Span>, actor: &str, now: Span) -> Slot {
        let slot = self.keys.entry(name.clone()).or_default();
        slot.version += 1;
        slot.held = Some(Held::Value { value: value.clone(), actor: actor.to_owned(), at: now });
        slot.deadline = deadline;
        let slot = slot.clone();
        self.note(name, slot.version, Op::Set(value), actor);
        slot
    }

    /// Lets the key hold a collection or nothing, which no change tells of; a value is deleted first.
    pub fn hold(&mut self, name: &Name, held: Option<Held>, deadline: Option<Span>) {
        let slot = self.keys.entry(name.clone()).or_default();
        slot.held = held.filter(|held| !held.is_empty());
        slot.deadline = deadline.filter(|_| slot.held.is_some());
    }

    /// Gives what is there another deadline: a write of the unchanged value.
    pub fn retime(&mut self, name: &Name, deadline: Option<Span>, actor: &str, now: Span) {
        let slot = self.slot(name);
        match slot.held {
            Some(Held::Value { value, .. }) => {
                self.set(name, value, deadline, actor, now);
            }
            held => self.hold(name, held, deadline),
        }
    }

    pub(super) fn expire_keys(&mut self, now: u64) {
        let due = |slot: &Slot| slot.deadline.is_some_and(|deadline| deadline.to <= now);
        let due: Vec<Name> = self.keys.iter().filter(|(_, slot)| due(slot)).map(|(name, _)| name.clone()).collect();
        for name in due {
            match self.slot(&name).held {
                Some(Held::Value { .. }) => {
                    let version = self.vacate(&name);
                    self.expiries.insert((name, version));
                }
                _ => self.hold(&name, None, None),
            }
        }
    }

    /// Takes the value out; the version of that.
    fn vacate(&mut self, name: &Name) -> u64 {
        let slot = self.keys.get_mut(name).expect("it is there");
        slot.version += 1;
        (slot.held, slot.deadline) = (None, None);
        slot.version
    }

    fn note(&mut self, name: &Name, version: u64, op: Op, actor: &str) {
        let order = (self.commit, self.changes.len() as u64);
        self.changes.push(Change { name: name.clone(), version, op, actor: actor.to_owned(), order });
    }

    /// The changes of this commit have no order among themselves.
    pub fn unordered(&mut self) {
        let commit = self.commit;
        for change in self.changes.iter_mut().rev().take_while(|change| change.order.0 == commit) {
            change.order.1 = 0;
        }
    }
}
