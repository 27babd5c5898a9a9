//! Documents in a backup: SQLite copies its own file, from a transaction that was begun while nobody wrote.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::mpsc,
};

use manifold_store::OpenError;
use rusqlite::{Connection, ErrorCode, OpenFlags, backup};

use super::{Beside, Entries, Entry, Held, Moment, Place, Soon, file::Opened, staging::storage};
use crate::{Error, Kind, Result, documents::Documents};

/// Pages copied at a time.
const STEP_PAGES: i32 = 4096;

/// How to open a file beside which SQLite keeps nothing, and keep it that way.
const ALONE: &str = "immutable=1";
/// The same with a log beside it, whose index is made anew in memory.
const WITH_ITS_LOG: &str = "readonly_shm=1";

/// Documents that are in use.
#[derive(Debug)]
pub(crate) struct DocumentsBeside {
    pub(crate) documents: Documents,
    pub(crate) place: Place,
}

/// A file of documents that no process of ours has open.
#[derive(Debug)]
pub struct DocumentsAtRest(pub Place);

impl Beside for DocumentsBeside {
    fn place(&self) -> &Place {
        &self.place
    }

    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>>> {
        Box::pin(async {
            let released = self.documents.stand_still().await?;
            Ok(Box::new(Standing { place: self.place.clone(), released: Some(released) }) as Box<dyn Held>)
        })
    }
}

impl Beside for DocumentsAtRest {
    fn place(&self) -> &Place {
        &self.0
    }

    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>>> {
        Box::pin(async {
            // Not opened here: closing a file frees the locks that this process has on it.
            Ok(match self.0.path.exists() {
                true => Box::new(Standing { place: self.0.clone(), released: None }) as Box<dyn Held>,
                false => Box::new(Absent),
            })
        })
    }
}

struct Absent;

impl Held for Absent {
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>> {
        Ok(Box::new(Opened(None)))
    }
}

/// Nobody of this process writes, as long as it lives.
struct Standing {
    place: Place,
    /// Lets those who write go on; none where no process of ours has the file open.
    released: Option<mpsc::Sender<()>>,
}

impl Held for Standing {
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>> {
        let path = &self.place.path;
        let from = match begin(path) {
            // SQLite cannot put its log beside the file. There is none, and nobody writes.
            Err(error) if self.released.is_none() && is_only_for_reading(&error) && is_alone(path) => {
                untouched(path, ALONE)?
            }
            begun => begun?,
        };
        Ok(Box::new(Reading { from: Some(from), place: self.place.clone(), copy: Opened(None) }))
    }
}

/// A transaction, which sees what there is at its first look.
fn begin(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(path, flags)?;
    from.busy_timeout(std::time::Duration::from_secs(5))?;
    from.execute_batch("BEGIN")?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(from)
}

/// Whether SQLite may not write where it would have to.
fn is_only_for_reading(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

/// Whether SQLite keeps nothing beside a file that belongs to it.
fn is_alone(path: &Path) -> bool {
    !has_bytes(&sibling(path, "-wal")) && !has_bytes(&sibling(path, "-journal"))
}

/// What SQLite keeps beside a file under its name and this ending.
fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn has_bytes(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// A transaction that sees the moment, then the copy of what it saw.
struct Reading {
    from: Option<Connection>,
    place: Place,
    copy: Opened,
}

impl Entries for Reading {
    fn settle(&mut self, _moment: &Moment, staging: &Path) -> Result<()> {
        let Some(from) = self.from.take() else { return Ok(()) };
        let path = staging.join("documents");
        copy(&from, &path)?;
        from.close().map_err(|(_, error)| error)?;
        let file = File::open(&path).map_err(|error| storage(&path, &error))?;
        self.copy = Opened(Some((self.place.name.clone(), file)));
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Entry>> {
        self.copy.next()
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Copies what a connection sees into a new file, and has it checked.
fn copy(from: &Connection, path: &Path) -> Result<()> {
    let mut to = Connection::open(path)?;
    to.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    to.pragma_update(None, "synchronous", "OFF")?;
    let copying = backup::Backup::new(from, &mut to)?;
    loop {
        match copying.step(STEP_PAGES)? {
            backup::StepResult::Done => break,
            backup::StepResult::More => {}
            // The file is ours alone and its source is being read already.
            _ => return Err(Error::new(Kind::Storage, "the database is locked by another program")),
        }
    }
    drop(copying);
    to.close().map_err(|(_, error)| error)?;
    sound(path).map_err(|why| Error::new(Kind::Storage, format!("the database is damaged: {why}")))
}

/// Whether SQLite finds nothing wrong with a file that nobody has open and beside which nothing is; its own words, if it
/// does.
pub(super) fn sound(path: &Path) -> std::result::Result<(), String> {
    let found = quick_check(path, ALONE).map_err(|error| error.to_string())?;
    if found == "ok" { Ok(()) } else { Err(found) }
}

/// The same of a file in a data directory that no process has open, in a sentence, whatever lies beside it. Nothing is
/// changed; none where there is no file.
pub(crate) fn check(path: &Path) -> std::result::Result<Option<&'static str>, OpenError> {
    let unreadable = |source| OpenError::Io { path: path.to_owned(), source };
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // SQLite says less well what is wrong.
        opened => drop(opened.map_err(unreadable)?),
    }
    let has_log = has_bytes(&sibling(path, "-wal"));
    if has_bytes(&sibling(path, "-journal")) || has_log && !sibling(path, "-shm").exists() {
        return Ok(Some("not checked, because SQLite would have to tidy up beside it first"));
    }
    let damaged = |reason: String| OpenError::Damaged { file: path.to_owned(), offset: 0, reason };
    match quick_check(path, if has_log { WITH_ITS_LOG } else { ALONE }) {
        Ok(found) if found == "ok" => Ok(Some("SQLite finds nothing wrong with it")),
        Ok(found) => Err(damaged(found.replace('\n', " "))),
        Err(error) => Err(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(error.to_string()),
            _ => unreadable(io::Error::other(error.to_string())),
        }),
    }
}

fn quick_check(path: &Path, how: &str) -> rusqlite::Result<String> {
    untouched(path, how)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// A file to be read only, in a way that changes nothing beside it either.
fn untouched(path: &Path, how: &str) -> rusqlite::Result<Connection> {
    let name = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?{how}"), flags)
}
