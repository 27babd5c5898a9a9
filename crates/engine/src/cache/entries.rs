//! The entries themselves, found by space and key.

use std::hash::BuildHasher;

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::spaces::{Space, Spaces};

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
}

/// All entries.
#[derive(Debug, Default)]
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
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn find(&self, space: &[u8], key: &[u8]) -> Option<u32> {
        let space = self.spaces.find(space)?;
        let same = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|e| e.space == space && e.key == key);
        self.by_key.find(hash(&self.hasher, space, key), same).copied()
    }

    pub(super) fn get(&self, slot: u32) -> &Entry {
        self.slots[slot as usize].as_ref().expect("a slot that was found holds an entry")
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Entry {
        self.slots[slot as usize].as_mut().expect("a slot that was found holds an entry")
    }

    /// Whether a slot holds the entry of that number.
    pub(super) fn holds(&self, number: u64, slot: u32) -> bool {
        self.slots[slot as usize].as_ref().is_some_and(|entry| entry.number == number)
    }

    pub(super) fn space_of(&self, slot: u32) -> &Space {
        self.spaces.get(self.get(slot).space)
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
        self.slots[slot as usize] = Some(Entry { key, value, space, number, version: 1, deadline: None });
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

    /// Takes an entry out; with it the name of its space.
    pub(super) fn remove(&mut self, slot: u32) -> (Bytes, Entry) {
        let hashed = hash_of(&self.hasher, &self.slots, slot);
        if let Ok(found) = self.by_key.find_entry(hashed, |other| *other == slot) {
            found.remove();
        }
        let entry = self.slots[slot as usize].take().expect("a slot that was found holds an entry");
        let space = self.spaces.get(entry.space).name.clone();
        self.bytes -= weight(&space, &entry.key, &entry.value);
        self.free.push(slot);
        let slots = &self.slots;
        self.spaces.leave(entry.space, |number, slot| {
            slots[slot as usize].as_ref().is_some_and(|entry| entry.number == number)
        });
        (space, entry)
    }

    #[cfg(test)]
    pub(super) fn slots_for_tests(&self) -> usize {
        self.slots.len()
    }

    /// Without entries; numbers go on.
    pub(super) fn emptied(&self) -> Entries {
        Entries { next_number: self.next_number, ..Entries::default() }
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
