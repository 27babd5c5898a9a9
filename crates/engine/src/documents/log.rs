//! Keeps SQLite's write-ahead log short. SQLite starts it over when it finds nobody reading from it; with readers that
//! come and go without a gap it never does, and the log would grow for as long as they do.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

use super::open::BUSY_TIMEOUT;

/// A log that is longer is started over; what a large transaction made it grow to is given back beyond this.
pub(super) const LOG_BYTES: u64 = 32 << 20;
/// It has to grow by so much until that is tried again.
const STEP: u64 = LOG_BYTES / 4;
/// How long writes wait for the readers of a log: those that come meanwhile read from the file itself.
const PATIENCE: Duration = Duration::from_millis(100);

/// The log of a file.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// How long it may be until something is done.
    bound: u64,
}

impl Log {
    /// That of the database at this path.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Log { path: path.into(), bound: LOG_BYTES }
    }

    /// To be called after every commit.
    pub(super) fn tend(&mut self, conn: &Connection) {
        // A log that cannot be looked at cannot be written either, and the next commit will say so.
        let bytes = fs::metadata(&self.path).map_or(0, |log| log.len());
        if bytes <= LOG_BYTES {
            self.bound = LOG_BYTES;
        } else if bytes > self.bound {
            self.bound = bytes + STEP;
            if let Err(error) = start_over(conn) {
                tracing::warn!(%error, bytes, "the write-ahead log of the database cannot be started over");
            }
        }
    }
}

/// Moves everything into the file and lets the next commit begin the log anew, if no reader is left in it by then.
fn start_over(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(PATIENCE)?;
    let moved = conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
    conn.busy_timeout(BUSY_TIMEOUT)?;
    moved
}
