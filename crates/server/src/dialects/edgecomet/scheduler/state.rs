//! What the scheduler knows: decides what to pull, what to begin, and what becomes of what ended. It waits for nobody
//! and asks nobody, not even for the time.

use std::{collections::HashMap, time::Duration};

use foldhash::quality::RandomState;
use manifold_engine::{
    Timestamp,
    recache::{DeadLetter, HostId, Lease, Pull, Pulled},
};
use tokio::time::Instant;

use super::{
    backoff,
    owed::{End, Owed},
    rounds::{Room, Rounds},
    ticks::Ticks,
    waiting::{Merged, Waiting},
};
use crate::{
    dialects::edgecomet::{
        config::Config,
        job::Outcome,
        targets::{Contact, Roster, Target},
    },
    telemetry::JobEnd,
};

#[cfg(test)]
mod tests;

/// An entry whose target was not there waits so long: another may be, or the same one again.
const UNTRIED: Duration = Duration::from_secs(1);
/// No reason that is kept with a dead letter is longer, in characters.
const REASON_MOST: usize = 500;

/// The scheduler's state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) paused: bool,
    /// The process ends: nothing begins any more.
    pub(super) closing: bool,
    pub(super) last_tick: Timestamp,
    pub(super) waiting: Waiting,
    pub(super) roster: Roster,
    pub(super) owed: Owed,
    ticks: Ticks,
    rounds: Rounds,
    in_flight: HashMap<u64, Lease, RandomState>,
    rules: Rules,
}

/// What the configuration says.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Most entries that wait, are in flight, or of which the home does not know that they ended.
    max_size: usize,
    /// Attempts in all.
    max_attempts: u32,
    base_delay: Duration,
}

/// The moment at which something happens: what is waited for here, and what others are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) wall: Timestamp,
}

impl State {
    pub(super) fn new(config: &Config, slots: Option<usize>, now: Timestamp) -> Self {
        let rules = Rules {
            max_size: config.internal_queue.max_size,
            max_attempts: config.internal_queue.max_retries,
            base_delay: config.retry_base_delay(),
        };
        State {
            paused: false,
            closing: false,
            last_tick: now,
            waiting: Waiting::default(),
            roster: Roster::new(config, slots),
            owed: Owed::default(),
            ticks: Ticks::new(config.scheduler.tick_interval.0, config.scheduler.normal_check_interval.0),
            rounds: Rounds::default(),
            in_flight: HashMap::default(),
            rules,
        }
    }

    /// A tick, with the hosts as they are now, by ascending id.
    pub(super) fn tick(&mut self, now: Timestamp, hosts: &[HostId]) {
        let queues = self.ticks.tick();
        self.last_tick = now;
        if self.paused {
            return;
        }
        for lease in self.waiting.forget_hosts(|host| hosts.binary_search(&host).is_ok()) {
            self.owed.add(lease, End::GiveBack);
        }
        self.rounds.begin(self.ticks.count(), hosts, queues);
    }

    /// What to pull now. Its answer goes to [`State::pulled`] or [`State::not_pulled`] before the next question.
    pub(super) fn pulls(&mut self, now: Instant) -> Vec<Pull> {
        if self.paused || self.closing {
            return Vec::new();
        }
        let taken = self.waiting.len() + self.in_flight.len() + self.owed.ending();
        let space = self.rules.max_size.saturating_sub(taken);
        let room_of = |host| usize::try_from(self.roster.room_of(host, now)).unwrap_or(usize::MAX);
        let free = usize::try_from(self.roster.capacity(now)).unwrap_or(usize::MAX);
        let wanted = free.saturating_sub(self.waiting.ready(room_of));
        self.rounds.next(Room { space, wanted }, |host| room_of(host).saturating_sub(self.waiting.ready_of(host)))
    }

