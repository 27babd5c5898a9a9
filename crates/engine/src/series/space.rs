//! The time series of a namespace, and all namespaces that have some.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use manifold_store::{Seq, Store};
use parking_lot::{Mutex, RwLock};

use crate::{
    Namespace,
    live::Live,
    series::{
        backlog::Backlog,
        buffer::Dropped,
        catalog::{Catalog, Ids, Loaded},
        query::Queries,
        stats::Totals,
        tuning::Tuning,
        upkeep::Upkeep,
    },
};

/// The time series of all namespaces.
pub(crate) struct Spaces {
    by_name: RwLock<HashMap<Namespace, Arc<Space>, RandomState>>,
    /// The id of the next space.
    next_id: AtomicU64,
    /// Ids of measurements and series.
    pub(crate) ids: Ids,
    pub(crate) totals: Totals,
    pub(crate) upkeep: Upkeep,
    pub(crate) queries: Queries,
    pub(crate) tuning: Tuning,
}

/// The time series of a namespace. Its locks are taken in this order: the turn, the catalog, the columns of a series, the
/// backlog. None is held while anything is awaited.
pub(crate) struct Space {
    pub(crate) id: u64,
    pub(crate) namespace: Namespace,
    pub(crate) turn: Mutex<Turn>,
    pub(crate) catalog: RwLock<Catalog>,
    pub(crate) backlog: Mutex<Backlog>,
}

/// Who has it may change what the space holds: chunks are committed and put into buffers one after the other.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The number of the next chunk.
    pub(crate) next_chunk: u64,
    /// The newest frame of the space.
    pub(crate) frame: Seq,
    /// The space has its row.
    pub(crate) founded: bool,
}

impl Spaces {
    /// Those that were found on the disk.
    pub(crate) fn new(loaded: Vec<Loaded>, ids: Ids, tuning: Tuning) -> Self {
        let next_id = loaded.iter().map(|space| space.id + 1).max().unwrap_or(1);
        let totals = Totals::default();
        loaded.iter().for_each(|space| totals.named(0, space.catalog.memory_bytes()));
        let by_name = loaded.into_iter().map(|Loaded { id, namespace, catalog }| {
            let space = Space::new(id, namespace.clone(), catalog, true);
            (namespace, Arc::new(space))
        });
        Spaces {
            by_name: RwLock::new(by_name.collect()),
            next_id: AtomicU64::new(next_id),
            ids,
            totals,
            upkeep: Upkeep::default(),
            queries: Queries::default(),
            tuning,
        }
    }

    /// The space of a namespace, if it has one.
    pub(crate) fn find(&self, namespace: &Namespace) -> Option<Arc<Space>> {
        self.by_name.read().get(namespace).cloned()
    }

    /// The space of a namespace, for a write: made in memory if there is none.
    pub(crate) fn entry(&self, namespace: &Namespace) -> Arc<Space> {
        if let Some(space) = self.find(namespace) {
            return space;
        }
        let mut spaces = self.by_name.write();
        let new = || {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            Arc::new(Space::new(id, namespace.clone(), Catalog::default(), false))
        };
        spaces.entry(namespace.clone()).or_insert_with(new).clone()
    }

    /// All there are.
    pub(crate) fn all(&self) -> Vec<Arc<Space>> {
        self.by_name.read().values().cloned().collect()
    }
}

impl Space {
    fn new(id: u64, namespace: Namespace, catalog: Catalog, founded: bool) -> Self {
        Space {
            id,
            namespace,
            turn: Mutex::new(Turn { next_chunk: 1, frame: 0, founded }),
            catalog: RwLock::new(catalog),
            backlog: Mutex::default(),
        }
    }

    /// At a start: there has been a chunk of this number, and it is in buffers or blocks.
    pub(crate) fn saw_chunk(&self, number: u64) {
        let mut turn = self.turn.lock();
        turn.next_chunk = turn.next_chunk.max(number.saturating_add(1));
        self.backlog.lock().applied(turn.next_chunk - 1);
    }

    /// Points have left a buffer for blocks that are durable, or for good.
    pub(crate) fn dropped(self: &Arc<Self>, live: &Live, dropped: &Dropped) {
        live.series.totals.dropped(dropped);
        if self.backlog.lock().release(&dropped.chunks) {
            live.series.upkeep.done(self);
        }
    }

    /// Changes the catalog, and counts what it takes.
    pub(crate) fn change_names(&self, live: &Live, change: impl FnOnce(&mut Catalog)) {
        let mut catalog = self.catalog.write();
        let before = catalog.memory_bytes();
        change(&mut catalog);
        live.series.totals.named(before, catalog.memory_bytes());
    }

    /// The newest chunk that a reader may see.
    pub(crate) fn cut(&self, store: &Store) -> u64 {
        self.backlog.lock().cut(store.durable_seq())
    }
}
