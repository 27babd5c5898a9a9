//! The sessions of a connector: at most five, closed when nobody used them for a minute, given back only when nothing of
//! the last request is left in them.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use deadpool::managed::{self, Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Failure,
    param::Param,
    session::{Connect, Fault, Session},
};
use crate::outbound::Limits;

/// Sessions of one connector.
pub(super) const MAX_SESSIONS: usize = 5;
const IDLE: Duration = Duration::from_secs(60);
/// How often idle sessions are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a session may take to get clean, and closing waits for statements that are being stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// The sessions of a connector.
pub(super) struct Pool<C: Connect> {
    sessions: managed::Pool<Maker<C>>,
    limits: Limits,
    errands: Errands,
    sweeper: Mutex<Option<JoinHandle<()>>>,
}

impl<C: Connect> Pool<C> {
    /// The errands are those of the sessions.
    pub(super) fn new(connector: C, limits: Limits, errands: Errands) -> Pool<C> {
        let builder = managed::Pool::builder(Maker { connector, within: limits.connect }).max_size(MAX_SESSIONS);
        let sessions = builder.build().expect("there are no timeouts for which it would need a runtime");
        Pool { sessions, limits, errands, sweeper: Mutex::new(None) }
    }

    /// Runs one statement and returns the JSON text of `data`.
    pub(super) async fn query(&self, query: &str, params: &[Param<'_>]) -> Result<Vec<u8>, Failure> {
        let (mut lease, result) =
            timeout(self.limits.whole, self.run(query, params)).await.unwrap_or(Err(Failure::TimedOut))?;
        // The statement has ended, which is told whatever happens now. A session that does not get clean is not used again.
        if timeout(FAREWELL, lease.session().clean()).await.unwrap_or(false) {
            lease.give_back();
        }
        result
    }

    /// What came of the statement, as long as its session is in order.
    async fn run(&self, query: &str, params: &[Param<'_>]) -> Result<(Lease<C>, Result<Vec<u8>, Failure>), Failure> {
        let (mut lease, prepared) = self.prepare(query).await?;
        let result = match prepared {
            Ok(statement) => lease.session().run(statement, params).await,
            Err(fault) => Err(fault),
        };
        match result {
            Ok(data) => Ok((lease, Ok(data))),
            Err(Fault::Refused(failure)) => Ok((lease, Err(failure))),
            Err(Fault::Broken(failure)) => Err(failure),
        }
    }

    /// A session that knows the statement, or what is wrong with it. Where the connection had broken while nobody used it,
    /// for instance because the server was restarted, another one is taken: nothing has run yet.
    async fn prepare(&self, query: &str) -> Result<(Lease<C>, Result<Statement<C>, Fault>), Failure> {
        loop {
            let mut lease = self.lease().await?;
            match lease.session().prepare(query).await {
                Err(Fault::Broken(_)) if lease.is_used() => {}
                prepared => return Ok((lease, prepared)),
            }
        }
    }

    /// A session that nobody else uses; waits while all are in use.
    async fn lease(&self) -> Result<Lease<C>, Failure> {
        self.sweep();
        match self.sessions.get().await {
            Ok(session) => Ok(Lease { session: Some(session) }),
            Err(PoolError::Backend(failure)) => Err(failure),
            Err(_) => Err(Failure::Unreachable("the connector is closed".into())),
        }
    }

    /// Ends all sessions that are not in use, the others when they come back.
    pub(super) async fn close(&self) {
        self.sessions.close();
        if let Some(sweeper) = self.sweeper.lock().take() {
            sweeper.abort();
        }
        self.errands.finish().await;
    }

    /// Starts the task that closes idle sessions; it ends with the pool.
    fn sweep(&self) {
        let mut sweeper = self.sweeper.lock();
        if sweeper.is_some() || self.sessions.is_closed() {
            return;
        }
        let sessions = self.sessions.weak();
        *sweeper = Some(tokio::spawn(async move {
            let mut ticks = interval(SWEEP);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(sessions) = sessions.upgrade() else { return };
                drop(sessions.retain(|_, metrics| metrics.last_used() < IDLE));
            }
        }));
    }
}

impl<C: Connect> Drop for Pool<C> {
    fn drop(&mut self) {
        if let Some(sweeper) = self.sweeper.get_mut().take() {
            sweeper.abort();
        }
    }
}

impl<C: Connect> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("status", &self.sessions.status()).finish_non_exhaustive()
    }
}

type Statement<C> = <<C as Connect>::Session as Session>::Statement;

/// Makes sessions for the pool, and looks whether one may be used again.
struct Maker<C> {
    connector: C,
    within: Duration,
}

impl<C: Connect> Manager for Maker<C> {
    type Type = C::Session;
    type Error = Failure;

    async fn create(&self) -> Result<C::Session, Failure> {
        timeout(self.within, self.connector.connect()).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn recycle(&self, session: &mut C::Session, _: &Metrics) -> RecycleResult<Failure> {
        if session.is_open() { Ok(()) } else { Err(RecycleError::message("the connection ended")) }
    }
}

/// A session in use. It ends unless it is given back: whoever fails half-way, or is dropped because its caller is gone,
/// cannot know what the session is doing.
struct Lease<C: Connect> {
    session: Option<Object<Maker<C>>>,
}

impl<C: Connect> Lease<C> {
    fn session(&mut self) -> &mut C::Session {
        self.session.as_mut().expect("is only taken when the lease ends")
    }

    /// Whether it was used before, so that its connection may have broken unnoticed.
    fn is_used(&self) -> bool {
        self.session.as_ref().is_some_and(|session| Object::metrics(session).recycle_count > 0)
    }

    /// Gives a clean session back.
    fn give_back(mut self) {
        drop(self.session.take());
    }
}

impl<C: Connect> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            drop(Object::take(session));
        }
    }
}

/// What is left to do on a server after a caller has its answer: stopping statements that nobody waits for any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Errands(Arc<Mutex<JoinSet<()>>>);

impl Errands {
    /// Runs this for itself. Callable from a destructor; without a runtime nothing is left that could run it.
    pub(super) fn run(&self, errand: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut errands = self.0.lock();
        while errands.try_join_next().is_some() {}
        errands.spawn_on(errand, &runtime);
    }

    async fn finish(&self) {
        let mut errands = std::mem::take(&mut *self.0.lock());
        let all = async { while errands.join_next().await.is_some() {} };
        // What is not done by then is aborted with the set.
        timeout(FAREWELL, all).await.ok();
    }
}

#[cfg(test)]
mod tests;
