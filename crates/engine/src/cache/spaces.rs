//! Spaces, and the entries of each in the order they were created. An entry's number is fixed when it is created and
//! never used again.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use foldhash::quality::RandomState;

/// A space with its entries.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) name: Bytes,
    /// Slots by number.
    pub(super) created: BTreeMap<u64, u32>,
}

/// All spaces that have entries.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    by_name: HashMap<Bytes, u32, RandomState>,
    all: Vec<Option<Space>>,
    free: Vec<u32>,
}

impl Spaces {
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, id: u32) -> &Space {
        self.all[id as usize].as_ref().expect("an id lives as long as its space has entries")
    }

    fn get_mut(&mut self, id: u32) -> &mut Space {
        self.all[id as usize].as_mut().expect("an id lives as long as its space has entries")
    }

    /// All spaces, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Space> {
        self.all.iter().flatten()
    }

    /// Notes a new entry; the id of its space.
    pub(super) fn enter(&mut self, name: &[u8], number: u64, slot: u32) -> u32 {
        let id = self.find(name).unwrap_or_else(|| self.found(name));
        self.get_mut(id).created.insert(number, slot);
        id
    }

    fn found(&mut self, name: &[u8]) -> u32 {
        let name = Bytes::copy_from_slice(name);
        let space = Space { name: name.clone(), created: BTreeMap::new() };
        let id = self.free.pop().unwrap_or(self.all.len() as u32);
        match self.all.get_mut(id as usize) {
            Some(place) => *place = Some(space),
            None => self.all.push(Some(space)),
        }
        self.by_name.insert(name, id);
        id
    }

    /// Notes that an entry is gone.
    pub(super) fn leave(&mut self, id: u32, number: u64) {
        let space = self.get_mut(id);
        space.created.remove(&number);
        if space.created.is_empty() {
            let name = std::mem::take(&mut space.name);
            self.all[id as usize] = None;
            self.by_name.remove(&name);
            self.free.push(id);
        }
    }
}
