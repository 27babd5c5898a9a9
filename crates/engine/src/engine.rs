//! The handle every dialect holds: one method per verb.

use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use manifold_store::{OpenError, Store, disk::RealDisk};
use parking_lot::Mutex;
use tokio::{
    sync::{SetOnce, watch},
    task::JoinHandle,
};

use crate::{
    Clock, Error, Key, Kind, Level, Limits, Namespace, Result, Retention, Timestamp, backup,
    documents::DocumentsUpkeep,
    feed::{self, Changes, FeedPage, Filter, Follower, Start},
    keys,
    kv::{
        self, Delete, Edit, Entry, Increment, Incremented, List, Op, Outcome, Page, Put, Revision, Scan, Swapped,
        TreeScan,
    },
    live::{Counted, Live},
    namespaces::{self, NamespaceInfo},
    open::{self, Ground},
    series::SeriesRetention,
    types,
    work::Workers,
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
    /// Retention of time series.
    pub series_retention: Vec<SeriesRetention>,
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
            series_retention: Vec::new(),
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
    /// Live keys, whatever they hold (those due but not yet swept included).
    pub kv_entries: u64,
    /// Bytes of what they hold.
    pub key_bytes: u64,
    /// Bytes of everything that clients keep, in memory or on disk: what the memory limit is about. The change feed and
    /// what is remembered of removed keys have bounds of their own.
    pub accounted_bytes: u64,
    /// Remembered versions of removed keys.
    pub kv_tombstones: u64,
    /// Newest number of the feed.
    pub feed_head: u64,
    /// Oldest number kept; head + 1 when empty.
    pub feed_oldest: u64,
    /// Bytes of the records kept.
    pub feed_bytes: u64,
    /// Streams.
    pub streams: u64,
    /// Followers of streams.
    pub stream_followers: u64,
    /// Keys that expired since the start.
    pub expired_total: u64,
    /// Writes refused by their condition since the start.
    pub conflicts_total: u64,
    /// Failures of background workers since the start; each is logged, and tried again.
    pub worker_failures_total: u64,
    /// The store's own numbers.
    pub store: manifold_store::Stats,
}

/// The handle. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    clock: Clock,
    /// Set once everything is recovered: a verb that finds nothing here is too early.
    live: OnceLock<Arc<Live>>,
    documents: Arc<SetOnce<DocumentsUpkeep>>,
    opening: watch::Receiver<Opening>,
    stop: watch::Sender<bool>,
    /// Opens, then waits for the workers to end; taken by whoever closes.
    running: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Clone)]
enum Opening {
    /// The directory may belong to another process.
    Underway,
    /// It is ours; the log is being replayed.
    Claimed,
    Done,
    Refused(Arc<OpenError>),
}

impl Engine {
    /// Starts opening `options.dir` in the background and returns at once; until [`Engine::recovered`] completes every
    /// verb answers `Closed`. Needs a tokio runtime.
    pub fn open(options: Options) -> Engine {
        Engine::open_on(Ground::real(), options)
    }

    /// The same on another ground.
    pub(crate) fn open_on(ground: Ground, options: Options) -> Engine {
        let (opened, opening) = watch::channel(Opening::Underway);
        let engine = Engine(Arc::new(Inner {
            dir: options.dir.clone(),
            clock: options.clock.clone(),
            live: OnceLock::new(),
            documents: Arc::new(SetOnce::new()),
            opening,
            stop: watch::Sender::new(false),
            running: Mutex::new(None),
        }));
        let (stop, documents) = (engine.0.stop.subscribe(), engine.0.documents.clone());
        let told = opened.clone();
        let opening = async move { start(stop, documents, ground, options, &told).await };
        let task = tokio::spawn(run(Arc::downgrade(&engine.0), opened, opening));
        *engine.0.running.lock() = Some(task);
        engine
    }

    /// Completes when the log is replayed and everything that fell due meanwhile has expired; the error says which
    /// file refused and why.
    pub async fn recovered(&self) -> std::result::Result<(), Arc<OpenError>> {
        self.opening(|opening| matches!(opening, Opening::Done)).await
    }

