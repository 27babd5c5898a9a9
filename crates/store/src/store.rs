//! The handle.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    thread::JoinHandle,
};

use parking_lot::Mutex;

use crate::{
    Batch, Chunk, Claim, CutBegun, Durable, Error, Level, LogCut, OpenError, Options, Range, Row, Seq, Snapshot, Table,
    View,
    disk::Disk,
    fsyncs::FSYNC_BOUNDS_MICROS,
    log::frame::{HEADER, Kind},
    shared::Shared,
};

/// Bytes waiting to be written at which [`Store::room`] makes committers wait.
const CONGESTED_BYTES: usize = 32 << 20;

/// Whether writes are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Everything is accepted.
    Open,
    /// The disk is full: relief batches only, until there is space.
    Full,
    /// A write or fsync failed: nothing is accepted any more.
    Failed(String),
}

/// Numbers for metrics.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of memory the index holds: keys, inline rows, entries.
    pub memory_bytes: u64,
    /// Bytes of all segments.
    pub log_bytes: u64,
    /// Bytes of them that no live row needs.
    pub dead_bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Frames committed since the start.
    pub commits: u64,
    /// The last durable frame: frames are counted from the first one of the log.
    pub durable_frame: u64,
    /// fsyncs since the start.
    pub fsyncs: u64,
    /// How many of them took so long: one count for each of [`crate::FSYNC_BOUNDS_MICROS`], and one for those beyond.
    pub fsync_buckets: [u64; FSYNC_BOUNDS_MICROS.len() + 1],
    /// Microseconds spent in them.
    pub fsync_micros: u64,
    /// Bytes of segments cleaned away since the start.
    pub cleaned_bytes: u64,
    /// Bytes cut off the end of the log as a torn tail when it was opened.
    pub torn_bytes: u64,
    /// Bytes replayed when it was opened.
    pub replayed_bytes: u64,
}

/// The store. Cheap to clone; all methods may be called from any thread. Dropping the last handle without
/// [`Store::close`] is a crash: what was not durable may be lost.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    threads: Arc<Threads>,
}

/// Ends the threads with the last handle.
#[derive(Debug)]
struct Threads {
    shared: Arc<Shared>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    fn end(&self) {
        self.shared.stop();
        for handle in std::mem::take(&mut *self.handles.lock()) {
            if handle.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
        self.shared.free_directory();
    }
}

impl Store {
    /// Locks the directory (created if absent), replays the log, cuts a torn tail, starts the threads.
    ///
    /// # Errors
    /// [`OpenError::Locked`], [`OpenError::Damaged`] with file and offset, or what the file system says.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Store, OpenError> {
        let claim = Store::claim(&*disk, dir)?;
        Store::open_claimed(disk, claim, options)
    }

    /// The first step of opening: locks the directory, which is created if absent.
    ///
    /// # Errors
    /// [`OpenError::Locked`], or what the file system says.
    pub fn claim(disk: &dyn Disk, dir: &Path) -> Result<Claim, OpenError> {
        Claim::take(disk, dir)
    }

