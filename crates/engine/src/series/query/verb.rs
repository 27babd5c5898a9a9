//! The verb: a query on a thread where it may take its time.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{sync::Semaphore, task};

use crate::{
    Error, Kind, Namespace, Result,
    live::Live,
    series::{
        Query, SeriesPoints,
        query::{run::run, source::Stored},
    },
};

/// Queries that run at one time: each may use several threads, and its share of memory.
const RUNNING: usize = 4;

/// Lets a few queries run, the others wait.
#[derive(Debug)]
pub(crate) struct Queries(Arc<Semaphore>);

impl Default for Queries {
    fn default() -> Self {
        Queries(Arc::new(Semaphore::new(RUNNING)))
    }
}

#[cfg(test)]
impl Queries {
    /// All turns: nobody else gets one while they are held.
    pub(super) async fn all(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.0.clone().acquire_many_owned(RUNNING as u32).await.expect("never closed")
    }
}

/// Ends a query whose caller has gone.
pub(super) struct GiveUp(pub(super) Arc<AtomicBool>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Computes a query over what is durable. The time it may take includes the wait for others.
pub(crate) async fn query(live: &Arc<Live>, namespace: &Namespace, query: Query) -> Result<Vec<SeriesPoints>> {
    let given_up = GiveUp(Arc::new(AtomicBool::new(false)));
    let answer = answer(live.clone(), namespace.clone(), query, given_up.0.clone());
    let limit = live.limits.query.time;
    match live.unless_stopped(live.clock.timeout(limit, answer)).await {
        Some(Some(answer)) => answer,
        Some(None) => Err(Error::new(Kind::Busy, format!("the query takes longer than {limit:?}"))),
        None => Err(Error::new(Kind::Closed, "the engine is stopping")),
    }
}

async fn answer(
    live: Arc<Live>,
    namespace: Namespace,
    query: Query,
    given_up: Arc<AtomicBool>,
) -> Result<Vec<SeriesPoints>> {
    let turn = live.series.queries.0.clone().acquire_owned().await;
    let turn = turn.map_err(|_| Error::new(Kind::Closed, "no query runs any more"))?;
    let run = move || {
        // Kept until the work is really over, though nobody may wait for it.
        let _turn = turn;
        run(&Stored::new(&live, &namespace, &query), &query, &live.limits.query, &given_up)
    };
    match task::spawn_blocking(run).await {
        Ok(answer) => answer,
        Err(error) => Err(Error::new(Kind::Bug, format!("a query did not end by itself: {error}"))),
    }
}