    /// Completes when the data directory is locked for this process, so that what else lies there may be touched; the
    /// error as of [`Engine::recovered`].
    pub async fn claimed(&self) -> std::result::Result<(), Arc<OpenError>> {
        self.opening(|opening| matches!(opening, Opening::Claimed | Opening::Done)).await
    }

    async fn opening(&self, reached: impl Fn(&Opening) -> bool) -> std::result::Result<(), Arc<OpenError>> {
        let mut opening = self.0.opening.clone();
        let ended = |opening: &Opening| reached(opening) || matches!(opening, Opening::Refused(_));
        match opening.wait_for(ended).await.as_deref() {
            Ok(Opening::Refused(error)) => Err(error.clone()),
            Ok(_) => Ok(()),
            // The task that opens went away without a word: the runtime is shutting down, or it panicked.
            Err(_) => Err(Arc::new(interrupted(&self.0.dir))),
        }
    }

    /// What works now.
    pub fn state(&self) -> State {
        if *self.0.stop.borrow() {
            return State::Stopping;
        }
        if let Opening::Refused(error) = &*self.0.opening.borrow() {
            return State::Failed(error.to_string());
        }
        match self.0.live.get().map(|live| live.store.state()) {
            None => State::Starting,
            Some(manifold_store::State::Open) => State::Ready,
            Some(manifold_store::State::Full) => State::DiskFull,
            Some(manifold_store::State::Failed(reason)) => State::Failed(reason),
        }
    }