    /// The rest of it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_claimed(disk: Arc<dyn Disk>, claim: Claim, options: Options) -> Result<Store, OpenError> {
        let maintenance = options.maintenance;
        let shared = Arc::new(Shared::open(disk, claim, options)?);
        let dir = &shared.dir.clone();
        let spawn = |name: &str, run: fn(&Shared)| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(&shared));
            thread.map_err(|source| OpenError::Io { path: dir.to_path_buf(), source })
        };
        let mut handles = vec![spawn("log", Shared::run_log)?];
        if maintenance {
            handles.push(spawn("log-clean", Shared::run_maintenance)?);
        }
        let threads = Arc::new(Threads { shared: shared.clone(), handles: Mutex::new(handles) });
        Ok(Store { shared, threads })
    }

    /// Reads a data directory that nobody has open and changes nothing: a line per finding. It is locked as long as the
    /// claim lives, if it has a lock file.
    ///
    /// # Errors
    /// What [`Store::open`] would refuse with, and [`OpenError::Foreign`] where there is no log.
    pub fn verify(disk: &dyn Disk, dir: &Path) -> Result<(Claim, Vec<String>), OpenError> {
        crate::clean::verify(disk, dir)
    }

    /// Sets what is called, in order of frames, when everything up to a frame became durable, just before readers see
    /// it. Called under a lock: it must be short and must not call the store. Set it before the first commit.
    pub fn on_durable(&self, hook: Box<dyn Fn(Seq) + Send + Sync>) {
        self.shared.publisher.lock().hook = Some(hook);
    }

    /// Appends the batch to the log buffer and applies it to the index; never waits for the disk. An empty batch
    /// returns the latest frame.
    ///
    /// # Errors
    /// [`Error::Full`] (nothing happened), [`Error::Failed`], [`Error::Closed`], [`Error::TooLarge`].
    pub fn commit(&self, batch: Batch) -> Result<Seq, Error> {
        self.shared.commit(batch, |_| {})
    }

    /// The same; `numbered` learns the number of the frame before anybody can write it, so before the hook of
    /// [`Store::on_durable`] can be called for it. Called under locks: it must be short and must not call the store.
    ///
    /// # Errors
    /// As [`Store::commit`]; `numbered` was not called then.
    pub fn commit_with(&self, batch: Batch, numbered: impl FnOnce(Seq)) -> Result<Seq, Error> {
        self.shared.commit(batch, numbered)
    }

    /// Writes and syncs everything committed so far, whatever the level.
    ///
    /// # Errors
    /// [`Error::Failed`] when it could not be brought to disk.
    pub fn sync(&self) -> Result<(), Error> {
        self.shared.sync_all()
    }

    /// Completes when `seq` is durable at the configured level.
    pub fn durable(&self, seq: Seq) -> Durable {
        Durable::new(self.shared.clone(), seq)
    }

    /// The same for a plain thread.
    ///
    /// # Errors
    /// [`Error::Failed`] when the frame can never become durable.
    pub fn wait_durable(&self, seq: Seq) -> Result<(), Error> {
        self.durable(seq).wait()
    }

    /// The last durable frame.
    pub fn durable_seq(&self) -> Seq {
        self.shared.publisher.seq()
    }

    /// Completes at once, or when a congested log buffer has room again: await it before a commit.
    pub async fn room(&self) {
        std::future::poll_fn(|context| {
            if !self.congested() {
                return Poll::Ready(());
            }
            self.shared.room.wait(context.waker());
            if self.congested() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    fn congested(&self) -> bool {
        let log = self.shared.log.lock();
        log.pending_bytes > CONGESTED_BYTES && log.refuses.is_none()
    }

    /// One row.
    pub fn get(&self, view: View, table: Table, key: &[u8]) -> Option<Row> {
        self.shared.get(table, key, || match view {
            View::Durable => self.shared.publisher.seq(),
            View::Latest => Seq::MAX,
        })
    }

    /// A chunk of an ordered table as one cut.
    pub fn range(&self, view: View, table: Table, range: &Range) -> Chunk {
        let cut = match view {
            View::Durable => Snapshot::durable(&self.shared, || ()).0,
            View::Latest => Snapshot::latest(&self.shared),
        };
        cut.range(table, range)
    }

    /// A durable cut that stays readable. `also` runs under the lock of [`Store::on_durable`], so what it reads of the
    /// hook's own state belongs to exactly this cut.
    pub fn snapshot<T>(&self, also: impl FnOnce() -> T) -> (Snapshot, T) {
        Snapshot::durable(&self.shared, also)
    }

    /// A cut of everything committed that stays readable: nothing of it may be told before [`Snapshot::seq`], or the
    /// frames of all rows read, are durable.
    pub fn latest(&self) -> Snapshot {
        Snapshot::latest(&self.shared)
    }

    /// The log as it ends now, for a copy: see [`CutBegun::settled`]. Never waits for the disk.
    pub fn cut(&self) -> CutBegun {
        CutBegun::new(&self.shared)
    }

    /// The same of a directory that nobody has open, and that is locked as long as the claim lives, if it has a lock
    /// file. Reads all of it and changes nothing; what a start would cut off the end is left out.
    ///
    /// # Errors
    /// What [`Store::open`] would refuse with, and [`OpenError::Foreign`] where there is no log.
    pub fn cut_at_rest(disk: &dyn Disk, dir: &Path) -> Result<(Claim, LogCut), OpenError> {
        crate::cut::at_rest(disk, dir)
    }

    /// Rows of a table (committed, live).
    pub fn rows(&self, table: Table) -> u64 {
        self.shared.index.totals(table).rows
    }

    /// Rows of a table of [`Options::counted`] whose keys begin with `name` and a zero byte (committed, live).
    pub fn rows_of(&self, table: Table, name: &[u8]) -> u64 {
        self.shared.index.rows_of(table, name)
    }

    /// Bytes of heads and bodies of a table's live rows.
    pub fn table_bytes(&self, table: Table) -> u64 {
        self.shared.index.totals(table).bytes
    }

    /// Rows of all tables but some, and bytes of their keys, heads and bodies, in memory or not.
    pub fn data_without(&self, tables: &[Table]) -> (u64, u64) {
        let totals = self.shared.index.totals_without(tables);
        (totals.rows, totals.key_bytes + totals.bytes)
    }

    /// Whether writes are accepted.
    pub fn state(&self) -> State {
        let log = self.shared.log.lock();
        match &log.refuses {
            Some(Error::Failed(why)) => State::Failed(why.clone()),
            _ if log.full => State::Full,
            _ => State::Open,
        }
    }

    /// Whether the last stop was clean (everything written and synced, and said so).
    pub fn clean_start(&self) -> bool {
        self.shared.opened.clean
    }

    /// Bytes of memory the index holds.
    pub fn memory_bytes(&self) -> u64 {
        self.shared.index.memory_bytes()
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> Stats {
        let usage = self.shared.usage();
        let counters = &self.shared.counters;
        let fsync_buckets = counters.fsyncs.buckets();
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            memory_bytes: self.memory_bytes(),
            log_bytes: usage.total(),
            dead_bytes: usage.total().saturating_sub(usage.live()),
            segments: usage.segments.len() as u64,
            commits: of(&counters.commits),
            durable_frame: self.durable_seq(),
            fsyncs: fsync_buckets.iter().sum(),
            fsync_buckets,
            fsync_micros: counters.fsyncs.micros(),
            cleaned_bytes: of(&counters.cleaned_bytes),
            torn_bytes: self.shared.opened.torn_bytes,
            replayed_bytes: self.shared.opened.replayed_bytes,
        }
    }

    /// Cleans the oldest segment now if that is worth it; whether it did. The maintenance thread does the same by
    /// itself.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn clean(&self) -> Result<bool, Error> {
        match self.shared.wants_cleaning() {
            Some(segment) => self.shared.clean(&segment, |_| {}).map(|()| true),
            None => Ok(false),
        }
    }

    /// Writes and syncs everything, marks the log as cleanly closed, frees the directory. Later commits answer
    /// [`Error::Closed`].
    ///
    /// # Errors
    /// [`Error::Failed`] when the log could not be brought to disk.
    pub fn close(&self) -> Result<(), Error> {
        self.threads.end();
        let shared = &self.shared;
        let marked = shared.append(vec![0; HEADER], Kind::Close, true, crc32c::crc32c(&[]), |_| {});
        let (segment, len) = {
            let mut log = shared.log.lock();
            if log.refuses.is_none() {
                log.refuses = Some(Error::Closed);
            }
            (log.segment.clone(), log.offset)
        };
        // Without space for the mark the log is only a little slower to open.
        let result = match marked {
            Ok(_) | Err(Error::Full) => shared.sync_all().and_then(|()| {
                let cut = segment.file.set_len(len).and_then(|()| segment.file.sync_data());
                cut.map_err(|error| Error::Failed(error.to_string()))
            }),
            Err(Error::Closed) => Ok(()),
            Err(error) => Err(error),
        };
        shared.free_directory();
        result
    }

    /// The durability level.
    pub fn level(&self) -> Level {
        self.shared.options.level
    }
}
