//! SQLite connectors. Every statement opens the file anew: that costs about as much as cleaning a connection would, and
//! nothing of one request (temporary tables, pragmas, an open transaction) can reach the next. Statements run on blocking
//! threads, at most five of a connector at a time.

use std::{fmt, path::PathBuf, sync::Arc};

use tokio::{sync::Semaphore, time::timeout};

use self::{cancel::Cancel, statement::Statement};
use super::{Failure, InvalidDsn, Kind, param::Param, pool::MAX_SESSIONS};
use crate::outbound::Limits;

mod bind;
mod cancel;
pub(super) mod dsn;
mod files;
mod statement;

pub use files::Files;

/// A SQLite file.
pub(super) struct Sqlite {
    path: PathBuf,
    read_only: bool,
    limits: Limits,
    files: Arc<Files>,
    places: Arc<Semaphore>,
}

/// Statements of all connectors at one time: they must not take every thread that may block.
static THREADS: Semaphore = Semaphore::const_new(32);

impl Sqlite {
    pub(super) fn open(dsn: &str, read_only: bool, limits: Limits, files: Arc<Files>) -> Result<Sqlite, InvalidDsn> {
        let dsn = dsn::parse(dsn).ok_or(InvalidDsn)?;
        let places = Arc::new(Semaphore::new(MAX_SESSIONS));
        Ok(Sqlite { path: dsn.path, read_only: read_only || dsn.read_only, limits, files, places })
    }

    pub(super) async fn query(&self, query: &str, params: &[Param<'_>]) -> Result<Vec<u8>, Failure> {
        timeout(self.limits.whole, self.run(query, params)).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn run(&self, query: &str, params: &[Param<'_>]) -> Result<Vec<u8>, Failure> {
        let closed = |_| Failure::Unreachable("the connector is closed".into());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        let thread = THREADS.acquire().await.expect("is never closed");
        let cancel = Cancel::default();
        // Whoever waits for this may go away; then the statement is to stop.
        let _cancels = cancel.on_drop();
        let statement = Statement {
            path: self.path.clone(),
            read_only: self.read_only,
            limits: self.limits,
            files: Arc::clone(&self.files),
            query: query.to_owned(),
            params: params.iter().map(bind::value).collect(),
            cancel,
        };
        let running = tokio::task::spawn_blocking(move || {
            // The place is free when the thread is.
            let (_place, _thread) = (place, thread);
            statement.run()
        });
        running.await.unwrap_or_else(|_| Err(refused("the statement ended in an unexpected way")))
    }

    pub(super) async fn close(&self) {
        self.places.close();
    }
}

/// Without the path, which is the connection string.
impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("read_only", &self.read_only).finish_non_exhaustive()
    }
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::Database { kind: Kind::Sqlite, message: message.into() }
}
