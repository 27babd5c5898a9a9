//! The entries themselves, found by space and key.

use std::hash::BuildHasher;

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::{
    CacheEntry,
    spaces::{Space, Spaces},
};

/// Room for so many entries is there from the start, so that no write waits for all others to be moved.
const RESERVED: usize = 1 << 20;

/// An entry in its slot.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
    /// The space it is in.
    pub(super) space: u32,
    /// Fixed when it was created.
    pub(super) number: u64,
    pub(super) version: u64,
    /// Milliseconds of the clock that never goes back.
    pub(super) deadline: Option<u64>,
    /// The last cut that has it.
    pub(super) cut: u64,
}

impl Entry {
    /// Whether its deadline has passed.
    pub(super) fn is_due(&self, now: u64) -> bool {
        self.deadline.is_some_and(|at| at <= now)
    }
}

/// All entries.
#[derive(Debug)]
pub(super) struct Entries {
    by_key: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    next_number: u64,
    pub(super) spaces: Spaces,
    pub(super) bytes: u64,
    hasher: RandomState,
}

impl Entries {
    /// Without entries; at most `most` are expected.
    pub(super) fn new(most: usize) -> Self {
        let reserved = most.min(RESERVED);
        Entries {
            by_key: HashTable::with_capacity(reserved),
            slots: Vec::with_capacity(reserved),
            free: Vec::new(),
            next_number: 0,
            spaces: Spaces::default(),
            bytes: 0,
            hasher: RandomState::default(),
        }
    }

    /// Without entries; numbers go on.
    pub(super) fn emptied(&self, most: usize) -> Self {
        Entries { next_number: self.next_number, ..Entries::new(most) }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The number of the entry that was created last.
    pub(super) fn newest(&self) -> u64 {
        self.next_number
    }

    /// Slots there are, taken or free.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn find(&self, space: &[u8], key: &[u8]) -> Option<u32> {
        let space = self.spaces.find(space)?;
        let same = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|e| e.space == space && e.key == key);
        self.by_key.find(hash(&self.hasher, space, key), same).copied()
    }

    pub(super) fn is_taken(&self, slot: u32) -> bool {
        self.slots[slot as usize].is_some()
    }

    pub(super) fn get(&self, slot: u32) -> &Entry {
        self.slots[slot as usize].as_ref().expect("a slot that was found holds an entry")
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Entry {
        self.slots[slot as usize].as_mut().expect("a slot that was found holds an entry")
    }

    pub(super) fn space_of(&self, slot: u32) -> &Space {
        self.spaces.get(self.get(slot).space)
    }

    /// An entry as it stands.
    pub(super) fn shown(&self, slot: u32, now: u64) -> CacheEntry {
        let entry = self.get(slot);
        CacheEntry {
            space: self.space_of(slot).name.clone(),
            key: entry.key.clone(),
            value: entry.value.clone(),
            version: entry.version,
            left_ms: entry.deadline.map(|at| at.saturating_sub(now)),
        }
    }

    /// Puts in an entry whose key is not there; its slot.
    pub(super) fn insert(&mut self, space: &[u8], key: Bytes, value: Bytes) -> u32 {
        self.next_number += 1;
        let number = self.next_number;
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.bytes += weight(space, &key, &value);
        let space = self.spaces.enter(space, number, slot);
        let hashed = hash(&self.hasher, space, &key);
        self.slots[slot as usize] = Some(Entry { key, value, space, number, version: 1, deadline: None, cut: 0 });
        let Entries { by_key, slots, hasher, .. } = self;
        by_key.insert_unique(hashed, slot, |slot| hash_of(hasher, slots, *slot));
        slot
    }

    /// Replaces a value; the version it has then.
    pub(super) fn replace(&mut self, slot: u32, value: Bytes) -> u64 {
        let entry = self.get_mut(slot);
        let before = std::mem::replace(&mut entry.value, value);
        entry.version += 1;
        let (version, after) = (entry.version, entry.value.len());
        self.bytes = self.bytes - before.len() as u64 + after as u64;
        version
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, slot: u32) {
        let hashed = hash_of(&self.hasher, &self.slots, slot);
        if let Ok(found) = self.by_key.find_entry(hashed, |other| *other == slot) {
            found.remove();
        }
        let entry = self.slots[slot as usize].take().expect("a slot that was found holds an entry");
        self.bytes -= weight(&self.spaces.get(entry.space).name, &entry.key, &entry.value);
        self.free.push(slot);
        self.spaces.leave(entry.space, entry.number);
    }
}

fn hash(hasher: &RandomState, space: u32, key: &[u8]) -> u64 {
    hasher.hash_one((space, key))
}

fn hash_of(hasher: &RandomState, slots: &[Option<Entry>], slot: u32) -> u64 {
    slots[slot as usize].as_ref().map_or(0, |entry| hash(hasher, entry.space, &entry.key))
}

/// What an entry counts: the name of its space with a byte that parts it from the key.
fn weight(space: &[u8], key: &[u8], value: &[u8]) -> u64 {
    let named = if space.is_empty() { 0 } else { space.len() + 1 };
    (named + key.len() + value.len()) as u64
}
