//! Every rule of the cache, one step each. The caller holds the lock and says what time it is.

use bytes::Bytes;

use super::{
    CacheChange, CacheEntry, CacheEvent, CacheLimits, CacheSet, CacheStats, Counted, Exchanged, Ttl,
    cut::Cut,
    entries::Entries,
    expiry::Expiry,
    recency::{Recency, SLOTS},
};
use crate::Timestamp;

/// Entries that one step expires at most, so that a million with one deadline keep nobody waiting for all of them.
const EXPIRED_AT_ONCE: usize = 64;

/// The entries with their orders.
#[derive(Debug)]
pub(super) struct Table {
    limits: CacheLimits,
    pub(super) entries: Entries,
    recency: Recency,
    expiry: Expiry,
    counts: CacheStats,
    /// The time of this step, in milliseconds of the clock that never goes back.
    now: u64,
    cuts: u64,
    cut: Option<Cut>,
    /// What happened since somebody took it; nothing is kept while nobody follows.
    pub(super) happened: Vec<CacheEvent>,
    pub(super) followed: bool,
}

impl Table {
    pub(super) fn new(limits: CacheLimits) -> Self {
        let limits = CacheLimits { entries: limits.entries.clamp(1, SLOTS), ..limits };
        Table {
            entries: Entries::new(limits.entries),
            limits,
            recency: Recency::default(),
            expiry: Expiry::default(),
            counts: CacheStats::default(),
            now: 0,
            cuts: 0,
            cut: None,
            happened: Vec::new(),
            followed: false,
        }
    }

    /// Comes before every step: some of what is due expires. What is left of it counts as absent all the same.
    pub(super) fn begin(&mut self, now: u64) {
        self.now = now;
        for _ in 0..EXPIRED_AT_ONCE {
            let Some(slot) = self.expiry.due(now) else { return };
            self.expire(slot);
        }
    }

    /// Whether something expired and is still there.
    pub(super) fn is_behind(&self) -> bool {
        self.expiry.due(self.now).is_some()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.expiry.next()
    }

    /// A value, which is used by that.
    pub(super) fn get(&mut self, space: &[u8], key: &[u8]) -> Option<Bytes> {
        let Some(slot) = self.find(space, key) else {
            self.counts.misses += 1;
            return None;
        };
        self.counts.hits += 1;
        self.promote(slot);
        Some(self.entries.get(slot).value.clone())
    }

    pub(super) fn set(&mut self, set: CacheSet<'_>) {
        let CacheSet { space, key, value, ttl } = set;
        self.counts.puts += 1;
        let size = value.len();
        let slot = match self.find(space, key) {
            Some(slot) => {
                self.write(slot, value);
                slot
            }
            None => {
                if self.entries.len() == self.limits.entries {
                    self.make_room();
                }
                self.create(space, Bytes::copy_from_slice(key), value)
            }
        };
        self.set_deadline(slot, self.deadline(ttl));
        self.tell_of(slot, CacheChange::Set(size));
        self.shrink(slot);
    }

    pub(super) fn delete(&mut self, space: &[u8], key: &[u8]) -> bool {
        let Some(slot) = self.find(space, key) else { return false };
        self.remove_deleted(slot);
        true
    }

    /// Deletes all entries of a space; how many there were.
    pub(super) fn clear_space(&mut self, space: &[u8]) -> u64 {
        let Some(id) = self.entries.spaces.find(space) else { return 0 };
        let slots: Vec<_> = self.entries.spaces.get(id).created.values().copied().collect();
        slots.iter().for_each(|slot| self.remove_deleted(*slot));
        slots.len() as u64
    }

    /// Adds to an integer, which keeps its deadline.
    pub(super) fn count(&mut self, space: &[u8], key: &[u8], by: i128) -> Counted {
        let Some(slot) = self.find(space, key) else { return Counted::Absent };
        let Some(before) = integer(&self.entries.get(slot).value) else { return Counted::NotANumber };
        let Ok(now) = i64::try_from(i128::from(before).saturating_add(by)) else { return Counted::Overflow };
        self.write(slot, Bytes::from(now.to_string()));
        self.tell_of(slot, CacheChange::Counted { before, now });
        self.shrink(slot);
        Counted::To(now)
    }

    /// Writes a value if the entry is of that version; it keeps its deadline.
    pub(super) fn exchange(&mut self, space: &[u8], key: &[u8], value: Bytes, version: u64) -> Exchanged {
        let Some(slot) = self.find(space, key) else { return Exchanged::Absent };
        let current = self.entries.get(slot).version;
        if current != version {
            self.counts.cas_misses += 1;
            return Exchanged::Other(current);
        }
        self.counts.cas_hits += 1;
        self.counts.puts += 1;
        let version = self.write(slot, value);
        self.tell_of(slot, CacheChange::Exchanged(version));
        self.shrink(slot);
        Exchanged::To(version)
    }

    /// Gives an entry another deadline.
    pub(super) fn touch(&mut self, space: &[u8], key: &[u8], ttl_ms: u64) -> bool {
        let Some(slot) = self.find(space, key) else { return false };
        let ttl = if ttl_ms == 0 { Ttl::Never } else { Ttl::Millis(ttl_ms) };
        self.set_deadline(slot, self.deadline(ttl));
        self.tell_of(slot, CacheChange::Touched(ttl_ms));
        true
    }

    /// An entry as it stands, which is no use of it.
    pub(super) fn look(&mut self, space: &[u8], key: &[u8]) -> Option<CacheEntry> {
        self.find(space, key).map(|slot| self.entries.shown(slot, self.now))
    }

