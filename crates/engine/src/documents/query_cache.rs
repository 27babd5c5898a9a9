//! Results of queries under keys, with tags that they are invalidated by: a bounded level in memory in front of rows of
//! the reserved space. Both give the same answers; rows survive a restart.
//!
//! An entry shows at once when it is put and is acknowledged when its row is durable. The durable level is bounded too:
//! beyond [`ROWS`] entries those that were written first go.

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{Documents, tx::Tx};
use crate::{Clock, Result, cache::CacheLimits};

mod entry;
mod memory;
mod rows;

#[cfg(test)]
mod tests;

pub use entry::Cached;

use entry::Entry;
use memory::{Memory, Put, Sweep};

/// Most bytes of the level in memory.
const MEMORY_BYTES: u64 = 64 << 20;
/// Most entries of the durable level.
const ROWS: u64 = 1_000_000;
/// So many go at once when there are more, so that rows are counted once in as many puts.
const ROWS_AT_ONCE: u64 = 1024;

/// The cache of query results. Cheap to clone.
#[derive(Clone)]
pub struct QueryCache(Arc<Shared>);

struct Shared {
    documents: Documents,
    memory: Arc<Memory>,
    rows: Rows,
    clock: Clock,
    hits: AtomicU64,
    misses: AtomicU64,
    invalidations: AtomicU64,
}

/// What was counted since the start, and what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryCacheStats {
    /// Live entries.
    pub entries: u64,
    /// Reads that found something.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Entries that were invalidated.
    pub invalidations: u64,
}

/// What an invalidation is about: entries with any of the tags, and the one of the key.
#[derive(Debug, Default)]
struct Doomed {
    tags: HashSet<String>,
    key: Option<String>,
}

impl Doomed {
    fn includes(&self, key: &[u8], entry: &Entry) -> bool {
        let named = self.key.as_ref().is_some_and(|doomed| doomed.as_bytes() == key);
        named || entry.cached.tags.iter().any(|tag| self.tags.contains(tag))
    }
}

impl QueryCache {
    /// The cache whose rows are in `documents`; holds `entries` in memory.
    pub fn new(documents: Documents, entries: usize, clock: Clock) -> Self {
        let limits = CacheLimits { entries, bytes: MEMORY_BYTES, ttl_ms: 0 };
        let memory = Arc::new(Memory::new(limits, clock.clone()));
        let rows = Rows { known: AtomicU64::default(), most: ROWS };
        let (hits, misses, invalidations) = Default::default();
        QueryCache(Arc::new(Shared { documents, memory, rows, clock, hits, misses, invalidations }))
    }

    /// The entry of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Cached>> {
        let found = match self.0.memory.get(key) {
            Some(cached) => Some(cached),
            None => self.read(key).await?,
        };
        let counter = if found.is_some() { &self.0.hits } else { &self.0.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(found)
    }

    /// The entry of a key when it is in memory, as one that was just put is. Counts nothing.
    pub fn peek(&self, key: &str) -> Option<Cached> {
        self.0.memory.get(key)
    }

    async fn read(&self, key: &str) -> Result<Option<Cached>> {
        let seen = self.0.memory.seen(key);
        let asked = key.to_owned();
        let row = self.0.documents.read(move |tx| rows::find(tx, &asked)).await?;
        let Some(entry) = row.filter(|entry| entry.is_live(self.0.clock.now())) else { return Ok(None) };
        self.0.memory.fill(key, seen, &entry);
        Ok(Some(entry.cached))
    }

    /// Keeps a JSON text under a key, for so many milliseconds; none or 0 = until it is removed. Readers find it from now
    /// on; what is given back completes when it is durable.
    pub fn put(
        &self,
        key: &str,
        data: Bytes,
        tags: Vec<String>,
        ttl_ms: Option<u64>,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        let now = self.0.clock.now();
        let cached = Cached { data, tags, stored_at: now };
        let entry = Arc::new(Entry { cached, expires_at: now.deadline(ttl_ms.unwrap_or(0)) });
        let put = self.0.memory.put(Bytes::copy_from_slice(key.as_bytes()), entry.clone());
        let (shared, key) = (self.0.clone(), key.to_owned());
        async move {
            let documents = shared.documents.clone();
            let written = documents.write(move |tx| shared.write(tx, &key, &entry, put)).await?;
            written.put.landed();
            Ok(())
        }
    }

