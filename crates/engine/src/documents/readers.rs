//! Connections that read. A long read has one of them for itself, and a thread that nobody else needs. Short ones share
//! threads, connections and cuts: whoever takes a connection looks for all that wait by then, because handing one look to
//! another thread costs more than the look does.

use std::{collections::VecDeque, path::Path, sync::Arc};

use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinHandle,
};

use super::{
    open,
    tx::{self, Tx, execute},
};
use crate::{Clock, Error, Kind, Result};

/// Connections for reads whose length depends on how much there is, so that they never hold up short ones.
const FOR_LONG: usize = 3;
/// Connections for short ones.
pub(super) const FOR_SHORT: usize = 3;
/// Most short ones that share a cut: the log of the database cannot start over while it lasts.
const TOGETHER: usize = 32;

/// The pool.
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
    free_for_long: Arc<Semaphore>,
    short: Arc<Mutex<Short>>,
    interrupts: Vec<InterruptHandle>,
    closing: watch::Sender<bool>,
    clock: Clock,
}

/// The short ones.
#[derive(Default)]
struct Short {
    /// As many as there are callers who wait.
    waiting: VecDeque<Box<dyn Look>>,
    /// Connections that look for them.
    busy: usize,
    closed: bool,
}

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// It looks at what it was asked for.
    Short,
    /// It may look at everything.
    Long,
}

/// A look for somebody who waits.
trait Look: Send {
    /// Whether anybody still does.
    fn is_awaited(&self) -> bool;
    /// Looks, and tells what it came to. `Err` = there is no cut to look at.
    fn answer(self: Box<Self>, cut: Result<Tx<'_>>);
}

impl Readers {
    /// Opens all of them.
    pub(super) fn open(path: &Path, clock: Clock) -> rusqlite::Result<Readers> {
        const CONNECTIONS: usize = FOR_LONG + FOR_SHORT;
        let idle = (0..CONNECTIONS).map(|_| open::reader(path)).collect::<rusqlite::Result<Vec<_>>>()?;
        let interrupts = idle.iter().map(Connection::get_interrupt_handle).collect();
        Ok(Readers {
            idle: Arc::new(Mutex::new(idle)),
            free: Arc::new(Semaphore::new(CONNECTIONS)),
            free_for_long: Arc::new(Semaphore::new(FOR_LONG)),
            short: Arc::default(),
            interrupts,
            closing: watch::Sender::new(false),
            clock,
        })
    }

    /// Turns true when reads that wait for their clients are to end.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Begins a long look at one cut. Waits for its turn when others are under way.
    pub(super) async fn begin<T: Send + 'static>(
        &self,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let among_long = self.free_for_long.clone().acquire_owned().await.map_err(|_| closed())?;
        let mut lent = self.lend(Some(among_long))?;
        let clock = self.clock.clone();
        Ok(tokio::task::spawn_blocking(move || {
            // One cut for all statements; dropped without a change, so there is nothing to commit.
            let cut = lent.conn().transaction()?;
            tx::run(Tx::new(&cut, clock.now()), look)
        }))
    }

