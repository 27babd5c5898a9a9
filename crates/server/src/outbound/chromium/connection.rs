//! Commands to a browser, answers and events from it, over the two ends of its debugging pipe.

use std::{
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    process::{ChildStdin, ChildStdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncBufRead, AsyncWrite, BufReader},
    net::unix::pipe,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    Failed,
    protocol::{Command, Event, Received, Sent},
    wire,
};

/// What is said of commands when the browser is gone.
const ENDED: Failed = Failed::Crashed("the browser ended");
/// Commands that wait to be written; more of them wait where they come from.
const WAITING: usize = 64;
/// Events of one tab that wait to be looked at. A page that makes them faster loses its tab.
const EVENTS: usize = 1024;
const READ_BYTES: usize = 1 << 16;

/// A connection to a browser. Clones share it; it ends with the last one.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: mpsc::Sender<Vec<u8>>,
    last_id: AtomicU64,
    table: Arc<Table>,
    ended: watch::Receiver<bool>,
    tasks: [JoinHandle<()>; 2],
}

/// Who waits for what; nobody any more when the browser is gone.
#[derive(Debug, Default)]
struct Table(Mutex<Option<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Option<Box<RawValue>>>>,
    events: HashMap<String, mpsc::Sender<Event>>,
}

impl Connection {
    /// Over these ends of the pipe. The longest message that may come is given in bytes.
    pub(super) fn open(commands: ChildStdin, answers: ChildStdout, longest: usize) -> io::Result<Connection> {
        let commands = pipe::Sender::from_owned_fd(OwnedFd::from(commands))?;
        let answers = pipe::Receiver::from_owned_fd(OwnedFd::from(answers))?;
        Ok(Connection::over(commands, BufReader::with_capacity(READ_BYTES, answers), longest))
    }

    fn over(
        mut to: impl AsyncWrite + Unpin + Send + 'static,
        mut from: impl AsyncBufRead + Unpin + Send + 'static,
        longest: usize,
    ) -> Connection {
        let (commands, mut unwritten) = mpsc::channel::<Vec<u8>>(WAITING);
        let (ending, ended) = watch::channel(false);
        let table = Arc::new(Table(Mutex::new(Some(Waiting::default()))));
        let writing = tokio::spawn(async move {
            while let Some(message) = unwritten.recv().await {
                if wire::write(&mut to, message).await.is_err() {
                    return;
                }
            }
        });
        let known = Arc::clone(&table);
        let reading = tokio::spawn(async move {
            while let Ok(Some(message)) = wire::read(&mut from, longest).await {
                known.deliver(&message);
            }
            known.close();
            ending.send_replace(true);
        });
        let inner = Inner { commands, last_id: AtomicU64::new(0), table, ended, tasks: [writing, reading] };
        Connection(Arc::new(inner))
    }

    /// Does something, in a tab or in the browser, and waits for the answer.
    pub(super) async fn call<C: Command>(&self, session: Option<&str>, command: &C) -> Result<C::Answer, Failed> {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let waiting = Pending::register(&self.0.table, id)?;
        self.send(id, session, command).await?;
        let answer = waiting.answer().await?.ok_or(Failed::Refused(C::METHOD))?;
        serde_json::from_str(answer.get()).map_err(|_| Failed::Refused(C::METHOD))
    }

    /// Does something whose answer is of no interest.
    pub(super) async fn post<C: Command>(&self, session: Option<&str>, command: &C) -> Result<(), Failed> {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        self.send(id, session, command).await
    }

    async fn send<C: Command>(&self, id: u64, session: Option<&str>, command: &C) -> Result<(), Failed> {
        let sent = Sent { id, method: C::METHOD, params: command, session_id: session };
        let message = serde_json::to_vec(&sent).map_err(|_| Failed::Refused(C::METHOD))?;
        self.0.commands.send(message).await.map_err(|_| ENDED)
    }

    /// What happens in a tab from now on. Ends when the tab makes more events than are looked at, or the browser ends.
    pub(super) fn events(&self, session: &str) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(EVENTS);
        if let Some(waiting) = &mut *self.0.table.0.lock() {
            waiting.events.insert(session.to_owned(), events);
        }
        receiver
    }

    /// No more events of a tab.
    pub(super) fn forget(&self, session: &str) {
        if let Some(waiting) = &mut *self.0.table.0.lock() {
            waiting.events.remove(session);
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.0.ended.borrow()
    }

    /// Comes back when the browser is gone.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.0.ended.clone();
        // An error means that the reader is gone, and then so is what it read from.
        async move { drop(ended.wait_for(|ended| *ended).await) }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Table {
    fn deliver(&self, message: &[u8]) {
        let Ok(message) = serde_json::from_slice::<Received<'_>>(message) else { return };
        let mut waiting = self.0.lock();
        let Some(waiting) = &mut *waiting else { return };
        if let Some(answer) = message.id.and_then(|id| waiting.answers.remove(&id)) {
            // Whoever asked may have given up.
            answer.send(message.result.map(ToOwned::to_owned)).ok();
        } else if let (Some(method), Some(session)) = (message.method, message.session_id) {
            let Some(event) = Event::read(&method, message.params) else { return };
            // One event that is lost may be a request that waits forever: better the tab ends.
            if waiting.events.get(&session).is_some_and(|events| events.try_send(event).is_err()) {
                waiting.events.remove(&session);
            }
        }
    }

    fn close(&self) {
        *self.0.lock() = None;
    }
}

/// An answer that is waited for; forgotten when nobody does any more.
struct Pending<'a> {
    table: &'a Table,
    id: u64,
    answer: oneshot::Receiver<Option<Box<RawValue>>>,
}

impl<'a> Pending<'a> {
    fn register(table: &'a Table, id: u64) -> Result<Pending<'a>, Failed> {
        let (sender, answer) = oneshot::channel();
        table.0.lock().as_mut().ok_or(ENDED)?.answers.insert(id, sender);
        Ok(Pending { table, id, answer })
    }

    /// The result; none when the browser refused.
    async fn answer(mut self) -> Result<Option<Box<RawValue>>, Failed> {
        (&mut self.answer).await.map_err(|_| ENDED)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = &mut *self.table.0.lock() {
            waiting.answers.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests;
