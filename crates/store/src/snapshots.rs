//! The cuts that are being read, so that the versions they see are kept.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use crate::Seq;

#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    open: Mutex<BTreeMap<Seq, usize>>,
    count: AtomicUsize,
    /// Closed snapshots.
    epoch: AtomicU64,
}

impl Snapshots {
    /// Registers a cut. The caller holds the lock under which `seq` cannot move, so that nobody who sees a later frame
    /// durable can miss it.
    pub fn open(&self, seq: Seq) {
        *self.open.lock().entry(seq).or_default() += 1;
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    pub fn close(&self, seq: Seq) {
        let mut open = self.open.lock();
        if let Some(n) = open.get_mut(&seq) {
            *n -= 1;
            if *n == 0 {
                open.remove(&seq);
            }
        }
        drop(open);
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether one reads a frame in `from..to`.
    pub fn any_in(&self, from: Seq, to: Seq) -> bool {
        self.count.load(Ordering::SeqCst) > 0 && self.open.lock().range(from..to.max(from)).next().is_some()
    }

    pub fn oldest(&self) -> Option<Seq> {
        self.open.lock().keys().next().copied()
    }

    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }
}
