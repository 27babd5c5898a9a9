//! Documents in a backup: SQLite copies its own file, from a transaction that was begun while nobody wrote.

use std::{fs::File, path::Path, sync::mpsc};

use rusqlite::{Connection, OpenFlags, backup};

use super::{Beside, Entries, Entry, Held, Moment, Place, Soon, file::Opened, staging::storage};
use crate::{Error, Kind, Result, documents::Documents};

/// Pages copied at a time.
const STEP_PAGES: i32 = 4096;

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
            Ok(Box::new(Standing { place: self.place.clone(), _released: Some(released) }) as Box<dyn Held>)
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
                true => Box::new(Standing { place: self.0.clone(), _released: None }) as Box<dyn Held>,
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
    _released: Option<mpsc::Sender<()>>,
}

impl Held for Standing {
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let from = Connection::open_with_flags(&self.place.path, flags)?;
        from.busy_timeout(std::time::Duration::from_secs(5))?;
        // A transaction sees what there is at its first look.
        from.execute_batch("BEGIN")?;
        from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Box::new(Reading { from: Some(from), place: self.place.clone(), copy: Opened(None) }))
    }
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

/// Whether SQLite finds nothing wrong with a file that nobody has open; its own words, if it does.
pub(super) fn sound(path: &Path) -> std::result::Result<(), String> {
    let told = |error: rusqlite::Error| error.to_string();
    let escaped =
        path.to_str().ok_or("its name is no UTF-8")?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Nobody changes it: no file is put beside it.
    let conn = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).map_err(told)?;
    let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(told)?;
    if found == "ok" { Ok(()) } else { Err(found) }
}
