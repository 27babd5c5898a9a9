//! What the engine keeps in memory of collections: the ids it may give out, and the indexes that were asked for.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use foldhash::fast::RandomState;
use manifold_store::{Batch, Store, Table, View};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::{
    Error, Result, codec,
    keys::{self, RowKey},
    live::Live,
    types::index::Index,
};

const ENCODING: u8 = 1;
/// Ids put aside at a time: one more commit for so many new collections.
const IDS: u64 = 1024;

/// The collections, as far as they are known in memory.
#[derive(Debug)]
pub(crate) struct Collections {
    ids: Mutex<Ids>,
    /// Whether there ever was a collection.
    used: AtomicBool,
    /// By the collection's id.
    indexes: RwLock<HashMap<u64, Arc<Mutex<Index>>, RandomState>>,
    /// How many there are: most of the time none, and then no writer has to look.
    indexed: AtomicUsize,
    /// There is something to remove.
    pub(crate) gone: Notify,
}

/// The ids that may be given out.
#[derive(Debug)]
struct Ids {
    next: u64,
    /// Ids below it are put aside: the log says that they may be in use.
    end: u64,
}

/// What becomes of memory when a transaction is committed.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// A collection was removed with its elements still in place.
    pub(crate) gone: bool,
    /// Collections that expired.
    pub(crate) expired: u64,
    /// Rows of indexed collections that are new, or that go.
    moves: Vec<Move>,
    /// Collections that were removed.
    pub(crate) removed: Vec<u64>,
}

/// A row that is new in the order of a collection, or goes.
#[derive(Debug)]
struct Move {
    table: Table,
    row: RowKey,
    new: bool,
}

impl Collections {
    pub(crate) fn recover(store: &Store) -> Result<Self> {
        let row = store.get(View::Latest, keys::META, keys::META_COLLECTION);
        let end = row.map(|row| {
            codec::read_number_head(ENCODING, row.head())
                .ok_or_else(|| Error::unreadable("the next id of a collection"))
        });
        let end = end.transpose()?.unwrap_or(1);
        let gone = Notify::new();
        // What the last run left to remove.
        gone.notify_one();
        Ok(Collections {
            ids: Mutex::new(Ids { next: end, end }),
            used: AtomicBool::new(end > 1),
            indexes: RwLock::default(),
            indexed: AtomicUsize::new(0),
            gone,
        })
    }

    /// Whether there may be, or have been, a collection.
    pub(crate) fn were_used(&self) -> bool {
        self.used.load(Ordering::SeqCst)
    }

    /// An id that no collection has or had.
    pub(crate) fn next_id(&self, store: &Store) -> Result<u64> {
        let mut ids = self.ids.lock();
        if ids.next == ids.end {
            // A frame of its own, before those of all who use them: whatever a crash leaves, it leaves this.
            let end = ids.end + IDS;
            let mut batch = Batch::new();
            batch.put(keys::META, keys::META_COLLECTION, &codec::number_head(ENCODING, end), &[]);
            store.commit(batch)?;
            ids.end = end;
            self.used.store(true, Ordering::SeqCst);
        }
        ids.next += 1;
        Ok(ids.next - 1)
    }
}

/// Indexes. Whoever makes, fills or follows one holds the lock of the collection's key.
impl Collections {
    /// The index of a collection, perhaps not yet filled.
    pub(crate) fn index(&self, id: u64) -> Arc<Mutex<Index>> {
        if let Some(index) = self.find_index(id) {
            return index;
        }
        let mut indexes = self.indexes.write();
        let index = indexes.entry(id).or_default().clone();
        self.indexed.store(indexes.len(), Ordering::SeqCst);
        index
    }

    fn find_index(&self, id: u64) -> Option<Arc<Mutex<Index>>> {
        (self.indexed.load(Ordering::SeqCst) > 0).then(|| self.indexes.read().get(&id).cloned()).flatten()
    }

    /// Drops indexes that nobody used since the last call.
    pub(crate) fn drop_idle_indexes(&self) {
        if self.indexed.load(Ordering::SeqCst) > 0 {
            // Who uses one has taken it out of the map, under the lock of its key: then it stays.
            self.retain_indexes(|_, index| Arc::strong_count(index) > 1 || index.lock().was_used());
        }
    }

    fn retain_indexes(&self, mut keep: impl FnMut(u64, &Arc<Mutex<Index>>) -> bool) {
        let mut indexes = self.indexes.write();
        indexes.retain(|id, index| keep(*id, index));
        self.indexed.store(indexes.len(), Ordering::SeqCst);
    }

    #[cfg(test)]
    pub(crate) fn indexes(&self) -> usize {
        self.indexes.read().len()
    }
}

impl Traces {
    /// A row is new in the order of a collection.
    pub(crate) fn placed(&mut self, live: &Live, table: Table, row: &[u8]) {
        self.moved(live, table, row, true);
    }

    /// A row goes from the order of a collection.
    pub(crate) fn unplaced(&mut self, live: &Live, table: Table, row: &[u8]) {
        self.moved(live, table, row, false);
    }

    fn moved(&mut self, live: &Live, table: Table, row: &[u8], new: bool) {
        if live.collections.indexed.load(Ordering::SeqCst) > 0 {
            self.moves.push(Move { table, row: RowKey::from_slice(row), new });
        }
    }

    /// The transaction is committed; the locks of its keys are held.
    pub(crate) fn follow(self, live: &Live) {
        if self.gone {
            live.collections.gone.notify_one();
        }
        let collections = &live.collections;
        for Move { row, new, .. } in &self.moves {
            if let Some(index) = row.get(..8).and_then(keys::read_number).and_then(|id| collections.find_index(id)) {
                index.lock().follow(row, *new);
            }
        }
        for Move { table, row, .. } in self.moves.iter().filter(|moved| moved.new) {
            if let Some(index) = row.get(..8).and_then(keys::read_number).and_then(|id| collections.find_index(id)) {
                index.lock().split_at(&live.store, *table, row);
            }
        }
        if !self.removed.is_empty() && collections.indexed.load(Ordering::SeqCst) > 0 {
            collections.retain_indexes(|id, _| !self.removed.contains(&id));
        }
        if self.expired > 0 {
            live.counters.collections_expired(self.expired);
        }
    }
}
