//! The level in memory, and what keeps it from contradicting the rows.
//!
//! Rows change in the order of the writer's jobs, some time after somebody asked. Three things bridge that time. A put
//! shows in memory at once and is *pending* until its row is durable. A removal takes pending puts away together with
//! rows, in the job that deletes them, so none of them is written afterwards. And whoever read a row may *fill* memory
//! with it only if nothing happened to that key since before it read: what was removed meanwhile does not come back.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use foldhash::quality::RandomState;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::entry::{Cached, Entry};
use crate::{
    Clock,
    cache::{Cache, CacheLimits, CacheSet, Ttl},
};

/// Keys that share a count of changes: a change to one now and then refuses a fill of another, which costs one more read.
const STRIPES: usize = 1024;
/// Keys forgotten under one hold of the lock.
const FORGOTTEN_AT_ONCE: usize = 1024;
/// The cache has spaces; this level needs one.
const SPACE: &[u8] = b"";

/// The level in memory.
#[derive(Debug)]
pub(super) struct Memory {
    entries: Cache,
    order: Mutex<Order>,
    hasher: RandomState,
    clock: Clock,
}

/// What happened to keys lately. Whoever holds it may change `entries`.
#[derive(Debug)]
struct Order {
    /// Changes of keys, by stripe.
    changes: Box<[u64]>,
    pending: HashMap<Bytes, Pending, RandomState>,
    next_ticket: u64,
}

/// The puts of one key that are under way.
#[derive(Debug, Default)]
struct Pending {
    /// With their tickets, the latest last: memory shows that one.
    puts: SmallVec<[(u64, Arc<Entry>); 1]>,
    /// Puts with a lower ticket write nothing any more: a later one is written, or they were removed.
    floor: u64,
}

impl Pending {
    /// The latest put, while it is still to be written: then it, and no row, is the truth about the key.
    fn unwritten(&self) -> Option<&Arc<Entry>> {
        self.puts.last().filter(|(ticket, _)| *ticket >= self.floor).map(|(_, entry)| entry)
    }
}

/// The count of changes a reader saw before it read a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen(u64);

/// A put under way. Dropped without having landed, it is forgotten in memory: the row may say something else.
#[derive(Debug)]
pub(super) struct Put {
    memory: Arc<Memory>,
    key: Bytes,
    ticket: u64,
    landed: bool,
}

/// Keys whose rows are gone once the writer's job is committed. Dropped, which is after that, they are forgotten in
/// memory; whether it was committed does not matter, because to forget too much is no harm.
#[derive(Debug)]
pub(super) struct Sweep {
    memory: Arc<Memory>,
    what: Swept,
}

#[derive(Debug)]
enum Swept {
    All,
    Keys(Vec<Bytes>),
}

/// What a removal found pending.
#[derive(Debug, Default)]
pub(super) struct Cancelled {
    /// Live puts that it took away.
    pub(super) live: Vec<Bytes>,
    /// Keys about which rows say nothing that counts: a put that it does not concern is about to replace them.
    pub(super) overridden: Vec<Bytes>,
}

impl Memory {
    pub(super) fn new(limits: CacheLimits, clock: Clock) -> Self {
        let order = Order { changes: vec![0; STRIPES].into(), pending: HashMap::default(), next_ticket: 0 };
        let entries = Cache::new(limits, clock.clone());
        Memory { entries, order: Mutex::new(order), hasher: RandomState::default(), clock }
    }

    /// What memory has of a key.
    pub(super) fn get(&self, key: &str) -> Option<Cached> {
        let entry = Entry::unpacked(&self.entries.get(SPACE, key.as_bytes())?)?;
        // The cache's own deadlines follow another clock; what is over is decided by the one that rows go by.
        entry.is_live(self.clock.now()).then_some(entry.cached)
    }

    /// To be asked before a row is read that may be filled in.
    pub(super) fn seen(&self, key: &str) -> Seen {
        Seen(self.order.lock().changes[self.stripe(key.as_bytes())])
    }

    /// Takes over a row, unless something happened to its key meanwhile.
    pub(super) fn fill(&self, key: &str, seen: Seen, entry: &Entry) {
        let stripe = self.stripe(key.as_bytes());
        let packed = entry.packed();
        let order = self.order.lock();
        if order.changes[stripe] == seen.0 && !order.pending.contains_key(key.as_bytes()) {
            self.store(&Bytes::copy_from_slice(key.as_bytes()), entry, packed);
        }
    }

    /// Shows an entry from now on, whose row is still to be written.
    pub(super) fn put(self: &Arc<Self>, key: Bytes, entry: Arc<Entry>) -> Put {
        let packed = entry.packed();
        let mut order = self.order.lock();
        let ticket = order.begin(&key, entry.clone());
        order.changes[self.stripe(&key)] += 1;
        self.store(&key, &entry, packed);
        drop(order);
        Put { memory: self.clone(), key, ticket, landed: false }
    }

