//! From a path to connections that are set up alike.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use manifold_store::{Level, OpenError};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    connectors, limits, locks,
    log::LOG_BYTES,
    schema::{PROBES, SCHEMA},
};

/// How long a statement waits for another process that has the file locked.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;
/// The path that stands for no file at all.
pub const IN_MEMORY: &str = ":memory:";

/// Where the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file, by its absolute path.
    File(PathBuf),
    /// In memory, gone with the process.
    Memory,
}

/// Which file a path leads to: its device and its number there.
pub(super) type Identity = (u64, u64);

/// Which file is at a path now.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

impl Place {
    /// `:memory:` or a path. It is made absolute: a relative one could look like a URI to SQLite.
    pub(super) fn new(path: &Path) -> Result<Place, OpenError> {
        if path.as_os_str() == IN_MEMORY {
            return Ok(Place::Memory);
        }
        let absolute = std::path::absolute(path);
        absolute.map(Place::File).map_err(|source| OpenError::Io { path: path.to_owned(), source })
    }
}

/// The connection that writes; makes the file and whatever is missing in it.
pub(super) fn writer(place: &Place, level: Level) -> Result<Connection, OpenError> {
    let Place::File(path) = place else {
        let opened = Connection::open_in_memory().and_then(|conn| set_up(&conn, level).map(|()| conn));
        return opened.map_err(|error| refuse(Path::new(IN_MEMORY), &error));
    };
    let touched = touch(path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
    let conn = connect(path).and_then(|conn| set_up(&conn, level).map(|()| conn));
    let conn = conn.map_err(|error| refuse(path, &error))?;
    let mode = conn.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    match mode.as_deref() {
        Ok("wal") => {}
        Ok(_) => return Err(foreign(path, "it cannot have a write-ahead log")),
        Err(error) => return Err(refuse(path, error)),
    }
    // SQLite syncs the directory for its logs only.
    for directory in touched {
        let synced = File::open(&directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| OpenError::Io { path: directory, source })?;
    }
    Ok(conn)
}

/// A connection that reads what is committed.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path)?;
    configure(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // A connection is never used by two threads at a time, so it needs no lock of its own.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn set_up(conn: &Connection, level: Level) -> rusqlite::Result<()> {
    configure(conn)?;
    let synchronous = match level {
        Level::Always => "FULL",
        Level::Interval | Level::Os => "NORMAL",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES.cast_signed(), |_| Ok(()))?;
    let own = [locks::SCHEMA, limits::SCHEMA, connectors::SCHEMA].concat();
    conn.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} {own} COMMIT;"))?;
    PROBES.iter().try_for_each(|probe| conn.prepare(probe).map(drop))
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Makes the file if there is none, for its owner only, with the directories it is in. The directories that have a new
/// entry by that; the one of the file always, since it may be new from a start that a power loss ended.
fn touch(path: &Path) -> io::Result<Vec<PathBuf>> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let mut changed: Vec<PathBuf> = parent.ancestors().take_while(|up| !up.exists()).map(Path::to_owned).collect();
    let highest = changed.last().and_then(|made| made.parent()).map(Path::to_owned);
    fs::create_dir_all(parent)?;
    changed.extend(highest);
    if changed.is_empty() {
        changed.push(parent.to_owned());
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Says better than SQLite what is wrong. Nobody here has the file open yet, so closing it drops no locks.
            OpenOptions::new().read(true).write(true).open(path)?;
        }
        Err(error) => return Err(error),
    }
    Ok(changed)
}

/// One sentence about a file that cannot be used.
pub(super) fn refuse(path: &Path, error: &rusqlite::Error) -> OpenError {
    let reason = match error {
        // Its tables are not those we know.
        rusqlite::Error::SqlInputError { msg, .. } => return foreign(path, msg),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => foreign(path, &reason),
        _ => OpenError::Io { path: path.to_owned(), source: io::Error::other(reason) },
    }
}

fn foreign(path: &Path, reason: &str) -> OpenError {
    OpenError::Foreign { file: path.to_owned(), reason: reason.to_owned() }
}
