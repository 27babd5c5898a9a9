//! All entries as they were at one moment, gathered piece by piece while others go on. Whoever changes an entry puts it
//! in first, as it was.

use super::{CacheEntry, entries::Entries, recency::Recency};

/// What was gathered.
#[derive(Debug)]
pub(super) struct Cut {
    /// Tells it from other cuts, in the entries that it has.
    id: u64,
    /// The moment, in milliseconds of the clock that never goes back.
    now: u64,
    /// What was created after the moment has a higher number.
    newest: u64,
    /// Slots from here on were not looked at.
    next: usize,
    /// With when each was used.
    gathered: Vec<(u64, CacheEntry)>,
    /// Everything, when all was cleared meanwhile.
    cleared: Option<(Entries, Recency)>,
}

impl Cut {
    pub(super) fn new(id: u64, now: u64, entries: &Entries) -> Self {
        // Room for all: growing under the lock would move them again and again.
        let gathered = Vec::with_capacity(entries.len());
        Cut { id, now, newest: entries.newest(), next: 0, gathered, cleared: None }
    }

    /// Puts in an entry that is about to change, unless it is in or did not live at the moment.
    pub(super) fn keep(&mut self, entries: &mut Entries, recency: &Recency, slot: u32) {
        let entry = entries.get_mut(slot);
        if entry.cut == self.id || entry.number > self.newest || entry.is_due(self.now) {
            return;
        }
        entry.cut = self.id;
        self.gathered.push((recency.used(slot), entries.shown(slot, self.now)));
    }

    /// Takes over everything there was. What a second clearing takes away is younger than the moment.
    pub(super) fn clear(&mut self, gone: (Entries, Recency)) -> Option<(Entries, Recency)> {
        if self.cleared.is_some() {
            return Some(gone);
        }
        self.cleared = Some(gone);
        None
    }

    /// Looks at so many more; whether the lock is needed no longer.
    pub(super) fn gather(&mut self, most: usize, entries: &mut Entries, recency: &Recency) -> bool {
        self.cleared.is_some() || self.look(most, entries, recency)
    }

    fn look(&mut self, most: usize, entries: &mut Entries, recency: &Recency) -> bool {
        let end = self.next.saturating_add(most).min(entries.slots());
        for slot in self.next as u32..end as u32 {
            if entries.is_taken(slot) {
                self.keep(entries, recency, slot);
            }
        }
        self.next = end;
        end == entries.slots()
    }

    /// The entries, the least recently used first.
    pub(super) fn finish(mut self) -> Vec<CacheEntry> {
        if let Some((mut entries, recency)) = self.cleared.take() {
            self.look(usize::MAX, &mut entries, &recency);
        }
        self.gathered.sort_unstable_by_key(|(used, _)| *used);
        self.gathered.into_iter().map(|(_, entry)| entry).collect()
    }
}
