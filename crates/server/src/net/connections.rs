//! How many connections a listener has, how many it may have, and when the last one is gone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Connections that are told "overloaded" at one time; beyond that a socket is closed without a word.
const TURNED_AWAY_MAX: usize = 64;

/// The count of one listener.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    open: AtomicUsize,
    turned_away: AtomicUsize,
    /// Told whenever the last connection ends.
    gone: Notify,
    accepted_total: AtomicU64,
    refused_total: AtomicU64,
    panics_total: AtomicU64,
}

/// A connection's place among the open ones; given back when it is dropped. It travels with the socket, so that a
/// WebSocket keeps its place after the upgrade.
#[derive(Debug)]
pub(super) struct Permit {
    connections: Arc<Connections>,
    admission: Admission,
}

/// Whether a connection is served or turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is served.
    Served,
    /// It is told that the server is overloaded.
    TurnedAway,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Connections {
            limit,
            open: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
            gone: Notify::new(),
            accepted_total: AtomicU64::new(0),
            refused_total: AtomicU64::new(0),
            panics_total: AtomicU64::new(0),
        })
    }

    /// A place for a new connection; none when not even a refusal is affordable.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let permit = |admission| Permit { connections: self.clone(), admission };
        if take(&self.open, self.limit) {
            self.accepted_total.fetch_add(1, Ordering::Relaxed);
            return Some(permit(Admission::Served));
        }
        self.refused_total.fetch_add(1, Ordering::Relaxed);
        take(&self.turned_away, TURNED_AWAY_MAX).then(|| permit(Admission::TurnedAway))
    }

    pub(super) fn panicked(&self) {
        self.panics_total.fetch_add(1, Ordering::Relaxed);
    }

    /// Completes when no connection is open. New ones must not be admitted any more.
    pub(super) async fn all_gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.open() == 0 {
                return;
            }
            gone.await;
        }
    }

    /// Connections open now.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Acquire) as u64
    }
    /// Connections served since the start.
    pub fn accepted(&self) -> u64 {
        self.accepted_total.load(Ordering::Relaxed)
    }
    /// Connections turned away at the cap since the start.
    pub fn refused(&self) -> u64 {
        self.refused_total.load(Ordering::Relaxed)
    }
    /// Handlers that panicked since the start.
    pub fn panics(&self) -> u64 {
        self.panics_total.load(Ordering::Relaxed)
    }
}

fn take(count: &AtomicUsize, limit: usize) -> bool {
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < limit).then_some(now + 1)).is_ok()
}

impl Permit {
    pub(super) fn admission(&self) -> Admission {
        self.admission
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.admission {
            Admission::Served => {
                if self.connections.open.fetch_sub(1, Ordering::AcqRel) == 1 {
                    self.connections.gone.notify_waiters();
                }
            }
            Admission::TurnedAway => {
                self.connections.turned_away.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}
