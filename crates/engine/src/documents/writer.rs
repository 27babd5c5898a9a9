//! The one thread that writes. Steps that wait for it share one transaction: each in a savepoint, so that one that is
//! refused does not take others with it, and all are answered after the one commit.

use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use super::{
    log::Log,
    tx::{self, Tx, execute},
};
use crate::{Clock, Error, Kind, Result};

/// Steps that may wait; who comes when there are as many waits for room.
const QUEUE: usize = 1024;
/// Most steps of one commit, so that the first of them does not wait for too many others.
const GROUP: usize = 128;

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Request {
    Step(Box<dyn Step>),
    /// Finish what was asked before, then end.
    Stop,
}

/// Something to do in a transaction, for somebody who waits.
trait Step: Send {
    /// Does it. `Err` = take back what it did.
    fn run(&mut self, tx: Tx<'_>) -> Result<()>;
    /// Tells how it went, and whether what it did was committed.
    fn answer(self: Box<Self>, committed: &Result<()>);
}

impl Writer {
    /// Starts the thread; without a file there is no log to look after.
    pub(super) fn start(conn: Connection, log: Option<Log>, clock: Clock) -> std::io::Result<Writer> {
        let (requests, asked) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("documents".to_owned());
        let thread = thread.spawn(move || serve(conn, log, asked, &clock))?;
        Ok(Writer { requests, thread: Mutex::new(Some(thread)) })
    }

    /// Asks for a step; the answer comes when it is committed.
    pub(super) async fn begin<T: Send + 'static>(
        &self,
        step: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, answered) = oneshot::channel();
        let step = Request::Step(Box::new(Call { step: Some(step), done: None, answer }));
        self.requests.send(step).await.map_err(|_| closed())?;
        Ok(answered)
    }

    /// What a step comes to, committed.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.begin(step).await?.await.map_err(|_| closed())?
    }

    /// The same for a step that nobody waits for; refused when others wait already.
    pub(super) fn write_later(&self, step: impl FnOnce(Tx<'_>) -> Result<()> + Send + 'static) -> Result<()> {
        let (answer, _) = oneshot::channel();
        let step = Request::Step(Box::new(Call { step: Some(step), done: None, answer }));
        self.requests.try_send(step).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::new(Kind::Busy, "the database has much to write"),
            TrySendError::Closed(_) => closed(),
        })
    }

    /// Completes when everything asked before is done and the file is closed.
    pub(super) async fn stop(&self) {
        // The thread may have ended already.
        self.requests.send(Request::Stop).await.ok();
        let Some(thread) = self.thread.lock().take() else { return };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::error!("the thread that writes documents did not end by itself");
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "the database is closed")
}

/// The thread: ends when it is told to, or when nobody holds a handle any more.
fn serve(conn: Connection, mut log: Option<Log>, mut asked: mpsc::Receiver<Request>, clock: &Clock) {
    let mut requests = Vec::with_capacity(GROUP);
    let mut steps = Vec::with_capacity(GROUP);
    while asked.blocking_recv_many(&mut requests, GROUP) > 0 {
        for request in requests.drain(..) {
            match request {
                Request::Step(step) => steps.push(step),
                // Those in the queue are received still, nobody else gets in.
                Request::Stop => asked.close(),
            }
        }
        if steps.is_empty() {
            continue;
        }
        let committed = together(&conn, clock, &mut steps);
        steps.drain(..).for_each(|step| step.answer(&committed));
        if let Some(log) = &mut log {
            log.tend(&conn);
        }
    }
    if let Err((_, error)) = conn.close() {
        tracing::error!(%error, "the database did not close");
    }
}

/// Runs steps in one transaction. `Err` = nothing of them is there.
fn together(conn: &Connection, clock: &Clock, steps: &mut [Box<dyn Step>]) -> Result<()> {
    take_back(conn)?;
    execute(conn, "BEGIN IMMEDIATE")?;
    // Read once the file is ours, so that time does not go back from one commit to the next.
    let tx = Tx::new(conn, clock.now());
    let committed = steps.iter_mut().try_for_each(|step| alone(tx, &mut **step));
    let committed = committed.and_then(|()| execute(conn, "COMMIT"));
    if committed.is_err()
        && let Err(error) = take_back(conn)
    {
        tracing::warn!(%error, "a transaction that failed is taken back before the next one");
    }
    committed
}

/// Takes back what is not committed.
fn take_back(conn: &Connection) -> Result<()> {
    if conn.is_autocommit() { Ok(()) } else { execute(conn, "ROLLBACK") }
}

/// Runs one step, or takes back what it did. `Err` = there is no transaction any more, or none that can go on: some
/// failures of the disk end it for everybody.
fn alone(tx: Tx<'_>, step: &mut dyn Step) -> Result<()> {
    execute(&tx, "SAVEPOINT step")?;
    let done = step.run(tx);
    if tx.is_autocommit() {
        return Err(done.err().unwrap_or_else(|| Error::new(Kind::Storage, "the database ended the transaction")));
    }
    if done.is_err() {
        execute(&tx, "ROLLBACK TO step")?;
    }
    execute(&tx, "RELEASE step")
}

/// A step with what it came to.
struct Call<F, T> {
    step: Option<F>,
    done: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Step for Call<F, T>
where
    F: FnOnce(Tx<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, tx: Tx<'_>) -> Result<()> {
        let step = self.step.take().expect("a step runs once");
        let done = tx::run(tx, step);
        let outcome = done.as_ref().map(drop).map_err(Clone::clone);
        self.done = Some(done);
        outcome
    }

    fn answer(self: Box<Self>, committed: &Result<()>) {
        // A refusal does not count either when what it rests on was not committed.
        let Call { done, answer, .. } = *self;
        let done = committed.clone().and_then(|()| done.expect("all steps ran before the commit"));
        // Whoever asked may have gone away.
        answer.send(done).ok();
    }
}