    /// Takes away the pending puts that `doomed` says yes to. For the writer's thread.
    pub(super) fn cancel(&self, doomed: impl Fn(&[u8], &Entry) -> bool) -> Cancelled {
        let now = self.clock.now();
        let mut order = self.order.lock();
        let next_ticket = order.next_ticket;
        let mut cancelled = Cancelled::default();
        for (key, pending) in &mut order.pending {
            let Some(entry) = pending.unwritten() else { continue };
            if !doomed(key, entry) {
                cancelled.overridden.push(key.clone());
                continue;
            }
            if entry.is_live(now) {
                cancelled.live.push(key.clone());
            }
            pending.floor = next_ticket;
        }
        cancelled
    }

    /// Nothing is swept yet.
    pub(super) fn sweep(self: &Arc<Self>) -> Sweep {
        Sweep { memory: self.clone(), what: Swept::Keys(Vec::new()) }
    }

    /// Everything is swept.
    pub(super) fn sweep_all(self: &Arc<Self>) -> Sweep {
        Sweep { memory: self.clone(), what: Swept::All }
    }

    fn end(&self, put: &Put) {
        let mut order = self.order.lock();
        order.changes[self.stripe(&put.key)] += 1;
        let Some(pending) = order.pending.get_mut(&put.key) else { return };
        let shows = pending.puts.last().is_some_and(|(ticket, _)| *ticket == put.ticket);
        pending.puts.retain(|(ticket, _)| *ticket != put.ticket);
        if !put.landed && shows {
            self.entries.delete(SPACE, std::slice::from_ref(&put.key));
        }
        if pending.puts.is_empty() {
            order.pending.remove(&put.key);
        }
    }

    fn forget(&self, keys: &[Bytes]) {
        for keys in keys.chunks(FORGOTTEN_AT_ONCE) {
            let mut order = self.order.lock();
            for key in keys {
                order.changes[self.stripe(key)] += 1;
                if order.pending.get(key).and_then(Pending::unwritten).is_none() {
                    self.entries.delete(SPACE, std::slice::from_ref(key));
                }
            }
        }
    }

    fn forget_all(&self) {
        let mut order = self.order.lock();
        order.changes.iter_mut().for_each(|changes| *changes += 1);
        self.entries.clear_space(SPACE);
    }

    /// Keeps an entry, or nothing of its key when it is over.
    fn store(&self, key: &Bytes, entry: &Entry, packed: Bytes) {
        let ttl = match entry.expires_at {
            None => Ttl::Never,
            Some(at) => match at.0.saturating_sub(self.clock.now().0) {
                0 => {
                    self.entries.delete(SPACE, std::slice::from_ref(key));
                    return;
                }
                left => Ttl::Millis(left),
            },
        };
        self.entries.set([CacheSet { space: SPACE, key, value: packed, ttl }]);
    }

    fn stripe(&self, key: &[u8]) -> usize {
        use std::hash::BuildHasher;
        self.hasher.hash_one(key) as usize % STRIPES
    }
}

impl Order {
    fn begin(&mut self, key: &Bytes, entry: Arc<Entry>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.pending.entry(key.clone()).or_default().puts.push((ticket, entry));
        ticket
    }
}

impl Put {
    /// Whether its row is to be written: no later one is, and nobody removed it. For the writer's thread.
    pub(super) fn is_wanted(&self) -> bool {
        let order = self.memory.order.lock();
        order.pending.get(&self.key).is_some_and(|pending| self.ticket >= pending.floor)
    }

    /// Its row is written. For the writer's thread.
    pub(super) fn written(&self) {
        let mut order = self.memory.order.lock();
        if let Some(pending) = order.pending.get_mut(&self.key) {
            pending.floor = pending.floor.max(self.ticket + 1);
        }
    }

    /// What the writer did is durable.
    pub(super) fn landed(mut self) {
        self.landed = true;
    }
}

impl Drop for Put {
    fn drop(&mut self) {
        self.memory.clone().end(self);
    }
}

impl Sweep {
    /// One more key.
    pub(super) fn add(&mut self, key: Bytes) {
        match &mut self.what {
            Swept::All => {}
            Swept::Keys(keys) => keys.push(key),
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        match &self.what {
            Swept::All => self.memory.forget_all(),
            Swept::Keys(keys) => self.memory.forget(keys),
        }
    }
}

#[cfg(test)]
impl Memory {
    /// How many keys have puts under way.
    pub(super) fn pending_for_tests(&self) -> usize {
        self.order.lock().pending.len()
    }
}
