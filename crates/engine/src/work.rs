//! Background workers: one shape, one list, one shutdown. A worker waits for its trigger, does a bounded piece of work,
//! waits until that is durable, and goes on while there is more.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use manifold_store::Seq;
use tokio::task::JoinHandle;

use crate::{
    Error, Kind, Result, documents,
    feed::{Herald, Trim},
    kv::Forget,
    live::Live,
    series, stream,
    timers::Expiry,
    types,
};

/// A worker that failed tries again after this time.
const RETRY: Duration = Duration::from_secs(1);

/// A background worker.
pub(crate) trait Work: Send + Sync + 'static {
    /// Its name in logs.
    fn name(&self) -> &'static str;
    /// Completes when there may be something to do.
    fn trigger(&self, live: &Live) -> impl Future<Output = ()> + Send;
    /// Does a bounded piece.
    fn tick(&self, live: &Live) -> Result<Tick>;
}

/// What a piece of work came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tick {
    /// Whether there is more to do at once.
    pub(crate) more: bool,
    /// The frame to wait for before that.
    pub(crate) frame: Seq,
}

impl Tick {
    /// Nothing more to do, nothing to wait for.
    pub(crate) const DONE: Tick = Tick { more: false, frame: 0 };
}

/// The workers that run.
#[derive(Debug)]
pub(crate) struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts all workers of the engine; they end when `live` is stopped.
    pub(crate) fn start(live: &Arc<Live>) -> Self {
        Workers(vec![
            spawn(live, Herald),
            spawn(live, Expiry),
            spawn(live, Trim),
            spawn(live, Forget),
            spawn(live, stream::Seal),
            spawn(live, stream::Show),
            spawn(live, stream::Surplus),
            spawn(live, stream::Idle),
            spawn(live, stream::Sweep),
            spawn(live, series::Seal),
            spawn(live, series::Retain::default()),
            spawn(live, types::Sweep),
            spawn(live, types::Idle),
            spawn(live, documents::Purge),
        ])
    }

    /// Waits for all of them.
    pub(crate) async fn ended(self) {
        for worker in self.0 {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a background worker did not end by itself");
            }
        }
    }
}

fn spawn(live: &Arc<Live>, work: impl Work) -> JoinHandle<()> {
    let live = live.clone();
    // Boxed without its type: the runtime's own code for a task is not compiled for each of them.
    let running: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        live.unless_stopped(run(&live, &work)).await;
    });
    tokio::spawn(running)
}

async fn run(live: &Live, work: &impl Work) {
    loop {
        work.trigger(live).await;
        let mut told = false;
        while let Err(error) = drain(live, work).await {
            if *error.kind() == Kind::Closed {
                return;
            }
            live.counters.worker_failed();
            if !std::mem::replace(&mut told, true) {
                tell(work, &error);
            }
            live.clock.sleep(RETRY).await;
        }
    }
}

/// Once per failure, not once per retry. A full disk heals by itself; anything else somebody must look at.
fn tell(work: &impl Work, error: &Error) {
    match error.kind() {
        Kind::Full => tracing::warn!(worker = work.name(), %error, "a background worker waits for space"),
        _ => tracing::error!(worker = work.name(), %error, "a background worker failed and tries again"),
    }
}

/// Ticks until there is nothing more to do.
pub(crate) async fn drain(live: &Live, work: &impl Work) -> Result<()> {
    loop {
        live.store.room().await;
        let tick = catch_unwind(AssertUnwindSafe(|| work.tick(live)))
            .unwrap_or_else(|_| Err(Error::new(Kind::Bug, format!("the worker {:?} panicked", work.name()))))?;
        live.store.durable(tick.frame).await?;
        if !tick.more {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}
