//! What an open stream holds in memory. Three locks: the groups', the tail's (where the stream ends and what is kept of
//! it), and that of what readers may see; taken in this order, and never across an await. Each change is decided on the
//! state, committed, and only then applied to it: a commit that is refused has changed nothing.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use manifold_store::{Seq, Store};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    Timestamp,
    keys::RowKey,
    live::Live,
    stream::{
        Record,
        group::Groups,
        ring::Ring,
        row::{Meta, Span},
    },
};

/// A row of so many records, or so many bytes of them, is full: it is left as it is.
const FULL_RECORDS: u64 = 256;
const FULL_BYTES: u64 = 256 << 10;

/// A longer row is not kept in memory after it was read.
const KEPT_BYTES: usize = 64 << 10;

/// An open stream.
pub(crate) struct Stream {
    /// Its row's key.
    pub(crate) key: RowKey,
    pub(crate) id: u64,
    pub(crate) created_at: Timestamp,
    /// The frame that created it; 0 when that is durable for long.
    pub(crate) born: Seq,
    pub(crate) groups: Mutex<Groups>,
    pub(crate) tail: Mutex<Tail>,
    shown: Mutex<Shown>,
    /// The row of many records that was read last: who reads in small pages comes back for the rest of it. Records never
    /// change, so it is never wrong.
    row: Mutex<Option<(Span, Bytes)>>,
    /// Changes when there is something new for readers or groups.
    moved: watch::Sender<()>,
    pub(crate) followers: AtomicUsize,
    touched: AtomicBool,
}

/// The end of a stream, as writers see it.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) meta: Meta,
    /// The offset of the next record.
    pub(crate) end: u64,
    /// Bytes of all records ever appended.
    pub(crate) total: u64,
    /// Bytes of all records before the row of the first one kept.
    pub(crate) base: u64,
    /// The time of the newest record.
    pub(crate) last_at: Timestamp,
    /// The newest rows, up to the end, as long as they are too few and small to become one.
    pub(crate) small: VecDeque<Span>,
    /// Rows that are to become one, each time.
    pub(crate) runs: VecDeque<Vec<Span>>,
    pub(crate) deleted: bool,
    /// The newest frame that changed any of this.
    pub(crate) frame: Seq,
}

/// What was found when a stream was opened; see [`Tail`].
pub(crate) struct Loaded {
    pub(crate) end: u64,
    pub(crate) total: u64,
    pub(crate) base: u64,
    pub(crate) last_at: Timestamp,
    pub(crate) small: VecDeque<Span>,
}

/// What readers may see: nothing that a crash could take back.
#[derive(Debug)]
struct Shown {
    bounds: Bounds,
    ring: Ring,
    /// What becomes visible when its frame is durable, oldest first.
    waiting: VecDeque<(Seq, Bounds, Vec<Arc<Record>>)>,
}

/// The first offset kept, and the next to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

/// Whether a row is left as it is.
pub(crate) fn is_full(span: &Span) -> bool {
    span.count >= FULL_RECORDS || span.bytes >= FULL_BYTES
}

impl Stream {
    pub(crate) fn new(key: RowKey, born: Seq, tail: Tail, ring_bytes: &Arc<AtomicUsize>) -> Self {
        // What an opened stream stands at is durable; a stream that is created shows its first records when they are.
        let bounds = if born == 0 { tail.visible() } else { Bounds::default() };
        let shown = Shown { bounds, ring: Ring::new(ring_bytes.clone()), waiting: VecDeque::new() };
        Stream {
            key,
            id: tail.meta.id,
            created_at: tail.meta.created_at,
            born,
            groups: Mutex::default(),
            tail: Mutex::new(tail),
            shown: Mutex::new(shown),
            row: Mutex::default(),
            moved: watch::Sender::new(()),
            followers: AtomicUsize::new(0),
            touched: AtomicBool::new(true),
        }
    }

    /// Says what readers will see when `frame` is durable. Called with the tail locked, in the order of frames.
    pub(crate) fn show_later(&self, frame: Seq, bounds: Bounds, records: Vec<Arc<Record>>) {
        self.shown.lock().waiting.push_back((frame, bounds, records));
    }

    /// Shows what has become durable, and wakes who waits for it; whether all is shown now.
    pub(crate) fn show(&self, store: &Store) -> bool {
        let (moved, all) = {
            let mut shown = self.shown.lock();
            (shown.advance(store), shown.waiting.is_empty())
        };
        if moved {
            self.wake();
        }
        all
    }

    /// What readers may see now.
    pub(crate) fn bounds(&self, store: &Store) -> Bounds {
        let mut shown = self.shown.lock();
        let moved = shown.advance(store);
        let bounds = shown.bounds;
        drop(shown);
        if moved {
            self.wake();
        }
        bounds
    }

