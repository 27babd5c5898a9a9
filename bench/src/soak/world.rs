//! What everything in a soak shares: whether the server is up, what was counted, what went wrong.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::{sync::watch, time::sleep};

use super::process::Ports;
use crate::measure::scramble;

/// Faults that are kept in words.
const FAULTS_KEPT: usize = 100;

/// One soak.
pub struct World {
    /// Where the listeners are, in every life of the process.
    pub ports: Ports,
    pace: Cell<f64>,
    phase: watch::Sender<Phase>,
    counted: RefCell<Counted>,
    faults: RefCell<Vec<String>>,
    fault_count: Cell<u64>,
    drawn: Cell<u64>,
}

/// Whether there is a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Yes, and how often one was started before.
    Up(u32),
    /// It is being killed or started.
    Down(u32),
    /// Yes, but no more load is wanted.
    Over,
}

/// Since the last time somebody asked.
pub struct Counted {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests whose fate a kill hides.
    pub lost: u64,
    /// Nanoseconds each answer took.
    pub latency: Histogram<u64>,
}

impl Counted {
    fn new() -> Self {
        let latency = Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are in order");
        Counted { requests: 0, lost: 0, latency }
    }
}

impl World {
    /// Before the server is ready.
    pub fn new(ports: Ports, pace: f64) -> Self {
        World {
            ports,
            pace: Cell::new(pace),
            phase: watch::Sender::new(Phase::Down(0)),
            counted: RefCell::new(Counted::new()),
            faults: RefCell::default(),
            fault_count: Cell::new(0),
            drawn: Cell::new(0),
        }
    }

    /// From now on everything is done so many times as often as it says.
    pub fn set_pace(&self, pace: f64) {
        self.pace.set(pace);
    }

    /// The server is ready.
    pub fn up(&self) {
        self.phase.send_modify(|phase| {
            if let Phase::Down(life) = *phase {
                *phase = Phase::Up(life);
            }
        });
    }

    /// The server is about to be killed.
    pub fn down(&self) {
        self.phase.send_modify(|phase| {
            if let Phase::Up(life) = *phase {
                *phase = Phase::Down(life + 1);
            }
        });
    }

    /// No more load.
    pub fn over(&self) {
        self.phase.send_replace(Phase::Over);
    }

    /// Whether there is a server now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until it is time for the next thing of something that is done so often a second, and the server is up. False:
    /// enough of it.
    pub async fn turn(&self, per_second: f64) -> bool {
        let mut phase = self.phase.subscribe();
        // Not in step with the others.
        let pause = Duration::from_secs_f64((0.5 + self.chance()) / (per_second * self.pace.get()));
        tokio::select! {
            () = sleep(pause) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Over) => return false,
        }
        phase.wait_for(|phase| !matches!(phase, Phase::Down(_))).await.is_ok_and(|phase| *phase != Phase::Over)
    }

    /// From 0 to 1.
    pub fn chance(&self) -> f64 {
        self.below(1 << 32) as f64 / (1u64 << 32) as f64
    }

    /// From 0 to below `end`.
    pub fn below(&self, end: u64) -> u64 {
        self.drawn.set(self.drawn.get() + 1);
        scramble(self.drawn.get()) % end
    }

    /// An answer came.
    pub fn answered(&self, took: Duration) {
        let mut counted = self.counted.borrow_mut();
        counted.requests += 1;
        counted.latency.saturating_record(took.as_nanos() as u64);
    }

    /// A kill took an answer.
    pub fn lost(&self) {
        self.counted.borrow_mut().lost += 1;
    }

    /// What was counted since the last call.
    pub fn count(&self) -> Counted {
        self.counted.replace(Counted::new())
    }

    /// Something is not as it must be.
    pub fn fault(&self, fault: String) {
        eprintln!("fault: {fault}");
        self.fault_count.set(self.fault_count.get() + 1);
        let mut faults = self.faults.borrow_mut();
        if faults.len() < FAULTS_KEPT {
            faults.push(fault);
        }
    }

    /// How many of them there were.
    pub fn faults(&self) -> u64 {
        self.fault_count.get()
    }
}
