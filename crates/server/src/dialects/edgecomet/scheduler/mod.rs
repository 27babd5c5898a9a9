//! The scheduler: ticks, pulls what is due, and gives it to targets.

use std::sync::Arc;

use manifold_engine::{Timestamp, recache::HostId};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{config::Config, home::Home, hosts::CurrentHosts, targets::Targets};

mod backoff;
mod budget;
mod rounds;
mod ticks;
mod waiting;

/// The scheduler.
#[derive(Debug)]
pub(super) struct Scheduler {
    home: Home,
    hosts: CurrentHosts,
    targets: Targets,
    paused: Mutex<bool>,
}

/// How things are at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// The last tick; before the first the start.
    pub(super) last_tick: Timestamp,
    /// Entries that were pulled and wait, for a retry too; none in flight.
    pub(super) waiting: usize,
    /// Jobs in flight.
    pub(super) in_flight: usize,
    /// Jobs that healthy targets could begin.
    pub(super) free: u64,
}

impl Scheduler {
    pub(super) fn new(_config: &Config, home: Home, hosts: CurrentHosts, targets: Targets) -> Self {
        Scheduler { home, hosts, targets, paused: Mutex::default() }
    }

    /// Ticks until `shutdown` turns true; then waits for running jobs as long as configured, and gives back what is leased.
    pub(super) async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        drop(shutdown.wait_for(|down| *down).await);
    }

    /// Stops pulling and dispatching.
    pub(super) fn pause(&self) {
        *self.paused.lock() = true;
    }

    /// Goes on.
    pub(super) fn resume(&self) {
        *self.paused.lock() = false;
    }

    /// How things are now.
    pub(super) fn view(&self) -> View {
        View { last_tick: Timestamp(0), waiting: 0, in_flight: 0, free: 0 }
    }

    /// Entries of a host that were pulled, those in flight included.
    pub(super) fn processing(&self, _host: HostId) -> u64 {
        0
    }
}
