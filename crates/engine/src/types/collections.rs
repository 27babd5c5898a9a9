//! What the engine keeps in memory of collections: the ids it may give out, and who has work to do.

use manifold_store::{Batch, Store, View};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Error, Result, codec, keys, live::Live};

const ENCODING: u8 = 1;
/// Ids put aside at a time: one more commit for so many new collections.
const IDS: u64 = 1024;

/// The collections, as far as they are known in memory.
#[derive(Debug)]
pub(crate) struct Collections {
    ids: Mutex<Ids>,
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
        Ok(Collections { ids: Mutex::new(Ids { next: end, end }), gone })
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
        }
        ids.next += 1;
        Ok(ids.next - 1)
    }
}

impl Traces {
    /// The transaction is committed; the locks of its keys are held.
    pub(crate) fn follow(self, live: &Live) {
        if self.gone {
            live.collections.gone.notify_one();
        }
        if self.expired > 0 {
            live.counters.collections_expired(self.expired);
        }
    }
}
