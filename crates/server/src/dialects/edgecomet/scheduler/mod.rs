//! The scheduler: ticks, pulls what is due, and gives it to targets.
//!
//! `state` decides, out of `ticks`, `rounds`, `waiting`, `owed`, `backoff` and the targets' roster; `driver` does.

use std::{sync::Arc, time::Duration};

use manifold_engine::{
    Engine, Timestamp,
    recache::{HostId, Priority},
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

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

/// The scheduler.
#[derive(Debug)]
pub(super) struct Scheduler {
    engine: Engine,
    home: Home,
    hosts: CurrentHosts,
    targets: Targets,
    state: Mutex<State>,
    tick_interval: Duration,
    shutdown_grace: Duration,
    /// Dead letters kept per host.
    most_letters: u64,
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
    pub(super) fn new(config: &Config, engine: Engine, home: Home, hosts: CurrentHosts, targets: Targets) -> Self {
        let slots = targets.worker.as_deref().map(Worker::slots);
        Scheduler {
            state: Mutex::new(State::new(config, slots, engine.now())),
            engine,
            home,
            hosts,
            targets,
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

    fn count(&self, _host: HostId, _queue: Priority, _target: &Target, _result: state::Result, _took: Duration) {}
}
