//! A single file that is only ever replaced as a whole.

use std::{fs::File, io, path::Path};

use super::{Beside, Entries, Entry, Held, Mode, Place, Soon, staging::storage};
use crate::{Result, cache::SnapshotFile};

/// A file that nobody writes, or that is not there.
#[derive(Debug)]
pub struct FileAtRest(pub Place);

impl Beside for FileAtRest {
    fn place(&self) -> &Place {
        &self.0
    }

    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>>> {
        Box::pin(async { Ok(Box::new(Whole(self.0.clone())) as Box<dyn Held>) })
    }
}

/// The snapshot of a cache that is in use: saved before it is copied, so that the copy is not older than the rest.
#[derive(Debug)]
pub(crate) struct SnapshotBeside {
    pub(crate) file: SnapshotFile,
    pub(crate) place: Place,
}

impl Beside for SnapshotBeside {
    fn place(&self) -> &Place {
        &self.place
    }

    fn prepare(&self) -> Soon<'_, ()> {
        // If it cannot be saved the log says why, and what was saved before goes along.
        Box::pin(async {
            self.file.save().await;
        })
    }

    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>>> {
        Box::pin(async { Ok(Box::new(Whole(self.place.clone())) as Box<dyn Held>) })
    }
}

/// A file that is whole at any time.
struct Whole(Place);

impl Held for Whole {
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>> {
        // Open, it stays the one that it is.
        let file = open(&self.0.path)?.map(|file| (self.0.name, file));
        Ok(Box::new(Opened(file)))
    }
}

/// At most one file.
#[derive(Debug)]
pub(super) struct Opened(pub(super) Option<(String, File)>);

impl Entries for Opened {
    fn next(&mut self) -> Result<Option<Entry>> {
        let Some((name, file)) = self.0.take() else { return Ok(None) };
        let found = file.metadata().map_err(|error| storage(Path::new(&name), &error))?;
        Ok(Some(Entry { name, mode: Mode::Private, len: found.len(), content: Box::new(file) }))
    }
}

/// Opens a file for reading, if there is one.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(storage(path, &error)),
    }
}
