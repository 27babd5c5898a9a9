//! One shard: rows with their versions, the lazily kept order, and the accounts.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use hashbrown::{HashMap, HashTable};

use super::{Key, Keyring, Spec, Totals};
use crate::{Seq, log::frame};

/// New keys that wait to be sorted into the order before an insert does it.
const PENDING_MAX: usize = 1024;
/// Settled rows looked at by each write, so that the work left behind by others is paid off while it is small.
const SETTLE_PER_WRITE: usize = 3;

/// Where a row lies on disk: the start of its put operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub segment: u32,
    pub offset: u32,
}

/// One version of a row.
#[derive(Debug)]
struct Version {
    seq: Seq,
    place: Place,
    body_len: u32,
    head_len: u16,
    deleted: bool,
    /// Whether the body follows the head in `bytes`.
    resident: bool,
    /// Head, then the body if it is resident; none = empty or deleted.
    bytes: Option<Arc<[u8]>>,
    /// The version before, as long as somebody may read it.
    older: Option<Box<Version>>,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    /// Whether the key is in `order` (else, on an ordered table, in `pending`).
    ordered: bool,
    now: Version,
}

/// A version found by a reader.
#[derive(Debug)]
pub(crate) struct Found {
    pub bytes: Option<Arc<[u8]>>,
    pub head_len: u16,
    pub body_len: u32,
    pub key_len: u16,
    pub seq: Seq,
    /// Set when the body must be read from there.
    pub place: Option<Place>,
}

/// What a reader may still need: asked before a version is forgotten.
pub(crate) trait Horizon {
    /// The last durable frame, read before `snapshot_in` is asked.
    fn durable(&self) -> Seq;
    /// Whether an open snapshot reads a frame in `from..to`.
    fn snapshot_in(&self, from: Seq, to: Seq) -> bool;
    /// Counts closed snapshots: rows held back for one are looked at again when it moves.
    fn epoch(&self) -> u64;
}

/// A shard.
#[derive(Debug)]
pub(crate) struct Shard {
    map: HashTable<Entry>,
    order: BTreeSet<Key>,
    /// With their hashes.
    pending: Vec<(Key, u64)>,
    /// Rows with something to forget once a frame is durable.
    settle: VecDeque<(Seq, u64)>,
    /// Rows that a snapshot still holds back.
    held: Vec<u64>,
    held_epoch: u64,
    heap_bytes: usize,
    /// Until [`Shard::replayed`]: every row is on disk for good, and nobody reads.
    replaying: bool,
    pub totals: Vec<Totals>,
    /// Rows of counted tables by what their keys begin with, the first zero byte included.
    groups: HashMap<Box<[u8]>, u64, foldhash::quality::RandomState>,
    /// Live bytes by segment, as changes since the log was opened.
    pub live: HashMap<u32, i64, foldhash::fast::RandomState>,
}

/// What a row adds to the sums.
#[derive(Debug, Clone, Copy)]
struct Weight {
    segment: u32,
    len_on_disk: u64,
    data_bytes: u64,
    key_bytes: u64,
}

/// A put to apply.
#[derive(Debug)]
pub(crate) struct NewRow<'a> {
    /// Head, then body.
    pub data: &'a [u8],
    pub head_len: u16,
    pub place: Place,
}

/// A piece of a range read in one shard.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub rows: Vec<(Key, Found)>,
    /// The key up to which this shard was read; none = the range is at its end here.
    pub upto: Option<Key>,
}

impl Shard {
    pub fn new(tables: usize) -> Self {
        Shard {
            map: HashTable::new(),
            order: BTreeSet::new(),
            pending: Vec::new(),
            settle: VecDeque::new(),
            held: Vec::new(),
            held_epoch: 0,
            heap_bytes: 0,
            replaying: true,
            totals: vec![Totals::default(); tables],
            groups: HashMap::default(),
            live: HashMap::default(),
        }
    }

    pub fn memory_bytes(&self) -> u64 {
        let entries = self.map.capacity() * (size_of::<Entry>() + 1);
        let order = self.order.len() * (size_of::<Key>() * 3 / 2) + self.pending.capacity() * size_of::<(Key, u64)>();
        (self.heap_bytes + entries + order) as u64
    }

