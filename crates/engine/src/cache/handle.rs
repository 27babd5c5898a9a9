//! The handle: one method per verb, each one step under the lock.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::broadcast;

use super::{
    CacheEntry, CacheEvent, CacheLimits, CacheSet, CacheStats, Counted, Exchanged, KeyPage, KeysAfter, paging::Walk,
    table::Table,
};
use crate::Clock;

/// Events that a follower may be behind; one that is further behind is told so.
const EVENTS: usize = 16 << 10;
/// What is due is looked for this often, so that its followers hear of it.
const SWEEP_EVERY: Duration = Duration::from_millis(50);
/// Entries gathered under the lock at one time.
const PIECE: usize = 512;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    /// Held by who gathers all entries.
    saving: Mutex<()>,
    events: broadcast::Sender<CacheEvent>,
    clock: Clock,
}

impl Cache {
    /// An empty one.
    pub fn new(limits: CacheLimits, clock: Clock) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        let table = Mutex::new(Table::new(limits));
        Cache(Arc::new(Shared { table, saving: Mutex::new(()), events, clock }))
    }

    /// The value of a key. Counts as a use of it.
    pub fn get(&self, space: &[u8], key: &[u8]) -> Option<Bytes> {
        self.step(|table| table.get(space, key))
    }
    /// The values of keys in one step, used in the order asked.
    pub fn get_many(&self, space: &[u8], keys: &[impl AsRef<[u8]>]) -> Vec<Option<Bytes>> {
        self.step(|table| keys.iter().map(|key| table.get(space, key.as_ref())).collect())
    }
    /// Writes values in one step.
    pub fn set<'a>(&self, entries: impl IntoIterator<Item = CacheSet<'a>>) {
        self.step(|table| entries.into_iter().for_each(|entry| table.set(entry)));
    }
    /// Deletes keys in one step; how many were there.
    pub fn delete(&self, space: &[u8], keys: &[impl AsRef<[u8]>]) -> u64 {
        self.step(|table| keys.iter().filter(|key| table.delete(space, key.as_ref())).count() as u64)
    }
    /// Adds to a value that is an integer: only the sum has to be one of 64 bits. It keeps its deadline.
    pub fn increment(&self, space: &[u8], key: &[u8], by: i128) -> Counted {
        self.step(|table| table.count(space, key, by))
    }
    /// Writes a value if the key is at `version`. It keeps its deadline.
    pub fn exchange(&self, space: &[u8], key: &[u8], value: Bytes, version: u64) -> Exchanged {
        self.step(|table| table.exchange(space, key, value, version))
    }
    /// Gives an entry another deadline, so many milliseconds from now; 0 = none. False when there is none.
    pub fn touch(&self, space: &[u8], key: &[u8], ttl_ms: u64) -> bool {
        self.step(|table| table.touch(space, key, ttl_ms))
    }
    /// An entry as it stands. Counts neither as a use nor as a read.
    pub fn look(&self, space: &[u8], key: &[u8]) -> Option<CacheEntry> {
        self.step(|table| table.look(space, key))
    }
    /// A page of the keys of a space. Others get their turn between pieces of the walk.
    pub async fn keys(&self, space: &[u8], page: KeysAfter) -> KeyPage {
        let mut walk = Walk::new(page);
        loop {
            let piece = self.step(|table| walk.look(table, space));
            if let Some(page) = walk.take(piece) {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }
    /// The spaces that have entries, with how many, in byte order.
    pub fn spaces(&self) -> Vec<(Bytes, u64)> {
        let mut spaces: Vec<_> = self.settled(|table| {
            let spaces = table.entries.spaces.iter();
            spaces.map(|space| (space.name.clone(), space.created.len() as u64)).collect()
        });
        spaces.sort_unstable();
        spaces
    }
    /// Deletes all entries of a space; how many there were.
    pub fn clear_space(&self, space: &[u8]) -> u64 {
        self.settled(|table| table.clear_space(space))
    }
    /// Empties all spaces. No count changes.
    pub async fn clear(&self) {
        let gone = self.settled(Table::clear);
        // A million entries take a while to free: nobody waits for the lock meanwhile, and no task for this thread.
        tokio::task::spawn_blocking(|| drop(gone)).await.ok();
    }
    /// The same where blocking is allowed.
    pub(super) fn forget(&self) {
        drop(self.settled(Table::clear));
    }
    /// What was counted, and what there is.
    pub fn stats(&self) -> CacheStats {
        self.settled(|table| table.stats())
    }

    /// All entries as they stand at one moment, the least recently used first. Changes nothing and holds up nobody, but
    /// takes its time: not for a thread that others wait for.
    pub fn saved(&self) -> Vec<CacheEntry> {
        let _one_at_a_time = self.0.saving.lock();
        self.step(Table::begin_cut);
        loop {
            if let Some(cut) = self.step(|table| table.gather(PIECE)) {
                return cut.finish();
            }
            std::thread::yield_now();
        }
    }
    /// Puts back an entry that was saved, as if it was used just now. Counts nothing.
    pub fn restore(&self, saved: CacheEntry) {
        self.step(|table| table.restore(saved));
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
            while due && self.step(|table| table.is_behind()) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// One step, which who follows hears of in the order it happened.
    fn step<T>(&self, step: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.begin();
        self.end(&mut table, step)
    }

    /// One step over what lives: all that is due expires first, with others in between.
    fn settled<T>(&self, step: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.begin();
        while table.is_behind() {
            self.end(&mut table, |_| ());
            MutexGuard::bump(&mut table);
            table.begin(self.0.clock.steady_ms());
        }
        self.end(&mut table, step)
    }

    fn begin(&self) -> MutexGuard<'_, Table> {
        let mut table = self.0.table.lock();
        // Read under the lock, so that time does not go back from one step to the next.
        table.begin(self.0.clock.steady_ms());
        table
    }

    fn end<T>(&self, table: &mut Table, step: impl FnOnce(&mut Table) -> T) -> T {
        let done = step(table);
        if table.followed {
            for event in table.happened.drain(..) {
                // Nobody follows any more: then nobody misses it.
                self.0.events.send(event).ok();
            }
            table.followed = self.0.events.receiver_count() > 0;
        }
        done
    }
}

#[cfg(test)]
impl Cache {
    pub(super) fn step_for_tests<T>(&self, step: impl FnOnce(&mut Table) -> T) -> T {
        self.step(|table| step(table))
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