    /// Takes in what was pulled.
    pub(super) fn pulled(&mut self, pulled: Vec<Pulled>) {
        self.rounds.pulled(&pulled);
        for lease in pulled.into_iter().flat_map(|pulled| pulled.leases) {
            let merged = self.waiting.push(lease);
            self.settle(merged);
        }
    }

    /// The home did not answer.
    pub(super) fn not_pulled(&mut self, pulls: &[Pull]) {
        self.rounds.failed(pulls);
    }

    /// The next job to begin, if one may.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Lease, Target)> {
        if self.paused || self.closing || self.roster.capacity(now) == 0 {
            return None;
        }
        let roster = &self.roster;
        let lease = self.waiting.take(|host| roster.room_of(host, now) > 0)?;
        let Some(target) = self.roster.begin(lease.id, lease.host, now) else {
            self.waiting.ended(&lease);
            let merged = self.waiting.push(lease);
            self.settle(merged);
            return None;
        };
        self.in_flight.insert(lease.id, lease.clone());
        Some((lease, target))
    }

    /// A job has ended; how, unless its target was not there. Also tells whether its gateway is left out from now on.
    pub(super) fn ended(
        &mut self,
        lease: Lease,
        outcome: Outcome,
        contact: Contact,
        now: Moment,
    ) -> (Option<JobEnd>, bool) {
        let left_out = self.roster.ended(lease.id, contact, now.instant);
        self.in_flight.remove(&lease.id);
        self.waiting.ended(&lease);
        let attempts = lease.attempts.saturating_add(1);
        let end = match outcome {
            Outcome::Done => self.finish(lease, JobEnd::Success),
            Outcome::Skipped(_) => self.finish(lease, JobEnd::Skipped),
            Outcome::Permanent(reason) => self.bury(lease, attempts, &reason, now),
            Outcome::Temporary(reason) if attempts >= self.rules.max_attempts => {
                self.bury(lease, attempts, &reason, now)
            }
            Outcome::Temporary(_) => self.retry(Lease { attempts, ..lease }, now),
            Outcome::NotTried(_) => {
                let merged = self.waiting.put_back(lease, now.instant + UNTRIED);
                self.settle(merged);
                None
            }
        };
        (end, left_out)
    }

    /// Lets go of everything that is leased.
    pub(super) fn give_back(&mut self) {
        let in_flight = self.in_flight.drain().map(|(_, lease)| lease);
        for lease in in_flight.chain(self.waiting.drain()) {
            self.owed.add(lease, End::GiveBack);
        }
    }

    /// Jobs in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn finish(&mut self, lease: Lease, end: JobEnd) -> Option<JobEnd> {
        self.owed.add(lease, End::Finish);
        Some(end)
    }

    fn retry(&mut self, mut lease: Lease, now: Moment) -> Option<JobEnd> {
        let wait = backoff::wait(self.rules.base_delay, lease.attempts, backoff::chance());
        // Whole seconds, rounded up: after a restart it is not earlier either.
        lease.due = now.wall.plus(wait).0.div_ceil(1000);
        self.owed.add(lease.clone(), End::Wait);
        let merged = self.waiting.put_back(lease, now.instant + wait);
        self.settle(merged);
        Some(JobEnd::Retry)
    }

    fn bury(&mut self, lease: Lease, attempts: u32, reason: &str, now: Moment) -> Option<JobEnd> {
        let letter = DeadLetter {
            entry: lease.entry.clone(),
            priority: lease.priority,
            attempts,
            reason: reason.chars().take(REASON_MOST).collect(),
            failed_at: now.wall.0 / 1000,
        };
        self.owed.add(lease, End::Bury(letter));
        Some(JobEnd::Failed)
    }

    fn settle(&mut self, merged: Option<Merged>) {
        let Some(Merged { spare, waits }) = merged else { return };
        self.owed.add(spare, End::Finish);
        if let Some(lease) = waits {
            self.owed.add(lease, End::Wait);
        }
    }
}
