//! The handle every dialect holds: one method per verb.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Clock, Key, Level, Limits, Namespace, Result, Retention, Timestamp,
    feed::{Changes, FeedPage, Filter, Follower, Start},
    kv::{Delete, Entry, List, Op, Outcome, Page, Put, Scan},
};

/// How an engine is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; created if absent.
    pub dir: PathBuf,
    /// Durability of every acknowledgement.
    pub level: Level,
    /// Time between fsyncs at `Level::Interval`.
    pub interval: Duration,
    /// Bounds.
    pub limits: Limits,
    /// Retention of the feed.
    pub retention: Retention,
    /// Where time comes from.
    pub clock: Clock,
}

impl Options {
    /// The product's defaults.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Options {
            dir: dir.into(),
            level: Level::Always,
            interval: Duration::from_secs(1),
            limits: Limits::default(),
            retention: Retention::default(),
            clock: Clock::system(),
        }
    }
}

/// Something read, and the feed's head of the state it was read from.
#[derive(Debug, Clone)]
pub struct Cut<T> {
    /// Every change up to and including this one is contained, none after it.
    pub head: u64,
    /// What was read, or done.
    pub it: T,
}

/// What the engine can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The log is replayed; every verb answers `Closed`.
    Starting,
    /// Everything works.
    Ready,
    /// The disk is full: growth answers `Full`, the rest works; heals by itself.
    DiskFull,
    /// A write failed, writes answer `Storage` until a restart; reads work. The process should exit with 74.
    Failed(String),
    /// Shutting down.
    Stopping,
}

/// Numbers for metrics.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Live keys (those due but not yet swept included).
    pub kv_entries: u64,
    /// Remembered versions of removed keys.
    pub kv_tombstones: u64,
    /// Newest number of the feed.
    pub feed_head: u64,
    /// Oldest number kept; head + 1 when empty.
    pub feed_oldest: u64,
    /// Bytes of the records kept.
    pub feed_bytes: u64,
    /// Keys that expired since the start.
    pub expired_total: u64,
    /// Writes refused by their condition since the start.
    pub conflicts_total: u64,
    /// The store's own numbers.
    pub store: manifold_store::Stats,
}

/// The handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {}

impl Engine {
    /// Starts opening `options.dir` in the background and returns at once; until [`Engine::recovered`] completes every
    /// verb answers `Closed`. Needs a tokio runtime.
    pub fn open(options: Options) -> Engine {
        todo!("{options:?}")
    }
    /// Completes when the log is replayed and everything that fell due meanwhile has expired; the error says which
    /// file refused and why.
    pub async fn recovered(&self) -> std::result::Result<(), std::sync::Arc<crate::OpenError>> {
        todo!()
    }
    /// What works now.
    pub fn state(&self) -> State {
        todo!()
    }
    /// Refuses new verbs with `Closed`, ends waits and followers, stops the workers, writes and syncs everything.
    /// `Err` when the log had failed.
    pub async fn close(&self) -> Result<()> {
        todo!()
    }
    /// Now, by the clock that deadlines are judged by.
    pub fn now(&self) -> Timestamp {
        todo!()
    }
    /// Numbers for metrics.
    pub fn stats(&self) -> Stats {
        todo!()
    }

    /// Writes a value; the answer is the new entry, durable.
    pub async fn put(&self, namespace: &Namespace, put: Put) -> Result<Entry> {
        todo!("{namespace:?} {put:?}")
    }
    /// Deletes a key; `None` when it was absent. The cut's head is the change's own number, or the head.
    pub async fn delete(&self, namespace: &Namespace, delete: Delete) -> Result<Cut<Outcome>> {
        todo!("{namespace:?} {delete:?}")
    }
    /// Applies all operations in order as one change of state, or none: the error then names the operation. One
    /// outcome each; the cut's head is the last change's number, or the head.
    pub async fn batch(&self, operations: Vec<Op>) -> Result<Cut<Vec<Outcome>>> {
        todo!("{operations:?}")
    }
    /// One live key.
    pub fn get(&self, namespace: &Namespace, key: &Key) -> Result<Cut<Option<Entry>>> {
        todo!("{namespace:?} {key:?}")
    }
    /// Several keys of one cut, in the order asked.
    pub fn get_many(&self, keys: &[(Namespace, Key)]) -> Result<Cut<Vec<Option<Entry>>>> {
        todo!("{keys:?}")
    }
    /// A page of live keys of one namespace.
    pub fn list(&self, namespace: &Namespace, list: List) -> Result<Cut<Page>> {
        todo!("{namespace:?} {list:?}")
    }
    /// All live keys of a namespace that start with `prefix`, as one cut, in pieces.
    pub fn scan(&self, namespace: &Namespace, prefix: &[u8], keys_only: bool) -> Result<Scan> {
        todo!("{namespace:?} {prefix:?} {keys_only:?}")
    }
    /// All live keys of the namespaces at or below `tree` (`""` = all), as one cut, in pieces, with their namespaces.
    pub fn scan_tree(&self, tree: &[u8], prefix: &[u8], keys_only: bool) -> Result<TreeScan> {
        todo!("{tree:?} {prefix:?} {keys_only:?}")
    }

    /// A page of the feed; with `wait`, completes when there is a matching change or the time is up (or at once with
    /// an empty page when the engine stops).
    pub async fn changes(&self, changes: Changes) -> Result<FeedPage> {
        todo!("{changes:?}")
    }
    /// A cursor over the feed.
    pub fn follow(&self, start: Start, filter: Filter) -> Result<Follower> {
        todo!("{start:?} {filter:?}")
    }
    /// Newest number of the feed (durable).
    pub fn head(&self) -> Result<u64> {
        todo!()
    }
    /// Waits until the head is at least `seq`; false when `timeout` passed first.
    pub async fn reach(&self, seq: u64, timeout: Duration) -> Result<bool> {
        todo!("{seq} {timeout:?}")
    }
}

/// As [`Scan`], over a tree of namespaces.
#[derive(Debug)]
pub struct TreeScan {}

impl TreeScan {
    /// The feed's head at that instant.
    pub fn head(&self) -> u64 {
        todo!()
    }
    /// The next entries with their namespaces, in byte order of namespace, then key; none = the end.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<(Namespace, Entry)>>> {
        todo!()
    }
}

/// Checks a data directory that no process has open: a line per finding, or what refuses.
pub fn verify(dir: &Path) -> std::result::Result<Vec<String>, crate::OpenError> {
    todo!("{dir:?}")
}
