//! Connections that read. Each read has one of them for itself and sees one cut; a long one keeps a thread busy that
//! nobody else needs.

use std::{path::Path, sync::Arc};

use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
};

use super::{
    open,
    tx::{self, Tx},
};
use crate::{Clock, Error, Kind, Result};

/// Connections.
const CONNECTIONS: usize = 6;
/// Those of them that reads may have whose length depends on how much there is, so that they never hold up short ones.
const FOR_LONG: usize = 3;

/// The pool.
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
    free_for_long: Arc<Semaphore>,
    interrupts: Vec<InterruptHandle>,
    closing: watch::Sender<bool>,
    clock: Clock,
}

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// It looks at what it was asked for.
    Short,
    /// It may look at everything.
    Long,
}

impl Readers {
    /// Opens all of them.
    pub(super) fn open(path: &Path, clock: Clock) -> rusqlite::Result<Readers> {
        let idle = (0..CONNECTIONS).map(|_| open::reader(path)).collect::<rusqlite::Result<Vec<_>>>()?;
        let interrupts = idle.iter().map(Connection::get_interrupt_handle).collect();
        Ok(Readers {
            idle: Arc::new(Mutex::new(idle)),
            free: Arc::new(Semaphore::new(CONNECTIONS)),
            free_for_long: Arc::new(Semaphore::new(FOR_LONG)),
            interrupts,
            closing: watch::Sender::new(false),
            clock,
        })
    }

    /// Turns true when reads that wait for their clients are to end.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Begins a look at one cut. Waits for its turn when all are busy.
    pub(super) async fn begin<T: Send + 'static>(
        &self,
        length: Length,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let among_long = match length {
            Length::Short => None,
            Length::Long => Some(permit(&self.free_for_long).await?),
        };
        let free = permit(&self.free).await?;
        let conn = self.idle.lock().pop().expect("there are as many permits as connections");
        let lent = Lent { conn: Some(conn), idle: self.idle.clone(), _permits: (free, among_long) };
        let clock = self.clock.clone();
        Ok(tokio::task::spawn_blocking(move || lent.look(&clock, look)))
    }

    /// What a look at one cut comes to.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        length: Length,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let looked = self.begin(length, look).await?.await;
        looked.map_err(|error| Error::new(Kind::Bug, format!("a read of the database did not end: {error}")))?
    }

    /// Ends reads that are under way and lets go of the file.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.free_for_long.close();
        self.interrupts.iter().for_each(InterruptHandle::interrupt);
        let all = u32::try_from(CONNECTIONS).expect("a few");
        if let Ok(permits) = self.free.acquire_many(all).await {
            self.free.close();
            self.idle.lock().clear();
            permits.forget();
        }
    }
}

async fn permit(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let permit = semaphore.clone().acquire_owned().await;
    permit.map_err(|_| Error::new(Kind::Closed, "the database is closed"))
}

/// A connection that is given back whatever happens to who has it.
struct Lent {
    conn: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Returned after the connection, because fields are dropped after [`Drop::drop`].
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl Lent {
    fn look<T>(mut self, clock: &Clock, look: impl FnOnce(Tx<'_>) -> Result<T>) -> Result<T> {
        let conn = self.conn.as_mut().expect("it is given back only at the end");
        // One cut for all statements; dropped without a change, so there is nothing to commit.
        let cut = conn.transaction()?;
        tx::run(Tx::new(&cut, clock.now()), look)
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
