//! The order of use: a list through the slots of the entries.

/// No slot.
const NONE: u32 = u32::MAX;
/// Most slots.
pub(super) const SLOTS: usize = NONE as usize;

/// The neighbours of a slot, and when it was used: later is higher.
#[derive(Debug, Clone, Copy)]
struct Link {
    newer: u32,
    older: u32,
    used: u64,
}

/// Slots from the most to the least recently used.
#[derive(Debug)]
pub(super) struct Recency {
    links: Vec<Link>,
    newest: u32,
    oldest: u32,
    uses: u64,
}

impl Default for Recency {
    fn default() -> Self {
        Recency { links: Vec::new(), newest: NONE, oldest: NONE, uses: 0 }
    }
}

impl Recency {
    /// Puts in a slot that is not in, as the most recently used.
    pub(super) fn insert(&mut self, slot: u32) {
        let at = slot as usize;
        if self.links.len() <= at {
            self.links.resize(at + 1, Link { newer: NONE, older: NONE, used: 0 });
        }
        self.uses += 1;
        self.links[at] = Link { newer: NONE, older: self.newest, used: self.uses };
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    /// Takes out a slot that is in.
    pub(super) fn remove(&mut self, slot: u32) {
        let Link { newer, older, .. } = self.links[slot as usize];
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

    /// When a slot that is in was used.
    pub(super) fn used(&self, slot: u32) -> u64 {
        self.links[slot as usize].used
    }
}