    /// Refuses new verbs with `Closed`, ends waits and followers, stops the workers, writes and syncs everything.
    /// `Err` when the log had failed.
    pub async fn close(&self) -> Result<()> {
        self.0.stop.send_replace(true);
        let running = self.0.running.lock().take();
        if let Some(running) = running
            && let Err(error) = running.await
        {
            tracing::error!(%error, "the engine's task did not end by itself");
        }
        let Some(live) = self.0.live.get().cloned() else { return Ok(()) };
        let closed = tokio::task::spawn_blocking(move || live.store.close()).await;
        match closed {
            // Closed already: somebody else asked for it too.
            Ok(Ok(()) | Err(manifold_store::Error::Closed)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(Error::new(Kind::Bug, format!("closing the store panicked: {error}"))),
        }
    }

    /// Brings everything committed so far to disk for good, whatever the level of durability.
    pub async fn sync(&self) -> Result<()> {
        let live = self.live()?.clone();
        let synced = tokio::task::spawn_blocking(move || live.store.sync()).await;
        synced.map_err(|error| Error::new(Kind::Bug, format!("syncing the store panicked: {error}")))??;
        Ok(())
    }

    /// Has its workers purge these documents from now on. Only the first that it is told of: there is one file.
    pub fn look_after(&self, upkeep: DocumentsUpkeep) {
        self.0.documents.set(upkeep).ok();
    }

    /// Now, by the clock that deadlines are judged by.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
    /// The same in nanoseconds since 1970-01-01 UTC, as precise as the machine has it.
    pub fn now_nanos(&self) -> i64 {
        self.0.clock.nanos()
    }

    /// The longest value in bytes; 0 until the engine has recovered.
    pub fn value_bytes(&self) -> usize {
        self.0.live.get().map_or(0, |live| live.limits.value_bytes)
    }

    /// Numbers for metrics; zeros until the engine has recovered.
    pub fn stats(&self) -> Stats {
        let Some(live) = self.0.live.get() else { return Stats::default() };
        let Counted { expired, conflicts, worker_failures } = live.counters.read();
        let feed_head = live.feed.published();
        Stats {
            kv_entries: live.store.rows(keys::KV),
            key_bytes: types::stored_bytes(&live.store),
            accounted_bytes: live.accounted_bytes(),
            kv_tombstones: live.store.rows(keys::TOMB),
            feed_head,
            feed_oldest: live.feed.oldest(feed_head),
            feed_bytes: live.store.table_bytes(keys::FEED),
            streams: live.store.rows(keys::STREAM),
            stream_followers: live.streams.followers.load(Ordering::Relaxed),
            expired_total: expired,
            conflicts_total: conflicts,
            worker_failures_total: worker_failures,
            store: live.store.stats(),
        }
    }

    /// The data directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// What exists, whether the engine is stopping or not.
    pub(crate) fn opened(&self) -> Option<&Arc<Live>> {
        self.0.live.get()
    }

    pub(crate) fn live(&self) -> Result<&Arc<Live>> {
        if *self.0.stop.borrow() {
            return Err(Error::new(Kind::Closed, "the engine is stopping"));
        }
        self.0.live.get().ok_or_else(|| Error::new(Kind::Closed, "the engine is starting"))
    }
}

/// The verbs.
impl Engine {
    /// Writes a value; the answer is the new entry, durable.
    pub async fn put(&self, namespace: &Namespace, put: Put) -> Result<Entry> {
        let live = self.live()?;
        kv::put(live, namespace, put).await.inspect_err(|error| live.counters.refused(error))
    }
    /// Writes a value and tells what was there before; a condition that fails is no error but writes nothing. A
    /// collection is not absent either.
    pub async fn swap(&self, namespace: &Namespace, put: Put) -> Result<Swapped> {
        kv::swap(self.live()?, namespace, put).await
    }
    /// Adds to the integer a key holds; an absent one counts from 0.
    pub async fn increment(&self, namespace: &Namespace, increment: Increment) -> Result<Incremented> {
        kv::increment(self.live()?, namespace, increment).await
    }
    /// Changes a part of the text of a value; its length in bytes then. `Invalid` when that would be no UTF-8,
    /// `TooLarge` over the limit.
    pub async fn edit(&self, namespace: &Namespace, edit: Edit) -> Result<u64> {
        kv::edit(self.live()?, namespace, edit).await
    }
    /// Deletes a key; `None` when it was absent. The cut's head is the change's own number, or the head.
    pub async fn delete(&self, namespace: &Namespace, delete: Delete) -> Result<Cut<Outcome>> {
        let live = self.live()?;
        kv::delete(live, namespace, delete).await.inspect_err(|error| live.counters.refused(error))
    }
    /// Applies all operations in order as one change of state, or none: the error then names the operation. One
    /// outcome each; the cut's head is the last change's number, or the head.
    pub async fn batch(&self, operations: Vec<Op>) -> Result<Cut<Vec<Outcome>>> {
        let live = self.live()?;
        kv::batch(live, operations).await.inspect_err(|error| live.counters.refused(error))
    }
    /// One live key; one that holds a collection reads as absent.
    pub fn get(&self, namespace: &Namespace, key: &Key) -> Result<Cut<Option<Entry>>> {
        kv::get(self.live()?, namespace, key)
    }
    /// One live key; `WrongType` when it holds a collection.
    pub fn get_typed(&self, namespace: &Namespace, key: &Key) -> Result<Option<Entry>> {
        kv::get_typed(self.live()?, namespace, key)
    }
    /// One live key, waiting for it at most so long; none when it did not come.
    pub async fn get_or_wait(&self, namespace: &Namespace, key: &Key, wait: Duration) -> Result<Cut<Option<Entry>>> {
        kv::get_or_wait(self.live()?, namespace, key, wait).await
    }
    /// Several keys of one cut, in the order asked. `TooLarge` when their values are over the bound of an answer.
    pub fn get_many(&self, keys: &[(Namespace, Key)]) -> Result<Cut<Vec<Option<Entry>>>> {
        kv::get_many(self.live()?, keys)
    }
    /// The value of a live key and those before it, newest first, as far as the feed keeps them; empty when the key is
    /// not live. At most `limit`; ends before it passes `max_bytes` of values, but holds the newest.
    pub fn history(&self, namespace: &Namespace, key: &Key, limit: usize, max_bytes: usize) -> Result<Vec<Revision>> {
        kv::history(self.live()?, namespace, key, limit, max_bytes)
    }
    /// A page of live keys of one namespace.
    pub fn list(&self, namespace: &Namespace, list: List) -> Result<Cut<Page>> {
        kv::list(self.live()?, namespace, list)
    }
    /// All live keys of a namespace that start with `prefix`, as one cut, in pieces.
    pub fn scan(&self, namespace: &Namespace, prefix: &[u8], keys_only: bool) -> Result<Scan> {
        Ok(Scan::new(self.live()?, namespace, prefix, keys_only))
    }
    /// All live keys of the namespaces at or below `tree` (`""` = all), as one cut, in pieces, with their namespaces.
    pub fn scan_tree(&self, tree: &[u8], prefix: &[u8], keys_only: bool) -> Result<TreeScan> {
        Ok(TreeScan::new(self.live()?, tree, prefix, keys_only))
    }