    /// The key in a slot, if it lives.
    pub(super) fn key(&self, slot: u32) -> Option<&Bytes> {
        let entry = self.entries.get(slot);
        (!entry.is_due(self.now)).then_some(&entry.key)
    }

    /// Empties everything; what was there, to be dropped where nobody waits for it.
    pub(super) fn clear(&mut self) -> (Option<(Entries, Recency)>, Expiry) {
        let emptied = self.entries.emptied(self.limits.entries);
        let gone = (std::mem::replace(&mut self.entries, emptied), std::mem::take(&mut self.recency));
        let expiry = std::mem::take(&mut self.expiry);
        self.tell(CacheEvent { space: Bytes::new(), key: Bytes::new(), what: CacheChange::Clear });
        let gone = match &mut self.cut {
            Some(cut) => cut.clear(gone),
            None => Some(gone),
        };
        (gone, expiry)
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
    pub(super) fn restore(&mut self, saved: CacheEntry) {
        let CacheEntry { space, key, value, left_ms, .. } = saved;
        if let Some(slot) = self.entries.find(&space, &key) {
            self.remove(slot);
        } else if self.entries.len() == self.limits.entries
            && let Some(oldest) = self.recency.oldest()
        {
            self.remove(oldest);
        }
        let slot = self.create(&space, key, value);
        self.set_deadline(slot, left_ms.map(|left| self.now.saturating_add(left).min(Timestamp::LAST.0)));
        while let Some(oldest) = self.too_much(slot) {
            self.remove(oldest);
        }
    }

    /// From now on, what there is at this moment is kept until it was gathered. One at a time.
    pub(super) fn begin_cut(&mut self) {
        self.cuts += 1;
        self.cut = Some(Cut::new(self.cuts, self.now, &self.entries));
    }
    /// Gathers up to so many entries of it; all of it, when those were the last.
    pub(super) fn gather(&mut self, most: usize) -> Option<Cut> {
        let cut = self.cut.as_mut()?;
        if cut.gather(most, &mut self.entries, &self.recency) { self.cut.take() } else { None }
    }

    /// The slot of an entry that lives.
    fn find(&mut self, space: &[u8], key: &[u8]) -> Option<u32> {
        let slot = self.entries.find(space, key)?;
        if self.entries.get(slot).is_due(self.now) {
            self.expire(slot);
            return None;
        }
        Some(slot)
    }

    fn deadline(&self, ttl: Ttl) -> Option<u64> {
        let millis = match ttl {
            Ttl::Never => 0,
            Ttl::Default => self.limits.ttl_ms,
            Ttl::Millis(millis) => millis,
        };
        (millis > 0).then(|| self.now.saturating_add(millis).min(Timestamp::LAST.0))
    }

    /// Makes room for one: what expired goes first, else what was used least recently.
    fn make_room(&mut self) {
        if let Some(slot) = self.expiry.due(self.now) {
            self.expire(slot);
        } else if let Some(slot) = self.recency.oldest() {
            self.counts.evictions += 1;
            self.remove(slot);
        }
    }

    /// Pushes out others until the bytes fit. `newest` was used last, so it stays even when it alone does not fit.
    fn shrink(&mut self, newest: u32) {
        while self.too_much(newest).is_some() {
            self.make_room();
        }
    }

    /// What has to go first while there are too many bytes; never `newest`.
    fn too_much(&self, newest: u32) -> Option<u32> {
        let fits = self.limits.bytes == 0 || self.entries.bytes <= self.limits.bytes;
        if fits { None } else { self.recency.oldest().filter(|oldest| *oldest != newest) }
    }

    fn expire(&mut self, slot: u32) {
        self.counts.deletes += 1;
        self.tell_of(slot, CacheChange::Expired);
        self.remove(slot);
    }

    fn remove_deleted(&mut self, slot: u32) {
        self.counts.deletes += 1;
        self.tell_of(slot, CacheChange::Delete);
        self.remove(slot);
    }

    // Everything that changes an entry is below, and keeps it for a cut first.

    fn create(&mut self, space: &[u8], key: Bytes, value: Bytes) -> u32 {
        let slot = self.entries.insert(space, key, value);
        self.recency.insert(slot);
        slot
    }

    fn write(&mut self, slot: u32, value: Bytes) -> u64 {
        self.promote(slot);
        self.entries.replace(slot, value)
    }

    fn promote(&mut self, slot: u32) {
        self.keep(slot);
        self.recency.touch(slot);
    }

    fn set_deadline(&mut self, slot: u32, to: Option<u64>) {
        self.keep(slot);
        let from = std::mem::replace(&mut self.entries.get_mut(slot).deadline, to);
        self.expiry.change(slot, from, to);
    }

    fn remove(&mut self, slot: u32) {
        self.set_deadline(slot, None);
        self.recency.remove(slot);
        self.entries.remove(slot);
    }

    fn keep(&mut self, slot: u32) {
        if let Some(cut) = &mut self.cut {
            cut.keep(&mut self.entries, &self.recency, slot);
        }
    }

    fn tell_of(&mut self, slot: u32, what: CacheChange) {
        if self.followed {
            let (space, key) = (self.entries.space_of(slot).name.clone(), self.entries.get(slot).key.clone());
            self.happened.push(CacheEvent { space, key, what });
        }
    }

    fn tell(&mut self, event: CacheEvent) {
        if self.followed {
            self.happened.push(event);
        }
    }
}

/// An integer as text: an optional sign and digits.
fn integer(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    text.parse().ok()
}