    /// Writes a row at frame `seq`.
    pub fn put(&mut self, hash: u64, key: &[u8], row: &NewRow<'_>, seq: Seq, keyring: &Keyring) {
        let spec = keyring.spec(key);
        let body_len = (row.data.len() - usize::from(row.head_len)) as u32;
        let long = body_len > spec.inline_max;
        // A long body stays in memory until the frame is durable: until then there is nowhere else to read it from.
        let resident = !(long && self.replaying);
        let kept = if resident { row.data } else { &row.data[..usize::from(row.head_len)] };
        let version = Version {
            seq,
            place: row.place,
            body_len,
            head_len: row.head_len,
            deleted: false,
            resident,
            bytes: (!kept.is_empty()).then(|| Arc::from(kept)),
            older: None,
        };
        let evict = long && resident;
        self.heap_bytes += version.heap_bytes();
        self.count(spec, version.weight(key.len()));
        let replaced = self.replace(hash, key, version, spec, keyring);
        if replaced || evict {
            self.settle.push_back((seq, hash));
        }
    }

    /// Removes a row at frame `seq`; nothing happens when it is absent.
    pub fn delete(&mut self, hash: u64, key: &[u8], seq: Seq, keyring: &Keyring) {
        let Some(entry) = self.map.find_mut(hash, |e| e.key.bytes() == key) else { return };
        if entry.now.deleted {
            return;
        }
        let gone = Version {
            seq,
            place: Place { segment: 0, offset: 0 },
            body_len: 0,
            head_len: 0,
            deleted: true,
            resident: true,
            bytes: None,
            older: None,
        };
        let old = std::mem::replace(&mut entry.now, gone);
        let weight = old.weight(key.len());
        entry.now.older = Some(Box::new(old));
        self.heap_bytes += size_of::<Version>();
        let spec = keyring.spec(key);
        self.uncount(spec, weight);
        self.leave_group(spec, key);
        self.settle.push_back((seq, hash));
    }

    /// Puts `version` on top; whether there was a row before.
    fn replace(&mut self, hash: u64, key: &[u8], version: Version, spec: Spec, keyring: &Keyring) -> bool {
        if let Some(entry) = self.map.find_mut(hash, |e| e.key.bytes() == key) {
            let old = std::mem::replace(&mut entry.now, version);
            let live = (!old.deleted).then(|| old.weight(key.len()));
            entry.now.older = Some(Box::new(old));
            self.heap_bytes += size_of::<Version>();
            match live {
                Some(weight) => self.uncount(spec, weight),
                None => self.join_group(spec, key),
            }
            return true;
        }
        self.join_group(spec, key);
        let key = Key::new(key);
        self.heap_bytes += key.heap_bytes();
        let unsorted = (spec.ordered && !self.replaying).then(|| key.clone());
        // In the map first: sorting drops keys that it does not find there.
        let entry = Entry { key, ordered: false, now: version };
        self.map.insert_unique(hash, entry, |e| keyring.hash(e.key.bytes()));
        if let Some(key) = unsorted {
            self.heap_bytes += key.heap_bytes();
            self.pending.push((key, hash));
            if self.pending.len() >= PENDING_MAX {
                self.sort_pending();
            }
        }
        false
    }

    /// Ends the replay: orders all keys at once, which costs far less than one by one.
    pub fn replayed(&mut self, keyring: &Keyring) {
        let mut keys = Vec::new();
        for entry in self.map.iter_mut().filter(|entry| keyring.spec(entry.key.bytes()).ordered) {
            entry.ordered = true;
            self.heap_bytes += entry.key.heap_bytes();
            keys.push(entry.key.clone());
        }
        keys.sort_unstable();
        self.order = keys.into_iter().collect();
        self.replaying = false;
    }