    /// Gives the ring's records from `offset` on, as far as they are shown, to `take`; false when it has not got them.
    pub(crate) fn newest(&self, offset: u64, take: &mut impl FnMut(&Arc<Record>) -> bool) -> bool {
        let shown = self.shown.lock();
        let Some(mut records) = shown.ring.from(offset) else { return false };
        records.all(take);
        true
    }

    /// The offset of the first record at or after `at`, if that can be told from the newest ones.
    pub(crate) fn newest_since(&self, at: Timestamp) -> Option<u64> {
        self.shown.lock().ring.since(at)
    }

    /// The row read last, if it holds the record of `offset`.
    pub(crate) fn row_read_last(&self, offset: u64) -> Option<(Span, Bytes)> {
        self.row.lock().clone().filter(|(span, _)| (span.first..span.end()).contains(&offset))
    }

    pub(crate) fn keep_row(&self, row: (Span, Bytes)) {
        if row.0.count > 1 && row.1.len() <= KEPT_BYTES {
            *self.row.lock() = Some(row);
        }
    }

    pub(crate) fn forget_row(&self) {
        *self.row.lock() = None;
    }

    /// Wakes everybody who waits for something new.
    pub(crate) fn wake(&self) {
        self.moved.send_replace(());
    }

    /// A receiver that changes when there is something new.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.tail.lock().deleted
    }

    /// Somebody uses it.
    pub(crate) fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }

    /// Whether somebody used it since this was asked last.
    pub(crate) fn was_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }

    /// Whether the disk has everything that is known of it here, and nobody used it lately.
    pub(crate) fn is_at_rest(&self, live: &Live) -> bool {
        let durable = live.store.durable_seq();
        let settled = |frame: Seq| frame <= durable;
        !self.touched.load(Ordering::Relaxed)
            && self.groups.try_lock().is_some_and(|groups| settled(groups.frame))
            && self.tail.try_lock().is_some_and(|tail| settled(tail.frame) && tail.runs.is_empty())
            && self.shown.try_lock().is_some_and(|shown| shown.waiting.is_empty())
    }
}

impl Shown {
    fn advance(&mut self, store: &Store) -> bool {
        let durable = store.durable_seq();
        let mut moved = false;
        while let Some((_, bounds, records)) = self.waiting.pop_front_if(|(frame, ..)| *frame <= durable) {
            moved = true;
            self.bounds = bounds;
            records.into_iter().for_each(|record| self.ring.push(record));
        }
        moved
    }
}

impl Tail {
    pub(crate) fn new(meta: Meta) -> Self {
        let last_at = meta.last_at;
        let nothing = Loaded { end: meta.first, total: 0, base: 0, last_at, small: VecDeque::new() };
        Tail::loaded(meta, nothing)
    }

    pub(crate) fn loaded(meta: Meta, loaded: Loaded) -> Self {
        let Loaded { end, total, base, last_at, small } = loaded;
        let mut tail = Tail { meta, end, total, base, last_at, small, runs: VecDeque::new(), deleted: false, frame: 0 };
        if tail.is_run() {
            tail.close_run();
        }
        tail
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { first: self.meta.first, end: self.end }
    }

    /// What readers may see of it: a bound by number holds at every moment, whenever the rows beyond it go.
    pub(crate) fn visible(&self) -> Bounds {
        let Bounds { first, end } = self.bounds();
        let most = self.meta.retention.records.unwrap_or(u64::MAX);
        Bounds { first: first.max(end.saturating_sub(most)), end }
    }

    /// A row was added at the end.
    pub(crate) fn added(&mut self, span: Span) {
        self.end = span.end();
        self.total = span.before + span.bytes;
        self.last_at = span.last_at;
        if is_full(&span) {
            self.close_run();
        } else {
            self.small.push_back(span);
            if self.is_run() {
                self.close_run();
            }
        }
    }

    /// The small rows become one, whatever they come to.
    pub(crate) fn close_run(&mut self) {
        let run = std::mem::take(&mut self.small);
        if run.len() > 1 {
            self.runs.push_back(run.into());
        }
    }

    /// Whether the small rows together would make a full one.
    fn is_run(&self) -> bool {
        self.small
            .front()
            .is_some_and(|oldest| self.end - oldest.first >= FULL_RECORDS || self.total - oldest.before >= FULL_BYTES)
    }

    /// Whether more is kept than the retention by number and size allows.
    pub(crate) fn is_over(&self) -> bool {
        let retention = &self.meta.retention;
        retention.records.is_some_and(|most| self.end - self.meta.first > most)
            || retention.bytes.is_some_and(|most| self.end > self.meta.first && self.total - self.base > most)
    }
}
