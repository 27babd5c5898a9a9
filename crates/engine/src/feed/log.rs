//! The feed's own state: who is next, what is on its way to the disk, what readers may see.
//!
//! Every commit that changes a key takes a [`Turn`]. That makes the order of feed numbers the order of frames, and lets
//! the store's durable hook publish changes without asking anybody: what it finds at or below the durable frame is next.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering, fence},
    },
};

use manifold_store::{Batch, Seq, Store};
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::{Notify, watch};

use crate::{
    Result, Timestamp,
    feed::{Change, Recovered, gaps::Gaps, record, ring::Ring},
    keys,
    live::Live,
    work::{Tick, Work},
};

/// A scratch buffer that grew beyond this for one large value is given back.
const SCRATCH_BYTES: usize = 256 << 10;

/// The feed.
pub(crate) struct Feed {
    /// Held from the numbering of changes until the store has them. Taken after the locks of keys, before the store's.
    order: Mutex<Order>,
    /// Changes that are not durable yet, with their frames. Held for moments, by committers and by the hook, who hold a
    /// lock of the store already: nothing but the ring is locked inside.
    inflight: Mutex<VecDeque<(Seq, Arc<Change>)>>,
    ring: RwLock<Ring>,
    /// The frame the hook was called with last. It runs ahead of what readers see for the moment the hook takes.
    frame: AtomicU64,
    /// The newest change published by the hook.
    head: AtomicU64,
    /// The lowest number that was not trimmed. Moves before the rows go, so a row found missing is below it.
    floor: AtomicU64,
    gaps: Gaps,
    news: Notify,
    /// The head, for those who wait for it to move.
    awake: watch::Sender<u64>,
}

struct Order {
    next: u64,
    last_at: Timestamp,
    scratch: Vec<u8>,
}

impl Feed {
    /// The feed as it was recovered from a store whose newest frame is `frame`.
    pub(crate) fn new(recovered: Recovered, frame: Seq) -> Self {
        let Recovered { head, next, floor, last_at, gaps } = recovered;
        Feed {
            order: Mutex::new(Order { next, last_at, scratch: Vec::new() }),
            inflight: Mutex::default(),
            ring: RwLock::default(),
            frame: AtomicU64::new(frame),
            head: AtomicU64::new(head),
            floor: AtomicU64::new(floor),
            gaps,
            news: Notify::new(),
            awake: watch::Sender::new(head),
        }
    }

    /// The right to make the next commit of changes.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn { feed: self, order: self.order.lock() }
    }

    /// The store's durable hook. The frame moves first and the head last: see [`Feed::cut`].
    pub(crate) fn publish(&self, frame: Seq) {
        let mut inflight = self.inflight.lock();
        self.frame.store(frame, Ordering::SeqCst);
        if inflight.front().is_none_or(|(first, _)| *first > frame) {
            return;
        }
        let mut ring = self.ring.write();
        let mut head = self.head.load(Ordering::Relaxed);
        while let Some((_, change)) = inflight.pop_front_if(|(first, _)| *first <= frame) {
            head = change.seq;
            ring.push(change);
        }
        self.head.store(head, Ordering::SeqCst);
        // Pairs with the fence in `subscribe`: who is not counted yet reads this head.
        fence(Ordering::SeqCst);
        if self.awake.receiver_count() > 0 {
            self.news.notify_one();
        }
    }

    /// The newest number of which readers of `store` also see the effect.
    pub(crate) fn head(&self, store: &Store) -> u64 {
        let head = self.head.load(Ordering::SeqCst);
        if self.frame.load(Ordering::SeqCst) <= store.durable_seq() {
            return head;
        }
        // The hook is at work this moment; a snapshot waits for it.
        store.snapshot(|| self.published()).1
    }

    /// The newest number published. Only under the store's publish lock (the `also` of a snapshot) does it belong to
    /// what readers see.
    pub(crate) fn published(&self) -> u64 {
        self.head.load(Ordering::SeqCst)
    }

    /// Reads something small together with the head that belongs to it, without a snapshot; none when frames became
    /// durable in between. The hook names its frame before anything moves: as long as that frame is one readers saw
    /// before the read, neither the head nor what they see has moved.
    pub(crate) fn cut<T>(&self, store: &Store, read: impl FnOnce() -> T) -> Option<(u64, T)> {
        let durable = store.durable_seq();
        let head = self.head.load(Ordering::SeqCst);
        let it = read();
        fence(Ordering::SeqCst);
        (self.frame.load(Ordering::SeqCst) <= durable).then_some((head, it))
    }

    /// The lowest number that was not trimmed; it may be one that no change has (head + 1, or a skipped one).
    pub(crate) fn floor(&self) -> u64 {
        self.floor.load(Ordering::SeqCst)
    }

    /// The oldest number kept, head + 1 when there is none.
    pub(crate) fn oldest(&self, head: u64) -> u64 {
        self.gaps.next_used(self.floor()).min(head + 1)
    }

    pub(crate) fn set_floor(&self, floor: u64) {
        self.floor.store(floor, Ordering::SeqCst);
    }

    pub(crate) fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub(crate) fn ring(&self) -> &RwLock<Ring> {
        &self.ring
    }

    /// A receiver that changes when the head moves after this call: look at the head once before waiting.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        let receiver = self.awake.subscribe();
        fence(Ordering::SeqCst);
        receiver
    }
}

/// The right to make the next commit of changes: nobody else numbers any while it is held.
pub(crate) struct Turn<'a> {
    feed: &'a Feed,
    order: MutexGuard<'a, Order>,
}

impl Turn<'_> {
    /// The number of the next change.
    pub(crate) fn next(&self) -> u64 {
        self.order.next
    }

    /// The time of a commit made now: the clock's, but never before that of an earlier commit.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        now.max(self.order.last_at)
    }

    /// Adds the feed row of `change`.
    pub(crate) fn record(&mut self, batch: &mut Batch, change: &Change) {
        let scratch = &mut self.order.scratch;
        scratch.clear();
        record::encode(change, scratch);
        batch.put(keys::FEED, &keys::number(change.seq), &[], scratch);
        scratch.shrink_to(SCRATCH_BYTES);
    }

    /// Commits `batch`, which holds the rows of exactly these changes.
    pub(crate) fn commit(mut self, store: &Store, batch: Batch, changes: &[Arc<Change>]) -> Result<Seq> {
        let feed = self.feed;
        // The frame may be durable before `commit` returns. The hook must not miss its changes, so they are put in its
        // way at the moment the frame has its number, when nobody can write it yet.
        let frame = store.commit_with(batch, |frame| {
            feed.inflight.lock().extend(changes.iter().map(|change| (frame, change.clone())));
        })?;
        if let Some(last) = changes.last() {
            self.order.next = last.seq + 1;
            self.order.last_at = last.at;
        }
        Ok(frame)
    }
}

/// Tells waiting readers that the head has moved, off the store's log thread: waking hundreds of them takes a while.
pub(crate) struct Herald;

impl Work for Herald {
    fn name(&self) -> &'static str {
        "feed herald"
    }

    async fn trigger(&self, live: &Live) {
        live.feed.news.notified().await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        live.feed.awake.send_replace(live.feed.head(&live.store));
        Ok(Tick::DONE)
    }
}
