//! The task that does what [`State`] decides: it ticks, talks to the home and runs jobs. It waits for all of them at
//! once, so that neither a slow home nor a slow page stops a tick.

use std::{future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use manifold_engine::recache::{HostId, Lease, Pull, Pulled};
use tokio::{
    sync::{OwnedRwLockWriteGuard, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};

use super::{
    Scheduler,
    owed::{self, Batch},
    state::Moment,
};
use crate::dialects::edgecomet::{
    home::{HomeError, Registry},
    job::{Job, Outcome},
    targets::{Contact, Target},
};

/// A home that did not take something is told again after this time.
const TOLD_AGAIN: Duration = Duration::from_millis(500);
/// At the end the home is told for so long; what it does not take then, the next start finds.
const GIVING_BACK: Duration = Duration::from_secs(3);
const GIVING_BACK_AGAIN: Duration = Duration::from_millis(50);

/// Held while entries are neither in the home's queues nor known here.
type Moving = OwnedRwLockWriteGuard<()>;
/// What became of leases of an earlier run.
type Recovered = (Result<u64, HomeError>, Moving);
/// What was asked for, and what came of it.
type Gained = (Vec<Pull>, Result<Vec<Pulled>, HomeError>, Moving);
/// One call of the home that runs, or none.
type Call<T> = Option<BoxFuture<'static, T>>;

/// The task.
pub(super) struct Driver {
    scheduler: Arc<Scheduler>,
    jobs: JoinSet<Ended>,
    recovering: Call<Recovered>,
    looking: Call<Result<Registry, HomeError>>,
    pulling: Call<Gained>,
    telling: Call<(Batch, Option<HomeError>)>,
    tell_from: Instant,
    recovered: bool,
    /// The home failed since the last tick, so it is not asked for more before the next one.
    failed: bool,
    /// That the home fails was logged.
    in_trouble: bool,
}

/// A job that has ended.
struct Ended {
    lease: Lease,
    target: Target,
    outcome: Outcome,
    contact: Contact,
    took: Duration,
}

impl Driver {
    pub(super) fn new(scheduler: Arc<Scheduler>) -> Self {
        Driver {
            scheduler,
            jobs: JoinSet::new(),
            recovering: None,
            looking: None,
            pulling: None,
            telling: None,
            tell_from: Instant::now(),
            recovered: false,
            failed: false,
            in_trouble: false,
        }
    }

    /// Goes on until `shutdown` turns true; then comes to an end.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let period = self.scheduler.tick_interval;
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let wake = self.go_on();
            tokio::select! {
                _ = shutdown.wait_for(|down| *down) => break,
                _ = ticks.tick() => self.tick(),
                (recovered, moving) = answered(&mut self.recovering) => {
                    self.recovered(recovered);
                    drop(moving);
                }
                found = answered(&mut self.looking) => self.looked(found),
                (pulls, pulled, moving) = answered(&mut self.pulling) => self.pulled(&pulls, pulled, moving),
                (failed, why) = answered(&mut self.telling) => self.told(failed, why),
                Some(ended) = self.jobs.join_next() => self.ended(ended),
                () = until(wake) => {}
            }
        }
        self.end().await;
    }

    fn tick(&mut self) {
        self.failed = false;
        let hosts: Vec<HostId> = self.scheduler.hosts.get().iter().map(|host| host.id).collect();
        self.scheduler.state.lock().tick(self.scheduler.engine.now(), &hosts);
        if self.looking.is_none() {
            let home = self.scheduler.home.clone();
            self.looking = Some(async move { home.registry().await }.boxed());
        }
    }

    /// Begins what can begin; when to look again at the latest.
    fn go_on(&mut self) -> Option<Instant> {
        let (scheduler, now) = (self.scheduler.clone(), Instant::now());
        let mut state = scheduler.state.lock();
        state.waiting.wake(now);
        while let Some((lease, target)) = state.begin(now) {
            self.begin(lease, target);
        }
        if !self.recovered && self.recovering.is_none() && !self.failed && !state.closing {
            let home = scheduler.home.clone();
            let (moving, first) = (scheduler.moving.clone(), scheduler.unrecovered.lock().take());
            let recovering = async move {
                let moving = match first {
                    Some(held) => held,
                    None => moving.write_owned().await,
                };
                (home.recover().await, moving)
            };
            self.recovering = Some(recovering.boxed());
        }
        if self.recovered && self.pulling.is_none() && !self.failed {
            self.pull(state.pulls(now));
        }
        if self.telling.is_none() && !state.owed.is_empty() && self.tell_from <= now {
            let batch = state.owed.take();
            self.telling = Some(owed::tell(scheduler.home.clone(), batch, scheduler.most_letters).boxed());
        }
        let tell_from = (self.telling.is_none() && !state.owed.is_empty()).then_some(self.tell_from);
        [state.waiting.next_ready(), tell_from].into_iter().flatten().min()
    }

    fn pull(&mut self, pulls: Vec<Pull>) {
        if pulls.is_empty() {
            return;
        }
        let scheduler = self.scheduler.clone();
        let pulling = async move {
            let moving = scheduler.moving.clone().write_owned().await;
            // Who paused it meanwhile was told that nothing is pulled; what was asked for is asked for again.
            let pulled = if scheduler.state.lock().paused {
                Ok(pulls.iter().map(|pull| Pulled { pull: *pull, leases: Vec::new(), due_left: true }).collect())
            } else {
                scheduler.home.pull(&pulls, scheduler.engine.now().0 / 1000).await
            };
            (pulls, pulled, moving)
        };
        self.pulling = Some(pulling.boxed());
    }

    fn begin(&mut self, lease: Lease, target: Target) {
        let targets = self.scheduler.targets.clone();
        self.jobs.spawn(async move {
            let began = Instant::now();
            let job = Job { host: lease.host, url: lease.entry.url.clone(), dimension: lease.entry.dimension };
            let done = AssertUnwindSafe(targets.run(&target, &job)).catch_unwind().await;
            let (outcome, contact) = done.unwrap_or_else(|_| {
                tracing::error!(url = &*job.url, "edgecomet: a job panicked");
                (Outcome::Temporary("the job panicked".to_owned()), Contact::Answered)
            });
            Ended { lease, target, outcome, contact, took: began.elapsed() }
        });
    }

    /// One job has ended, and with it those that ended meanwhile.
    fn ended(&mut self, first: Result<Ended, tokio::task::JoinError>) {
        let mut next = Some(first);
        let mut state = self.scheduler.state.lock();
        while let Some(ended) = next {
            // A job that panics says so itself, and none is cancelled before the end.
            if let Ok(Ended { lease, target, outcome, contact, took }) = ended {
                let now = Moment { instant: Instant::now(), wall: self.scheduler.engine.now() };
                log(&outcome, &lease);
                let (end, left_out) = state.ended(lease.clone(), outcome, contact, now);
                if let (true, Target::Gateway(gateway)) = (left_out, &target) {
                    tracing::warn!(gateway = gateway.id, "edgecomet: a gateway cannot be reached and is left out");
                }
                self.scheduler.count(&lease, &target, end, took);
            }
            next = self.jobs.try_join_next();
        }
    }

    fn recovered(&mut self, recovered: Result<u64, HomeError>) {
        if let Some(entries) = self.heard(recovered) {
            self.recovered = true;
            if entries > 0 {
                tracing::info!(entries, "edgecomet: entries of an earlier run are queued again");
            }
        }
    }

    fn looked(&mut self, found: Result<Registry, HomeError>) {
        let found = self.heard(found);
        let mut state = self.scheduler.state.lock();
        match found {
            Some(registry) => state.roster.learn(registry),
            None => state.roster.forget(),
        }
    }

    fn pulled(&mut self, pulls: &[Pull], pulled: Result<Vec<Pulled>, HomeError>, moving: Moving) {
        let pulled = self.heard(pulled);
        let mut state = self.scheduler.state.lock();
        match pulled {
            Some(pulled) => state.pulled(pulled),
            None => state.not_pulled(pulls),
        }
        drop(moving);
    }

    fn told(&mut self, failed: Batch, why: Option<HomeError>) {
        self.heard(why.map_or(Ok(()), Err));
        if !failed.is_empty() {
            self.tell_from = Instant::now() + TOLD_AGAIN;
        }
        self.scheduler.state.lock().owed.told(failed);
    }

    /// What the home answered; that it did not is logged once, until it does.
    fn heard<T>(&mut self, answer: Result<T, HomeError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if self.in_trouble {
                    tracing::info!("edgecomet: the home of the queues answers again");
                    self.in_trouble = false;
                }
                Some(answer)
            }
            Err(error) => {
                if !self.in_trouble {
                    tracing::warn!(%error, "edgecomet: the home of the queues does not answer");
                    self.in_trouble = true;
                }
                self.failed = true;
                None
            }
        }
    }

    /// Waits for running jobs as long as configured, then gives back what is left.
    async fn end(mut self) {
        // Nobody waits for these any more, and while they are not polled they must not hold what others wait for.
        (self.looking, self.recovering) = (None, None);
        self.scheduler.state.lock().closing = true;
        let grace = self.scheduler.shutdown_grace;
        drop(timeout(grace, self.running()).await);
        self.jobs.shutdown().await;
        self.scheduler.state.lock().give_back();
        drop(timeout(GIVING_BACK, self.all_told()).await);
        let left = self.scheduler.state.lock().owed.len();
        if left > 0 {
            tracing::warn!(leases = left, "edgecomet: the next start gives back what the home did not take now");
        }
    }

    /// Completes when no job runs and nothing is on its way here.
    async fn running(&mut self) {
        while !self.jobs.is_empty() || self.pulling.is_some() {
            self.go_on();
            tokio::select! {
                (pulls, pulled, moving) = answered(&mut self.pulling) => self.pulled(&pulls, pulled, moving),
                (failed, why) = answered(&mut self.telling) => self.told(failed, why),
                Some(ended) = self.jobs.join_next() => self.ended(ended),
            }
        }
    }

    /// Completes when the home knows everything.
    async fn all_told(&mut self) {
        while self.pulling.is_some() {
            tokio::select! {
                (pulls, pulled, moving) = answered(&mut self.pulling) => self.pulled(&pulls, pulled, moving),
                (failed, why) = answered(&mut self.telling) => self.told(failed, why),
            }
        }
        self.scheduler.state.lock().give_back();
        loop {
            if self.telling.is_some() {
                let (failed, why) = answered(&mut self.telling).await;
                self.told(failed, why);
            }
            if self.scheduler.state.lock().owed.is_empty() {
                return;
            }
            if self.tell_from > Instant::now() {
                sleep(GIVING_BACK_AGAIN).await;
                self.tell_from = Instant::now();
            }
            self.go_on();
        }
    }
}

/// What a call gives when it runs; it does not complete when there is none.
async fn answered<T>(call: &mut Call<T>) -> T {
    let Some(running) = call else { return pending().await };
    let answer = running.await;
    *call = None;
    answer
}

/// Completes at that moment, if there is one.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

fn log(outcome: &Outcome, lease: &Lease) {
    let (host, url) = (lease.host.0, &*lease.entry.url);
    match outcome {
        Outcome::Done => tracing::debug!(host, url, "edgecomet: recached"),
        Outcome::Skipped(why) => tracing::debug!(host, url, why, "edgecomet: nothing to store"),
        Outcome::Temporary(why) => tracing::info!(host, url, why, "edgecomet: an attempt failed"),
        Outcome::Permanent(why) => tracing::info!(host, url, why, "edgecomet: failed for good"),
        Outcome::NotTried(why) => tracing::debug!(host, url, why, "edgecomet: not tried"),
    }
}