    /// Creates a namespace; refused with `Conflict` when it exists. A write creates its namespace by itself.
    pub async fn create_namespace(&self, namespace: &Namespace) -> Result<Timestamp> {
        namespaces::create(self.live()?, namespace).await
    }
    /// All namespaces in byte order, with what they hold. Counts every key: meant for people.
    pub async fn namespaces(&self) -> Result<Vec<NamespaceInfo>> {
        namespaces::list(self.live()?).await
    }

    /// A page of the feed; with `wait`, completes when there is a matching change or the time is up (or at once with
    /// an empty page when the engine stops).
    pub async fn changes(&self, changes: Changes) -> Result<FeedPage> {
        feed::page(self.live()?, &changes).await
    }
    /// A cursor over the feed.
    pub fn follow(&self, start: Start, filter: Filter) -> Result<Follower> {
        Ok(Follower::new(self.live()?.clone(), start, filter))
    }
    /// Newest number of the feed (durable).
    pub fn head(&self) -> Result<u64> {
        let live = self.live()?;
        Ok(live.feed.head(&live.store))
    }
    /// Waits until the head is at least `seq`; false when `timeout` passed first, or the engine stopped.
    pub async fn reach(&self, seq: u64, timeout: Duration) -> Result<bool> {
        let live = self.live()?;
        let mut head_moved = live.feed.subscribe();
        let reached = async { while live.feed.head(&live.store) < seq && head_moved.changed().await.is_ok() {} };
        live.clock.timeout(timeout, live.unless_stopped(reached)).await;
        Ok(live.feed.head(&live.store) >= seq)
    }
}

/// Opens, announces, and stays until the workers have ended. Holds the engine only weakly: an engine that nobody holds
/// any more stops.
async fn run(
    engine: std::sync::Weak<Inner>,
    opened: watch::Sender<Opening>,
    opening: impl Future<Output = std::result::Result<Arc<Live>, OpenError>>,
) {
    let workers = match opening.await {
        Ok(live) => {
            let workers = Workers::start(&live);
            if let Some(engine) = engine.upgrade() {
                engine.live.set(live).expect("only this task sets it, once");
            }
            opened.send_replace(Opening::Done);
            workers
        }
        Err(error) => {
            opened.send_replace(Opening::Refused(Arc::new(error)));
            return;
        }
    };
    workers.ended().await;
}

async fn start(
    stop: watch::Receiver<bool>,
    documents: Arc<SetOnce<DocumentsUpkeep>>,
    ground: Ground,
    options: Options,
    told: &watch::Sender<Opening>,
) -> std::result::Result<Arc<Live>, OpenError> {
    let (dir, told) = (options.dir.clone(), told.clone());
    let opening = move || {
        let claim = Store::claim(&*ground.disk, &options.dir)?;
        // Nobody can be making a backup yet.
        backup::tidy(&options.dir);
        told.send_replace(Opening::Claimed);
        open::open(ground, claim, &options, stop, documents)
    };
    let live = tokio::task::spawn_blocking(opening).await;
    let live = Arc::new(live.unwrap_or_else(|_| Err(interrupted(&dir)))?);
    match open::sweep(&live).await {
        // A full disk, or one that fails now, leaves the engine readable: what is due is invisible without a record.
        Ok(()) => {}
        Err(error) => tracing::error!(%error, "what fell due could not be recorded"),
    }
    Ok(live)
}

fn interrupted(dir: &Path) -> OpenError {
    OpenError::Io { path: dir.to_owned(), source: std::io::Error::other("opening was interrupted") }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

/// Checks a data directory that no process has open, and changes nothing: a line per finding, or what refuses. `documents`
/// is the name of a file of documents in it, which need not be there.
pub fn verify(dir: &Path, documents: &str) -> std::result::Result<Vec<String>, OpenError> {
    let (_claim, mut lines) = Store::verify(&RealDisk, dir)?;
    if let Some(said) = backup::check_documents(&dir.join(documents))? {
        lines.push(format!("{documents}: {said}"));
    }
    Ok(lines)
}
