//! What all handles and threads of one store share.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use parking_lot::{Condvar, Mutex, RwLock};

use crate::{
    Error, Options, Seq,
    disk::{Disk, Lock},
    durable::{Company, Publisher, Room},
    log::{
        append::{Home, Log},
        flush::Io,
        segment::Segment,
    },
    snapshots::Snapshots,
    stopwatch::Stopwatch,
    table::{Horizon, Index},
};

/// The store's state. Locks are taken in this order: shards (ascending) → log; io → log; publisher → snapshots; none of
/// the first three while the publisher is held.
#[derive(Debug)]
pub(crate) struct Shared {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub options: Options,
    pub index: Index,
    pub log: Mutex<Log>,
    /// The log thread sleeps on it, with `log`.
    pub wake: Condvar,
    pub io: Mutex<Io>,
    pub publisher: Publisher,
    pub room: Room,
    pub company: Company,
    pub snapshots: Snapshots,
    /// Every segment that a row may lie in, the newest included.
    pub segments: RwLock<BTreeMap<u32, Arc<Segment>>>,
    pub counters: Counters,
    pub opened: Opened,
    /// Removed segments that a reader may still have to be served from: (last frame when they were removed, id).
    pub retired: Mutex<Vec<(Seq, u32)>>,
    /// The segment that was newest when a commit last looked.
    pub newest_segment: AtomicU32,
    /// Whether the maintenance thread shall end, and what it sleeps on.
    pub maintenance: (Mutex<bool>, Condvar),
    stop: AtomicBool,
    last_sync: Mutex<Stopwatch>,
    lock: Mutex<Option<Box<dyn Lock>>>,
}

/// What opening found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opened {
    pub clean: bool,
    pub torn_bytes: u64,
    pub replayed_bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub commits: AtomicU64,
    pub fsyncs: AtomicU64,
    pub fsync_micros: AtomicU64,
    pub cleaned_bytes: AtomicU64,
}

impl Counters {
    pub fn fsync(&self, micros: u64) {
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
        self.fsync_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// The pieces recovery leaves behind.
#[derive(Debug)]
pub(crate) struct Parts {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub options: Options,
    pub index: Index,
    pub log: Log,
    pub segments: BTreeMap<u32, Arc<Segment>>,
    pub opened: Opened,
    pub lock: Box<dyn Lock>,
}

impl Shared {
    pub fn new(parts: Parts) -> Self {
        let Parts { disk, dir, options, index, log, segments, opened, lock } = parts;
        let last = log.next_seq - 1;
        let newest = log.segment.id;
        let publisher = Publisher::new(last);
        if let Some(refusal) = &log.refuses {
            publisher.fail(refusal.clone());
        }
        Shared {
            disk,
            dir,
            options,
            index,
            log: Mutex::new(log),
            wake: Condvar::new(),
            io: Mutex::new(Io::new(last)),
            publisher,
            room: Room::default(),
            company: Company::default(),
            snapshots: Snapshots::default(),
            segments: RwLock::new(segments),
            counters: Counters::default(),
            opened,
            retired: Mutex::default(),
            newest_segment: AtomicU32::new(newest),
            maintenance: Default::default(),
            stop: AtomicBool::new(false),
            last_sync: Mutex::new(Stopwatch::start()),
            lock: Mutex::new(Some(lock)),
        }
    }

    pub fn home(&self) -> Home<'_> {
        Home { disk: &*self.disk, dir: &self.dir, options: &self.options }
    }

    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Lets the threads end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        {
            let _log = self.log.lock();
            self.wake.notify_all();
        }
        *self.maintenance.0.lock() = true;
        self.maintenance.1.notify_all();
    }

    pub fn free_directory(&self) {
        self.lock.lock().take();
    }

    pub fn publish(&self, seq: Seq) {
        self.publisher.advance(seq);
    }

    /// Ends all writes: what is durable stays readable, the log is never touched again.
    pub fn fail(&self, error: &io::Error) {
        let error = Error::Failed(error.to_string());
        self.log.lock().refuses = Some(error.clone());
        self.publisher.fail(error);
        self.room.notify();
    }

    pub fn failed(&self) -> bool {
        matches!(self.log.lock().refuses, Some(Error::Failed(_)))
    }

    /// Whether `interval` passed since it last said so.
    pub fn sync_due(&self, interval: std::time::Duration) -> bool {
        let mut last = self.last_sync.lock();
        let due = u128::from(last.micros()) + 1000 >= interval.as_micros();
        if due {
            *last = Stopwatch::start();
        }
        due
    }
}

impl Horizon for Shared {
    fn durable(&self) -> Seq {
        self.publisher.seq()
    }

    fn snapshot_in(&self, from: Seq, to: Seq) -> bool {
        self.snapshots.any_in(from, to)
    }

    fn epoch(&self) -> u64 {
        self.snapshots.epoch()
    }
}
