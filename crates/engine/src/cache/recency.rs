//! The order of use: a list through the slots of the entries.

/// No slot.
const NONE: u32 = u32::MAX;

/// The neighbours of a slot.
#[derive(Debug, Clone, Copy)]
struct Link {
    newer: u32,
    older: u32,
}

/// Slots from the most to the least recently used.
#[derive(Debug)]
pub(super) struct Recency {
    links: Vec<Link>,
    newest: u32,
    oldest: u32,
}

impl Default for Recency {
    fn default() -> Self {
        Recency { links: Vec::new(), newest: NONE, oldest: NONE }
    }
}

impl Recency {
    /// Puts in a slot that is not in, as the most recently used.
    pub(super) fn insert(&mut self, slot: u32) {
        let at = slot as usize;
        if self.links.len() <= at {
            self.links.resize(at + 1, Link { newer: NONE, older: NONE });
        }
        self.links[at] = Link { newer: NONE, older: self.newest };
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    /// Takes out a slot that is in.
    pub(super) fn remove(&mut self, slot: u32) {
        let Link { newer, older } = self.links[slot as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.links[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
    }

    /// Makes a slot that is in the most recently used.
    pub(super) fn touch(&mut self, slot: u32) {
        if self.newest != slot {
            self.remove(slot);
            self.insert(slot);
        }
    }

    /// The least recently used slot.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// The slot used next after `slot`.
    pub(super) fn newer(&self, slot: u32) -> Option<u32> {
        let Link { newer, .. } = self.links[slot as usize];
        (newer != NONE).then_some(newer)
    }
}
