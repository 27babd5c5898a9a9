//! Every rule of the cache, one step each. The caller holds the lock and says what time it is.

use bytes::Bytes;

use super::{
    CacheChange, CacheEntry, CacheEvent, CacheLimits, CacheSet, CacheStats, Counted, Exchanged, Ttl, entries::Entries,
    expiry::Expiry, recency::Recency,
};

/// Deadlines end here: 2^53 - 1, the largest integer that every JSON reader keeps.
const LAST: u64 = (1 << 53) - 1;

/// The entries with their orders.
#[derive(Debug)]
pub(super) struct Table {
    limits: CacheLimits,
    pub(super) entries: Entries,
    recency: Recency,
    expiry: Expiry,
    counts: CacheStats,
    /// What happened since somebody took it; nothing is kept while nobody follows.
    pub(super) happened: Vec<CacheEvent>,
    pub(super) followed: bool,
}

impl Table {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Table {
            limits: CacheLimits { entries: limits.entries.max(1), ..limits },
            entries: Entries::default(),
            recency: Recency::default(),
            expiry: Expiry::default(),
            counts: CacheStats::default(),
            happened: Vec::new(),
            followed: false,
        }
    }

    /// Expires what is due. Comes before every other step.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some(slot) = self.expiry.due(now) {
            self.counts.deletes += 1;
            self.remove(slot, Some(CacheChange::Expired));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.expiry.next()
    }

    /// A value, which is used by that.
    pub(super) fn get(&mut self, space: &[u8], key: &[u8]) -> Option<Bytes> {
        let Some(slot) = self.entries.find(space, key) else {
            self.counts.misses += 1;
            return None;
        };
        self.counts.hits += 1;
        self.recency.touch(slot);
        Some(self.entries.get(slot).value.clone())
    }

    pub(super) fn set(&mut self, now: u64, space: &[u8], set: CacheSet) {
        let CacheSet { key, value, ttl } = set;
        self.counts.puts += 1;
        let size = value.len();
        let deadline = self.deadline(now, ttl);
        self.tell(|| CacheEvent { space: name(space), key: key.clone(), what: CacheChange::Set(size) });
        match self.entries.find(space, &key) {
            Some(slot) => {
                self.entries.replace(slot, value);
                self.recency.touch(slot);
                self.set_deadline(slot, deadline);
                self.shrink(slot);
            }
            None => {
                if self.entries.len() == self.limits.entries {
                    self.evict();
                }
                let slot = self.entries.insert(space, key, value);
                self.recency.insert(slot);
                self.set_deadline(slot, deadline);
                self.shrink(slot);
            }
        }
    }

    pub(super) fn delete(&mut self, space: &[u8], key: &[u8]) -> bool {
        let Some(slot) = self.entries.find(space, key) else { return false };
        self.counts.deletes += 1;
        self.remove(slot, Some(CacheChange::Delete));
        true
    }

    /// Adds to an integer, which keeps its deadline.
    pub(super) fn count(&mut self, space: &[u8], key: &[u8], by: i64) -> Counted {
        let Some(slot) = self.entries.find(space, key) else { return Counted::Absent };
        let Some(before) = integer(&self.entries.get(slot).value) else { return Counted::NotANumber };
        let Some(sum) = before.checked_add(by) else { return Counted::Overflow };
        self.entries.replace(slot, Bytes::from(sum.to_string()));
        self.recency.touch(slot);
        self.tell_of(slot, CacheChange::Counted(sum, by));
        self.shrink(slot);
        Counted::To(sum)
    }

    /// Writes a value if the entry is of that version; it keeps its deadline.
    pub(super) fn exchange(&mut self, space: &[u8], key: &[u8], value: Bytes, version: u64) -> Exchanged {
        let Some(slot) = self.entries.find(space, key) else { return Exchanged::Absent };
        let current = self.entries.get(slot).version;
        if current != version {
            self.counts.cas_misses += 1;
            return Exchanged::Other(current);
        }
        self.counts.cas_hits += 1;
        self.counts.puts += 1;
        let version = self.entries.replace(slot, value);
        self.recency.touch(slot);
        self.tell_of(slot, CacheChange::Exchanged(version));
        self.shrink(slot);
        Exchanged::To(version)
    }

    /// Gives an entry another deadline.
    pub(super) fn touch(&mut self, now: u64, space: &[u8], key: &[u8], ttl_ms: u64) -> bool {
        let Some(slot) = self.entries.find(space, key) else { return false };
        let ttl = if ttl_ms == 0 { Ttl::Never } else { Ttl::Millis(ttl_ms) };
        let deadline = self.deadline(now, ttl);
        self.set_deadline(slot, deadline);
        self.tell_of(slot, CacheChange::Touched(ttl_ms));
        true
    }

    /// An entry as it stands, which is no use of it.
    pub(super) fn look(&self, now: u64, space: &[u8], key: &[u8]) -> Option<CacheEntry> {
        self.entries.find(space, key).map(|slot| self.shown(now, slot))
    }

    /// All entries, the least recently used first.
    pub(super) fn all(&self, now: u64) -> Vec<CacheEntry> {
        let slots = std::iter::successors(self.recency.oldest(), |slot| self.recency.newer(*slot));
        slots.map(|slot| self.shown(now, slot)).collect()
    }

    /// Empties everything; the entries that were there, to be dropped where nobody waits.
    pub(super) fn clear(&mut self) -> (Entries, Recency, Expiry) {
        let emptied = self.entries.emptied();
        let gone = std::mem::replace(&mut self.entries, emptied);
        let (recency, expiry) = (std::mem::take(&mut self.recency), std::mem::take(&mut self.expiry));
        self.tell(|| CacheEvent { space: Bytes::new(), key: Bytes::new(), what: CacheChange::Clear });
        (gone, recency, expiry)
    }

    pub(super) fn stats(&self) -> CacheStats {
        CacheStats {
            entries: self.entries.len() as u64,
            max_entries: self.limits.entries as u64,
            bytes: self.entries.bytes,
            ..self.counts
        }
    }

    /// Puts back an entry that was saved: no write, but used now.
    pub(super) fn restore(&mut self, now: u64, saved: CacheEntry) {
        let CacheEntry { space, key, value, left_ms, .. } = saved;
        if let Some(slot) = self.entries.find(&space, &key) {
            self.remove(slot, None);
        } else if self.entries.len() == self.limits.entries
            && let Some(oldest) = self.recency.oldest()
        {
            self.remove(oldest, None);
        }
        let slot = self.entries.insert(&space, key, value);
        self.recency.insert(slot);
        let deadline = left_ms.map(|left| now.saturating_add(left).min(LAST));
        self.set_deadline(slot, deadline);
        self.shrink_by(slot, |_| {});
    }

    fn shown(&self, now: u64, slot: u32) -> CacheEntry {
        let entry = self.entries.get(slot);
        CacheEntry {
            space: self.entries.space_of(slot).name.clone(),
            key: entry.key.clone(),
            value: entry.value.clone(),
            version: entry.version,
            left_ms: entry.deadline.map(|at| at.saturating_sub(now)),
        }
    }

    fn deadline(&self, now: u64, ttl: Ttl) -> Option<u64> {
        let millis = match ttl {
            Ttl::Never => 0,
            Ttl::Default => self.limits.ttl_ms,
            Ttl::Millis(millis) => millis,
        };
        (millis > 0).then(|| now.saturating_add(millis).min(LAST))
    }

    fn set_deadline(&mut self, slot: u32, to: Option<u64>) {
        let from = std::mem::replace(&mut self.entries.get_mut(slot).deadline, to);
        self.expiry.change(slot, from, to);
    }

    /// Pushes out what was used least recently.
    fn evict(&mut self) {
        if let Some(slot) = self.recency.oldest() {
            self.counts.evictions += 1;
            self.remove(slot, None);
        }
    }

    /// Pushes out others until the bytes fit. `newest` was used last, so it stays even when it alone does not fit.
    fn shrink(&mut self, newest: u32) {
        let mut evicted = 0;
        self.shrink_by(newest, |_| evicted += 1);
        self.counts.evictions += evicted;
    }

    fn shrink_by(&mut self, newest: u32, mut pushed_out: impl FnMut(u32)) {
        while self.limits.bytes > 0 && self.entries.bytes > self.limits.bytes {
            let Some(slot) = self.recency.oldest().filter(|slot| *slot != newest) else { return };
            pushed_out(slot);
            self.remove(slot, None);
        }
    }

    fn remove(&mut self, slot: u32, what: Option<CacheChange>) {
        self.set_deadline(slot, None);
        self.recency.remove(slot);
        let (space, entry) = self.entries.remove(slot);
        if let Some(what) = what {
            self.tell(|| CacheEvent { space, key: entry.key, what });
        }
    }

    fn tell_of(&mut self, slot: u32, what: CacheChange) {
        if self.followed {
            let (space, key) = (self.entries.space_of(slot).name.clone(), self.entries.get(slot).key.clone());
            self.happened.push(CacheEvent { space, key, what });
        }
    }

    fn tell(&mut self, event: impl FnOnce() -> CacheEvent) {
        if self.followed {
            self.happened.push(event());
        }
    }
}

fn name(space: &[u8]) -> Bytes {
    Bytes::copy_from_slice(space)
}

/// An integer as text: an optional sign and digits.
fn integer(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    text.parse().ok()
}
