//! The handle: one method per verb, each one step under the lock.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::{
    CacheEntry, CacheEvent, CacheLimits, CacheSet, CacheStats, Counted, Exchanged, KeyPage, KeysAfter, paging::Walk,
    table::Table,
};
use crate::Clock;

/// Events that a follower may be behind; one that is further behind is told so.
const EVENTS: usize = 1000;
/// What is due is looked for this often, so that its followers hear of it.
const SWEEP_EVERY: Duration = Duration::from_millis(50);

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    events: broadcast::Sender<CacheEvent>,
    clock: Clock,
}

impl Cache {
    /// An empty one.
    pub fn new(limits: CacheLimits, clock: Clock) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        Cache(Arc::new(Shared { table: Mutex::new(Table::new(limits)), events, clock }))
    }

    /// The value of a key. Counts as a use of it.
    pub fn get(&self, space: &[u8], key: &[u8]) -> Option<Bytes> {
        self.step(|table, _| table.get(space, key))
    }
    /// The values of keys in one step, used in the order asked.
    pub fn get_many(&self, space: &[u8], keys: &[Bytes]) -> Vec<Option<Bytes>> {
        self.step(|table, _| keys.iter().map(|key| table.get(space, key)).collect())
    }
    /// Writes values in one step.
    pub fn set(&self, space: &[u8], entries: Vec<CacheSet>) {
        self.step(|table, now| entries.into_iter().for_each(|entry| table.set(now, space, entry)));
    }
    /// Deletes keys in one step; how many were there.
    pub fn delete(&self, space: &[u8], keys: &[Bytes]) -> u64 {
        self.step(|table, _| keys.iter().filter(|key| table.delete(space, key)).count() as u64)
    }
    /// Adds to a value that is an integer. It keeps its deadline.
    pub fn increment(&self, space: &[u8], key: &[u8], by: i64) -> Counted {
        self.step(|table, _| table.count(space, key, by))
    }
    /// Writes a value if the key is at `version`. It keeps its deadline.
    pub fn exchange(&self, space: &[u8], key: &[u8], value: Bytes, version: u64) -> Exchanged {
        self.step(|table, _| table.exchange(space, key, value, version))
    }
    /// Gives an entry another deadline, so many milliseconds from now; 0 = none. False when there is none.
    pub fn touch(&self, space: &[u8], key: &[u8], ttl_ms: u64) -> bool {
        self.step(|table, now| table.touch(now, space, key, ttl_ms))
    }
    /// An entry as it stands. Counts neither as a use nor as a read.
    pub fn look(&self, space: &[u8], key: &[u8]) -> Option<CacheEntry> {
        self.step(|table, now| table.look(now, space, key))
    }
    /// A page of the keys of a space. Others get their turn between pieces of the walk.
    pub async fn keys(&self, space: &[u8], page: KeysAfter) -> KeyPage {
        let mut walk = Walk::new(page);
        loop {
            let piece = self.step(|table, _| walk.look(table, space));
            if let Some(page) = walk.take(piece) {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }
    /// The spaces that have entries, with how many, in byte order.
    pub fn spaces(&self) -> Vec<(Bytes, u64)> {
        let mut spaces: Vec<_> = self.step(|table, _| {
            table.entries.spaces.iter().map(|space| (space.name.clone(), space.live as u64)).collect()
        });
        spaces.sort_unstable();
        spaces
    }
    /// Deletes all entries of a space; how many there were.
    pub fn clear_space(&self, space: &[u8]) -> u64 {
        self.step(|table, _| {
            let Some(id) = table.entries.spaces.find(space) else { return 0 };
            let created = table.entries.spaces.get(id).created.iter();
            let live = created.filter(|(number, slot)| table.entries.holds(*number, *slot));
            let keys: Vec<_> = live.map(|(_, slot)| table.entries.get(*slot).key.clone()).collect();
            keys.iter().filter(|key| table.delete(space, key)).count() as u64
        })
    }
    /// Empties all spaces. No count changes.
    pub fn clear(&self) {
        let gone = self.step(|table, _| table.clear());
        // A million entries take a while to free: not while everybody waits for the lock.
        drop(gone);
    }
    /// What was counted, and what there is.
    pub fn stats(&self) -> CacheStats {
        self.step(|table, _| table.stats())
    }

    /// All entries as they stand, the least recently used first. Changes nothing.
    pub fn saved(&self) -> Vec<CacheEntry> {
        self.step(|table, now| table.all(now))
    }
    /// Puts back entries that were saved, each as if it was used after those before it. Counts nothing.
    pub fn restore(&self, saved: impl IntoIterator<Item = CacheEntry>) {
        let saved: Vec<_> = saved.into_iter().collect();
        self.step(|table, now| saved.into_iter().for_each(|entry| table.restore(now, entry)));
    }

    /// Follows what happens to entries from now on.
    pub fn follow(&self) -> broadcast::Receiver<CacheEvent> {
        let mut table = self.0.table.lock();
        table.followed = true;
        self.0.events.subscribe()
    }
    /// Expires what falls due, though nobody asks. Never completes.
    pub async fn keep_expiring(&self) {
        loop {
            self.0.clock.sleep(SWEEP_EVERY).await;
            let due = self.0.table.lock().next_deadline().is_some_and(|at| at <= self.0.clock.steady_ms());
            if due {
                self.step(|_, _| ());
            }
        }
    }

    /// One step: what is due expires, the step is done, and who follows hears of it in the order it happened.
    fn step<T>(&self, step: impl FnOnce(&mut Table, u64) -> T) -> T {
        let mut table = self.0.table.lock();
        // Read under the lock, so that time does not go back from one step to the next.
        let now = self.0.clock.steady_ms();
        table.expire(now);
        let done = step(&mut table, now);
        for event in table.happened.drain(..) {
            // Nobody follows any more: then nobody misses it.
            self.0.events.send(event).ok();
        }
        table.followed = self.0.events.receiver_count() > 0;
        done
    }
}

#[cfg(test)]
impl Cache {
    pub(super) fn step_for_tests<T>(&self, step: impl FnOnce(&Table) -> T) -> T {
        self.step(|table, _| step(table))
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
