//! What exists once the store is open: shared by the verbs, the workers, and every reader that stays.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use manifold_store::{Batch, Store, Table, View};
use tokio::sync::{SetOnce, watch};

use crate::{
    Clock, Error, Kind, Limits, Retention,
    documents::DocumentsUpkeep,
    feed::{Change, ChangeOp, Feed},
    keys,
    namespaces::Known,
    pubsub::PubSub,
    queue::Queues,
    recache::Recache,
    series::{Rules, Spaces},
    stream::Streams,
    timers::Timers,
    txn::Locks,
    types::Collections,
};

/// What a row counts beside its bytes: about what its place in the index takes.
pub(crate) const ROW_BYTES: u64 = 100;

/// What the engine remembers beside what clients keep.
const NOT_ACCOUNTED: [Table; 3] = [keys::FEED, keys::TOMB, keys::TOMB_ORDER];

/// The running engine. Locks are taken in this order: keys, a queue, hosts of the recache model or those of a stream or of time series, ids of
/// collections, namespaces, the feed's turn, the store's own; that of a collection's index is taken under its key's.
pub(crate) struct Live {
    pub(crate) store: Store,
    pub(crate) feed: std::sync::Arc<Feed>,
    pub(crate) timers: Timers,
    pub(crate) streams: Streams,
    pub(crate) series: Spaces,
    pub(crate) series_retention: Rules,
    pub(crate) locks: Locks,
    pub(crate) namespaces: Known,
    pub(crate) queues: Queues,
    pub(crate) recache: Recache,
    pub(crate) collections: Collections,
    pub(crate) pubsub: PubSub,
    /// Kept in a file of their own, by a thread of their own: only their purge is the workers'.
    pub(crate) documents: Arc<SetOnce<DocumentsUpkeep>>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) retention: Retention,
    pub(crate) counters: Counters,
    /// True from the moment the engine is told to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Live {
    /// Whether the engine was told to stop.
    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// What `future` gives, or `None` when the engine is told to stop first.
    pub(crate) async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            // An engine that is gone has stopped too.
            _ = stop.wait_for(|stop| *stop) => None,
            done = future => Some(done),
        }
    }

    /// Bytes of everything that clients keep here: values, elements, messages, records, points and their names. What the
    /// engine remembers beside them has bounds of its own, and a deletion adds to it: if it counted, deleting could not
    /// make room.
    pub(crate) fn accounted_bytes(&self) -> u64 {
        let (rows, bytes) = self.store.data_without(&NOT_ACCOUNTED);
        bytes + rows * ROW_BYTES + self.series.totals.memory_bytes()
    }

    /// Whether clients keep as much as they may.
    pub(crate) fn is_at_memory_limit(&self) -> bool {
        let limit = self.limits.memory_bytes;
        limit > 0 && self.accounted_bytes() >= limit
    }

    /// What is said of growth then.
    pub(crate) fn memory_is_full(&self) -> Error {
        let limit = self.limits.memory_bytes;
        Error::new(Kind::Full, format!("the memory limit of {limit} bytes is reached"))
    }

    /// Whether a batch leaves more bytes behind than there were, counted as [`Live::accounted_bytes`].
    pub(crate) fn grows_by(&self, batch: &Batch) -> bool {
        let writes = batch.writes().filter(|(table, ..)| !NOT_ACCOUNTED.contains(table));
        // Of several writes to a row the last one counts.
        let last: HashMap<(u8, &[u8]), Option<usize>, RandomState> =
            writes.map(|(table, key, bytes)| ((table.0, key), bytes)).collect();
        let row = |key: &[u8], bytes: usize| (key.len() + bytes) as u64 + ROW_BYTES;
        let (mut before, mut after) = (0, 0);
        for ((table, key), bytes) in last {
            after += bytes.map_or(0, |bytes| row(key, bytes));
            let found = self.store.get(View::Latest, Table(table), key);
            before += found.map_or(0, |found| row(key, found.head().len() + found.body_len()));
        }
        after > before
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    expired: AtomicU64,
    conflicts: AtomicU64,
    worker_failures: AtomicU64,
}

impl Counters {
    pub(crate) fn expired(&self, changes: &[std::sync::Arc<Change>]) {
        let expired = changes.iter().filter(|change| change.op == ChangeOp::Expire).count();
        if expired > 0 {
            self.expired.fetch_add(expired as u64, Ordering::Relaxed);
        }
    }

    /// So many collections expired.
    pub(crate) fn collections_expired(&self, expired: u64) {
        self.expired.fetch_add(expired, Ordering::Relaxed);
    }

    /// A verb was refused.
    pub(crate) fn refused(&self, error: &Error) {
        if matches!(error.kind(), Kind::Conflict { .. }) {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn worker_failed(&self) {
        self.worker_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Keys expired, conditions refused, workers failed.
    pub(crate) fn read(&self) -> Counted {
        Counted {
            expired: self.expired.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            worker_failures: self.worker_failures.load(Ordering::Relaxed),
        }
    }
}

/// What the counters stand at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) expired: u64,
    pub(crate) conflicts: u64,
    pub(crate) worker_failures: u64,
}
