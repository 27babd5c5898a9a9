//! What exists once the store is open: shared by the verbs, the workers, and every reader that stays.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use manifold_store::Store;
use tokio::sync::{SetOnce, watch};

use crate::{
    Clock, Error, Kind, Limits, Result, Retention,
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

/// What a row counts beside its bytes: about what its key and its place in the index take.
pub(crate) const ROW_BYTES: u64 = 100;

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
        let (rows, bytes) = self.store.data_without(&[keys::FEED, keys::TOMB]);
        bytes + rows * ROW_BYTES + self.series.totals.memory_bytes()
    }

    /// Refuses growth beyond the memory limit.
    pub(crate) fn check_memory(&self) -> Result<()> {
        let limit = self.limits.memory_bytes;
        if limit > 0 && self.accounted_bytes() >= limit {
            return Err(Error::new(Kind::Full, format!("the memory limit of {limit} bytes is reached")));
        }
        Ok(())
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