    /// Brings the order up to date.
    fn sort_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable();
        for (key, hash) in pending.drain(..) {
            match self.map.find_mut(hash, |e| e.key == key) {
                Some(entry) if !entry.ordered => {
                    entry.ordered = true;
                    self.order.insert(key);
                }
                // Removed since, or removed and written again (then it is in the list twice).
                _ => self.heap_bytes -= key.heap_bytes(),
            }
        }
        self.pending = pending;
    }

    fn count(&mut self, spec: Spec, weight: Weight) {
        let totals = &mut self.totals[usize::from(spec.slot)];
        totals.rows += 1;
        totals.bytes += weight.data_bytes;
        totals.key_bytes += weight.key_bytes;
        *self.live.entry(weight.segment).or_default() += weight.len_on_disk as i64;
    }

    fn uncount(&mut self, spec: Spec, weight: Weight) {
        let totals = &mut self.totals[usize::from(spec.slot)];
        totals.rows -= 1;
        totals.bytes -= weight.data_bytes;
        totals.key_bytes -= weight.key_bytes;
        *self.live.entry(weight.segment).or_default() -= weight.len_on_disk as i64;
    }

    /// A row is there that was not.
    fn join_group(&mut self, spec: Spec, key: &[u8]) {
        let Some(group) = group_of(spec, key) else { return };
        match self.groups.get_mut(group) {
            Some(rows) => *rows += 1,
            None => {
                self.heap_bytes += group.len() + size_of::<(Box<[u8]>, u64)>();
                self.groups.insert(group.into(), 1);
            }
        }
    }

    /// A row is no longer there.
    fn leave_group(&mut self, spec: Spec, key: &[u8]) {
        let Some(group) = group_of(spec, key) else { return };
        let Some(rows) = self.groups.get_mut(group) else { return };
        *rows -= 1;
        if *rows == 0 {
            self.heap_bytes -= group.len() + size_of::<(Box<[u8]>, u64)>();
            self.groups.remove(group);
        }
    }

    /// Rows of a counted table whose keys begin with `group`, which ends with its only zero byte.
    pub fn rows_of(&self, group: &[u8]) -> u64 {
        self.groups.get(group).copied().unwrap_or_default()
    }

    /// The version of a row that a reader of frame `seq` sees.
    pub fn get(&self, hash: u64, key: &[u8], seq: Seq) -> Option<Found> {
        self.map.find(hash, |e| e.key.bytes() == key)?.found(seq)
    }

    /// Whether the row's newest version lies at `place`.
    pub fn is_at(&self, hash: u64, key: &[u8], place: Place) -> bool {
        self.map.find(hash, |e| e.key.bytes() == key).is_some_and(|e| !e.now.deleted && e.now.place == place)
    }

    /// Notes that cleaning copied the row's newest version from `from` to `to`; nothing happens when it was replaced or
    /// removed meanwhile.
    pub fn moved(&mut self, hash: u64, key: &[u8], from: Place, to: Place) {
        let Some(entry) = self.map.find_mut(hash, |e| e.key.bytes() == key) else { return };
        if entry.now.place != from || entry.now.deleted {
            return;
        }
        entry.now.place = to;
        let len = entry.now.len_on_disk(key.len()) as i64;
        *self.live.entry(from.segment).or_default() -= len;
        *self.live.entry(to.segment).or_default() += len;
    }

    /// Reads up to `limit` rows of `from..to` (full keys, table number first) as of frame `seq`.
    pub fn scan(&mut self, from: &[u8], to: &[u8], reverse: bool, limit: usize, seq: Seq, keyring: &Keyring) -> Scan {
        self.sort_pending();
        let mut scan = Scan::default();
        if from >= to {
            return scan;
        }
        let range = self.order.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        // Removed rows that wait to be forgotten count too: the lock is held for a bounded time.
        let mut budget = limit * 2 + 64;
        let mut visit = |key: &Key| {
            if scan.rows.len() == limit || budget == 0 {
                return false;
            }
            budget -= 1;
            let found = self.map.find(keyring.hash(key.bytes()), |e| e.key == *key).and_then(|e| e.found(seq));
            if let Some(found) = found {
                scan.rows.push((key.clone(), found));
            }
            scan.upto = Some(key.clone());
            true
        };
        let whole = if reverse { range.rev().all(&mut visit) } else { range.into_iter().all(&mut visit) };
        if whole {
            scan.upto = None;
        }
        scan
    }

    /// Forgets what nobody can read any more, a few rows at a time.
    pub fn settle_some(&mut self, horizon: &impl Horizon, keyring: &Keyring) {
        let Some((seq, _)) = self.settle.front() else { return };
        let durable = horizon.durable();
        if *seq > durable {
            return;
        }
        for _ in 0..SETTLE_PER_WRITE {
            if !self.settle_next(durable, horizon, keyring) {
                break;
            }
        }
    }

    /// Forgets everything that nobody can read any more.
    pub fn settle_all(&mut self, horizon: &impl Horizon, keyring: &Keyring) {
        if self.held_epoch != horizon.epoch() && !self.held.is_empty() {
            self.held_epoch = horizon.epoch();
            for hash in std::mem::take(&mut self.held) {
                self.settle.push_front((0, hash));
            }
        }
        let durable = horizon.durable();
        while self.settle_next(durable, horizon, keyring) {}
    }

    fn settle_next(&mut self, durable: Seq, horizon: &impl Horizon, keyring: &Keyring) -> bool {
        match self.settle.front() {
            Some((seq, _)) if *seq <= durable => {}
            _ => return false,
        }
        let Some((_, hash)) = self.settle.pop_front() else { return false };
        let mut held = false;
        let mut removed = Vec::new();
        // Two keys may share a hash; settling a row that was not meant is harmless.
        for entry in self.map.iter_hash_mut(hash) {
            let before = entry.now.heap_bytes_with_older();
            held |= entry.now.settle(durable, horizon, keyring.spec(entry.key.bytes()).inline_max);
            self.heap_bytes = self.heap_bytes + entry.now.heap_bytes_with_older() - before;
            if entry.now.deleted && entry.now.older.is_none() && entry.now.seq <= durable {
                removed.push(entry.key.clone());
            }
        }
        for key in removed {
            if let Ok(entry) = self.map.find_entry(hash, |e| e.key == key) {
                let (entry, _) = entry.remove();
                self.heap_bytes -= entry.key.heap_bytes() + entry.now.heap_bytes_with_older();
                if entry.ordered {
                    self.heap_bytes -= entry.key.heap_bytes();
                    self.order.remove(&entry.key);
                }
            }
        }
        if held {
            self.held.push(hash);
        }
        true
    }

    /// Drops the bodies of long rows after replay, when everything is on disk.
    pub fn settle_replayed(&mut self, keyring: &Keyring) {
        struct Everything;
        impl Horizon for Everything {
            fn durable(&self) -> Seq {
                Seq::MAX
            }
            fn snapshot_in(&self, _: Seq, _: Seq) -> bool {
                false
            }
            fn epoch(&self) -> u64 {
                0
            }
        }
        self.settle_all(&Everything, keyring);
    }
}