    /// Removes the entries that have any of the tags, and the one of the key; how many of them were live.
    pub async fn invalidate(&self, tags: &[String], key: Option<&str>) -> Result<u64> {
        let doomed = Doomed { tags: tags.iter().cloned().collect(), key: key.map(str::to_owned) };
        let shared = self.0.clone();
        let removed = self.0.documents.write(move |tx| shared.remove(tx, &doomed)).await?;
        self.0.invalidations.fetch_add(removed.live, Ordering::Relaxed);
        Ok(removed.live)
    }

    /// Removes everything.
    pub async fn clear(&self) -> Result<()> {
        let shared = self.0.clone();
        let sweep = self.0.documents.write(move |tx| {
            shared.memory.cancel(|_, _| true);
            let sweep = shared.memory.sweep_all();
            rows::clear(tx)?;
            Ok(sweep)
        });
        sweep.await.map(drop)
    }

    /// What was counted, and what there is.
    pub async fn stats(&self) -> Result<QueryCacheStats> {
        let entries =
            self.0.documents.read_long(|tx| Ok(rows::count(tx)?.saturating_sub(rows::count_expired(tx)?))).await?;
        let [hits, misses, invalidations] =
            [&self.0.hits, &self.0.misses, &self.0.invalidations].map(|counter| counter.load(Ordering::Relaxed));
        Ok(QueryCacheStats { entries, hits, misses, invalidations })
    }
}

/// What a put came to. Fields are dropped in their order: the put first, which may have to take back what it shows.
struct Written {
    put: Put,
    /// Entries that had to make room.
    _pushed_out: Sweep,
}

/// What a removal came to.
struct Removed {
    live: u64,
    _sweep: Sweep,
}

/// Steps of the writer.
impl Shared {
    fn write(&self, tx: Tx<'_>, key: &str, entry: &Entry, put: Put) -> Result<Written> {
        let mut pushed_out = self.memory.sweep();
        if put.is_wanted() {
            let replaced = rows::write(tx, key, entry)?;
            put.written();
            if !replaced {
                self.rows.one_more(tx, &mut pushed_out)?;
            }
        }
        Ok(Written { put, _pushed_out: pushed_out })
    }

    fn remove(&self, tx: Tx<'_>, doomed: &Doomed) -> Result<Removed> {
        let mut sweep = self.memory.sweep();
        let cancelled = self.memory.cancel(|key, entry| doomed.includes(key, entry));
        let overridden: HashSet<Bytes> = cancelled.overridden.into_iter().collect();
        let mut live: HashSet<Bytes> = cancelled.live.into_iter().collect();
        live.iter().cloned().for_each(|key| sweep.add(key));
        for deleted in rows::remove(tx, doomed)? {
            let key = Bytes::from(deleted.key);
            if deleted.live && !overridden.contains(&key) {
                live.insert(key.clone());
            }
            sweep.add(key);
        }
        Ok(Removed { live: live.len() as u64, _sweep: sweep })
    }
}

/// Keeps the number of rows within its bound. Only the writer's thread uses it.
#[derive(Debug)]
struct Rows {
    /// At most how many there are, or 0 while nobody has counted. It is not told of removals, so rows are counted before
    /// any is pushed out.
    known: AtomicU64,
    most: u64,
}

impl Rows {
    /// There is a row more: makes room when there are too many.
    fn one_more(&self, tx: Tx<'_>, pushed_out: &mut Sweep) -> Result<()> {
        let known = self.known.load(Ordering::Relaxed);
        if (1..self.most).contains(&known) {
            self.known.store(known + 1, Ordering::Relaxed);
            return Ok(());
        }
        let mut count = rows::count(tx)?;
        if count > self.most {
            let keys = rows::remove_oldest(tx, count - self.most + ROWS_AT_ONCE.min(self.most / 2))?;
            count -= keys.len() as u64;
            keys.into_iter().for_each(|key| pushed_out.add(key.into()));
        }
        self.known.store(count, Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Debug for QueryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryCache").finish_non_exhaustive()
    }
}
