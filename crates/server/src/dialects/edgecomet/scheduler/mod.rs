//! The scheduler: ticks, pulls what is due, and gives it to targets.
//!
//! `state` decides, out of `ticks`, `rounds`, `waiting`, `owed`, `backoff` and the targets' roster; `driver` does.

use std::{sync::Arc, time::Duration};

use manifold_engine::{
    Engine, Timestamp,
    recache::{HostId, Lease},
};
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, watch},
    time::{Instant, timeout},
};

mod backoff;
mod driver;
mod owed;
mod rounds;
mod state;
mod ticks;
mod waiting;

use driver::Driver;
use state::State;

use super::{
    config::Config,
    home::Home,
    hosts::CurrentHosts,
    targets::{Target, Targets},
    worker::Worker,
};
use crate::telemetry::{EdgeCometMetrics, JobEnd};

/// Whoever counts entries waits no longer than this for those that move.
const MOMENT: Duration = Duration::from_secs(1);

/// The scheduler.
#[derive(Debug)]
pub(super) struct Scheduler {
    engine: Engine,
    home: Home,
    hosts: CurrentHosts,
    targets: Targets,
    metrics: Arc<EdgeCometMetrics>,
    state: Mutex<State>,
    /// Held by whoever moves entries from the home to here, and shared by those who count them in both places.
    moving: Arc<RwLock<()>>,
    /// Held from the start until what an earlier run had leased is queued again.
    unrecovered: Mutex<Option<OwnedRwLockWriteGuard<()>>>,
    tick_interval: Duration,
    shutdown_grace: Duration,
    /// Dead letters kept per host.
    most_letters: u64,
}

/// What the scheduler works with.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// Has the clock.
    pub(super) engine: Engine,
    pub(super) home: Home,
    pub(super) hosts: CurrentHosts,
    pub(super) targets: Targets,
    pub(super) metrics: Arc<EdgeCometMetrics>,
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
    pub(super) fn new(config: &Config, surroundings: Surroundings) -> Self {
        let Surroundings { engine, home, hosts, targets, metrics } = surroundings;
        let slots = targets.worker.as_deref().map(Worker::slots);
        let moving = Arc::new(RwLock::new(()));
        Scheduler {
            state: Mutex::new(State::new(config, slots, engine.now())),
            unrecovered: Mutex::new(moving.clone().try_write_owned().ok()),
            moving,
            engine,
            home,
            hosts,
            targets,
            metrics,
            tick_interval: config.scheduler.tick_interval.0,
            shutdown_grace: config.shutdown_grace.0,
            most_letters: config.recache.max_dead_letters,
        }
    }

    /// Ticks until `shutdown` turns true; then waits for running jobs as long as configured, and gives back what is leased.
    pub(super) async fn run(self: Arc<Self>, shutdown: watch::Receiver<bool>) {
        Driver::new(self).run(shutdown).await;
    }

    /// Stops pulling and dispatching.
    pub(super) fn pause(&self) {
        self.state.lock().paused = true;
    }

    /// Goes on, with the next tick.
    pub(super) fn resume(&self) {
        self.state.lock().paused = false;
    }

    /// While this is held no entry is on its way from the home to here. A home that takes longer than a moment is not
    /// waited for.
    pub(super) async fn at_rest(&self) -> Option<OwnedRwLockReadGuard<()>> {
        timeout(MOMENT, self.moving.clone().read_owned()).await.ok()
    }

    /// How things are now.
    pub(super) fn view(&self) -> View {
        let state = self.state.lock();
        View {
            last_tick: state.last_tick,
            waiting: state.waiting.len(),
            in_flight: state.in_flight(),
            free: state.roster.free(Instant::now()),
        }
    }

    /// Entries of a host that were pulled, those in flight included.
    pub(super) fn processing(&self, host: HostId) -> u64 {
        let state = self.state.lock();
        (state.waiting.of(host) + state.roster.in_flight_of(host)) as u64
    }

    fn count(&self, lease: &Lease, target: &Target, end: Option<JobEnd>, took: Duration) {
        if let Target::Gateway(gateway) = target {
            let done = matches!(end, Some(JobEnd::Success | JobEnd::Skipped));
            self.metrics.gateway(&gateway.id, done);
        }
        if let Some(end) = end {
            let hosts = self.hosts.get();
            let host = hosts.get(lease.host).map_or("unknown", |host| host.primary_domain());
            self.metrics.ended(host, lease.priority, end, took);
        }
    }
}