/// What the full key of a counted row begins with, up to the first zero byte behind the table's number.
fn group_of(spec: Spec, key: &[u8]) -> Option<&[u8]> {
    let end = if spec.counted { key[1..].iter().position(|byte| *byte == 0)? } else { return None };
    key.get(..end + 2)
}

impl Entry {
    fn found(&self, seq: Seq) -> Option<Found> {
        let mut version = &self.now;
        while version.seq > seq {
            version = version.older.as_ref()?;
        }
        (!version.deleted).then(|| Found {
            bytes: version.bytes.clone(),
            head_len: version.head_len,
            body_len: version.body_len,
            key_len: self.key.bytes().len() as u16,
            seq: version.seq,
            place: (!version.resident).then_some(version.place),
        })
    }
}

impl Version {
    fn len_on_disk(&self, key_len: usize) -> u64 {
        frame::put_len(key_len, usize::from(self.head_len), self.body_len as usize)
    }

    /// Of a row whose key, the table's number in front, has so many bytes.
    fn weight(&self, key_len: usize) -> Weight {
        Weight {
            segment: self.place.segment,
            len_on_disk: self.len_on_disk(key_len),
            data_bytes: u64::from(self.head_len) + u64::from(self.body_len),
            key_bytes: key_len as u64 - 1,
        }
    }

    fn heap_bytes(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len() + 16)
    }

    fn heap_bytes_with_older(&self) -> usize {
        let older = self.older.as_ref().map_or(0, |o| size_of::<Version>() + o.heap_bytes_with_older());
        self.heap_bytes() + older
    }

    /// Drops older versions nobody can read and a long body that is on disk; whether a snapshot still holds some back.
    fn settle(&mut self, durable: Seq, horizon: &impl Horizon, inline_max: u32) -> bool {
        if self.seq <= durable {
            self.evict(inline_max);
        }
        let mut held = false;
        let mut newer = self.seq;
        let mut chain = self.older.take();
        let mut kept: Vec<Box<Version>> = Vec::new();
        while let Some(mut version) = chain {
            chain = version.older.take();
            let needed_by_snapshot = horizon.snapshot_in(version.seq, newer);
            held |= needed_by_snapshot;
            let seq = version.seq;
            if newer > durable || needed_by_snapshot {
                if seq <= durable {
                    version.evict(inline_max);
                }
                kept.push(version);
            }
            newer = seq;
        }
        for mut version in kept.into_iter().rev() {
            version.older = self.older.take();
            self.older = Some(version);
        }
        held
    }

    fn evict(&mut self, inline_max: u32) {
        if self.resident && self.body_len > inline_max {
            self.bytes = self.bytes.take().and_then(|bytes| {
                let head = &bytes[..usize::from(self.head_len)];
                (!head.is_empty()).then(|| Arc::from(head))
            });
            self.resident = false;
        }
    }
}
