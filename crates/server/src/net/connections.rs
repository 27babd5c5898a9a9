//! How many connections a listener has, how many it may have, and when the last one is gone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

use super::budget::{Budget, Pool};

/// Connections that are told "overloaded" at one time; beyond that a socket is closed without a word.
const TURNED_AWAY_MAX: usize = 64;

/// The count of one listener.
#[derive(Debug)]
pub struct Connections {
    open: Pool,
    turned_away: Pool,
    /// Of all listeners.
    budget: Arc<Budget>,
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
    pub(super) fn new(limit: usize, budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Connections {
            open: Pool::new(limit),
            turned_away: Pool::new(TURNED_AWAY_MAX),
            budget,
            gone: Notify::new(),
            accepted_total: AtomicU64::new(0),
            refused_total: AtomicU64::new(0),
            panics_total: AtomicU64::new(0),
        })
    }

    /// A place for a new connection; none when not even a refusal is affordable.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let permit = |admission| Permit { connections: self.clone(), admission };
        if self.open.take(1) {
            if self.budget.connections().take(1) {
                self.accepted_total.fetch_add(1, Ordering::Relaxed);
                return Some(permit(Admission::Served));
            }
            self.left();
        }
        self.refused_total.fetch_add(1, Ordering::Relaxed);
        self.turned_away.take(1).then(|| permit(Admission::TurnedAway))
    }

    fn left(&self) {
        if self.open.give_back(1) == 1 {
            self.gone.notify_waiters();
        }
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
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
        self.open.taken() as u64
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

impl Permit {
    pub(super) fn admission(&self) -> Admission {
        self.admission
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.admission {
            Admission::Served => {
                self.connections.budget.connections().give_back(1);
                self.connections.left();
            }
            Admission::TurnedAway => {
                self.connections.turned_away.give_back(1);
            }
        }
    }
}