    /// What a look at one cut comes to, which was made after it was asked for.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        length: Length,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match length {
            Length::Short => self.wait_for(look)?.await.map_err(|_| closed())?,
            Length::Long => {
                let looked = self.begin(look).await?.await;
                looked.map_err(|error| Error::new(Kind::Bug, format!("a read of the database did not end: {error}")))?
            }
        }
    }

    fn wait_for<T: Send + 'static>(
        &self,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, answered) = oneshot::channel();
        let mut short = self.short.lock();
        if short.closed {
            return Err(closed());
        }
        short.waiting.push_back(Box::new(Call { look, answer }));
        // While there is another connection nobody stands behind a look that waits for the disk.
        if short.busy < FOR_SHORT {
            let looking = Looking { short: self.short.clone(), lent: Some(self.lend(None)?) };
            short.busy += 1;
            let clock = self.clock.clone();
            // It tells those who wait, and nobody else.
            drop(tokio::task::spawn_blocking(move || looking.look(&clock)));
        }
        Ok(answered)
    }

    /// A connection that nobody has: there are as many as may be lent.
    fn lend(&self, among_long: Option<OwnedSemaphorePermit>) -> Result<Lent> {
        // There is a permit for each connection, so only closing takes them all.
        let free = self.free.clone().try_acquire_owned().map_err(|_| closed())?;
        let conn = self.idle.lock().pop().expect("there are as many permits as connections");
        Ok(Lent { conn: Some(conn), idle: self.idle.clone(), _permits: (free, among_long) })
    }

    /// Ends reads that are under way and lets go of the file.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.free_for_long.close();
        let unheard = {
            let mut short = self.short.lock();
            short.closed = true;
            std::mem::take(&mut short.waiting)
        };
        // Whoever waits for them hears that the database is closed.
        drop(unheard);
        self.interrupts.iter().for_each(InterruptHandle::interrupt);
        let all = u32::try_from(self.interrupts.len()).expect("a few");
        if let Ok(permits) = self.free.acquire_many(all).await {
            self.free.close();
            self.idle.lock().clear();
            permits.forget();
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "the database is closed")
}

/// A thread that looks for others. Counted among the busy ones for as long as it has a connection.
struct Looking {
    short: Arc<Mutex<Short>>,
    lent: Option<Lent>,
}

impl Looking {
    /// Looks until nobody waits.
    fn look(mut self, clock: &Clock) {
        let mut looks = Vec::with_capacity(TOGETHER);
        while let Some(lent) = self.next(&mut looks) {
            together(lent.conn(), clock, looks.drain(..).filter(|look| look.is_awaited()));
        }
    }

    /// Takes those that wait, as many as may share a cut. Nobody waits: then the connection is given back at once, so that
    /// whoever comes next finds one or the other.
    fn next(&mut self, looks: &mut Vec<Box<dyn Look>>) -> Option<&mut Lent> {
        let mut short = self.short.lock();
        let count = short.waiting.len().min(TOGETHER);
        looks.extend(short.waiting.drain(..count));
        if count == 0 {
            give_back(&mut short, &mut self.lent);
        }
        self.lent.as_mut()
    }
}

impl Drop for Looking {
    /// Finds a connection only where it never began, because the runtime ends, or where a defect ended it.
    fn drop(&mut self) {
        give_back(&mut self.short.lock(), &mut self.lent);
    }
}

fn give_back(short: &mut Short, lent: &mut Option<Lent>) {
    if lent.take().is_some() {
        short.busy -= 1;
    }
}

/// Answers looks from a cut that is made now. One that loses it, as an interrupt does, leaves the others a new one.
fn together(conn: &Connection, clock: &Clock, looks: impl Iterator<Item = Box<dyn Look>>) {
    for look in looks {
        let begun = if conn.is_autocommit() { execute(conn, "BEGIN") } else { Ok(()) };
        look.answer(begun.map(|()| Tx::new(conn, clock.now())));
    }
    // There is nothing to commit; it is the shorter way.
    if !conn.is_autocommit()
        && execute(conn, "COMMIT").is_err()
        && let Err(error) = execute(conn, "ROLLBACK")
    {
        tracing::warn!(%error, "a reader of the database keeps its cut");
    }
}

struct Call<F, T> {
    look: F,
    answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Look for Call<F, T>
where
    F: FnOnce(Tx<'_>) -> Result<T> + Send,
    T: Send,
{
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn answer(self: Box<Self>, cut: Result<Tx<'_>>) {
        let Call { look, answer } = *self;
        // Whoever asked may have gone away.
        answer.send(cut.and_then(|cut| tx::run(cut, look))).ok();
    }
}

/// A connection that is given back whatever happens to who has it.
struct Lent {
    conn: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Returned after the connection, because fields are dropped after [`Drop::drop`].
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl Lent {
    fn conn(&mut self) -> &mut Connection {
        self.conn.as_mut().expect("it is given back only at the end")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.idle.lock().extend(self.conn.take());
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
