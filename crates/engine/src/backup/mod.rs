//! Copies of everything at one moment, and the way back.
//!
//! `Engine::backup` makes the cut: whoever keeps something beside the log holds still ([`Beside`]), the log's end is
//! noted, all go on. What the cut consists of is then written as one stream (`write`), an archive in the format of
//! tar with a manifest at its end; `receive` makes a file or a directory of it, `restore` a data directory, `check` reads
//! either one back. Nothing that is not whole and checked ever gets its final name.

use std::{path::Path, sync::Arc};

use manifold_store::{Claim, LogCut, Range, Snapshot, Store, disk::RealDisk};

use crate::{Engine, Error, Kind, Result, Timestamp, keys, recache};

mod archive;
mod beside;
mod check;
mod documents;
mod error;
mod file;
mod folder;
mod manifest;
mod read;
mod receive;
mod restore;
mod staging;
mod write;

#[cfg(test)]
mod tests;

pub use beside::{Beside, Entries, Entry, Held, Mode, Place, Soon};
pub use documents::DocumentsAtRest;
pub use error::BackupError;
pub use file::FileAtRest;
pub use manifest::{Elsewhere, FileSum, Manifest};
pub use receive::{Received, receive};
pub use restore::restore;

pub use staging::{Staging, tidy};

pub(crate) use documents::{DocumentsBeside, check as check_documents};
pub(crate) use file::SnapshotBeside;

/// Everything at one moment, ready to be written. What it is made of stays readable until it is dropped.
#[derive(Debug)]
pub struct Backup {
    taken_at: Timestamp,
    log: LogCut,
    beside: Vec<Box<dyn Entries>>,
    elsewhere: Vec<Elsewhere>,
    _held: Resources,
}

/// What has to outlive the copy.
#[derive(Debug)]
struct Resources {
    _staging: Option<Staging>,
    _claim: Option<Claim>,
}

/// The moment of a cut, for those beside the log whose rows are in it.
#[derive(Debug, Clone)]
pub struct Moment {
    rows: Option<Arc<Snapshot>>,
}

impl Backup {
    /// The last frame of the log that is in it.
    pub fn sequence(&self) -> u64 {
        self.log.seq
    }
}

impl Moment {
    /// The moment of a directory in which nothing happens.
    pub fn at_rest() -> Moment {
        Moment { rows: None }
    }

    /// Files of all records of pages, by their paths; `None` where rows cannot be read because the log is at rest.
    pub fn page_files(&self) -> Result<Option<Vec<String>>> {
        let Some(rows) = &self.rows else { return Ok(None) };
        let mut files = Vec::new();
        let mut next = Some(Vec::new());
        while let Some(from) = next {
            let chunk = rows.range(keys::RECACHE_RECORD, &Range { from, to: None, limit: 1024, reverse: false });
            for (_, row) in &chunk.rows {
                files.extend(recache::file_of(row)?);
            }
            next = chunk.resume;
        }
        Ok(Some(files))
    }
}

impl Engine {
    /// Makes a cut of everything: the log, and what is beside it, which holds still for the moment. Completes when all
    /// of it is durable and can be read. `Closed` while the log is replayed.
    pub async fn backup(&self, beside: &[Arc<dyn Beside>]) -> Result<Backup> {
        let live = self.live()?.clone();
        let staging = Staging::new(self.dir())?;
        let held = hold(beside).await?;
        let elsewhere = beside.iter().filter_map(|beside| beside.place().elsewhere()).collect();
        let cutting = tokio::task::spawn_blocking(move || {
            let taken_at = live.clock.now();
            // First the rows, then the log: what a row of that cut tells of is in the log too.
            let moment = Moment { rows: Some(Arc::new(live.store.latest())) };
            let begun = live.store.cut();
            let cut = held.into_iter().map(|held| held.cut());
            let mut beside = cut.collect::<Result<Vec<_>>>()?;
            let log = begun.settled()?;
            for entries in &mut beside {
                entries.settle(&moment, staging.path())?;
            }
            let held = Resources { _staging: Some(staging), _claim: None };
            Ok(Backup { taken_at, log, beside, elsewhere, _held: held })
        });
        cutting.await.map_err(|error| Error::new(Kind::Bug, format!("a backup panicked: {error}")))?
    }
}

/// The same of a data directory that no process has open. Reads all of its log and changes nothing in it: what has to be
/// copied first is copied beside `to`, where the backup goes.
pub async fn at_rest(
    dir: &Path,
    beside: &[Arc<dyn Beside>],
    to: &Path,
    taken_at: Timestamp,
) -> std::result::Result<Backup, BackupError> {
    let held = hold(beside).await?;
    let elsewhere = beside.iter().filter_map(|beside| beside.place().elsewhere()).collect();
    let (dir, to) = (dir.to_owned(), to.to_owned());
    let cutting = tokio::task::spawn_blocking(move || {
        let (claim, log) = Store::cut_at_rest(&RealDisk, &dir)?;
        let staging = Staging::beside(&to)?;
        let mut beside = held.into_iter().map(|held| held.cut()).collect::<Result<Vec<_>>>()?;
        for entries in &mut beside {
            entries.settle(&Moment::at_rest(), staging.path())?;
        }
        let held = Resources { _staging: Some(staging), _claim: Some(claim) };
        Ok(Backup { taken_at, log, beside, elsewhere, _held: held })
    });
    cutting.await.map_err(|error| Error::new(Kind::Bug, format!("a backup panicked: {error}")))?
}

/// Has all of them hold still.
async fn hold(beside: &[Arc<dyn Beside>]) -> Result<Vec<Box<dyn Held>>> {
    for beside in beside {
        beside.prepare().await;
    }
    let mut held = Vec::with_capacity(beside.len());
    for beside in beside {
        held.push(beside.hold().await?);
    }
    Ok(held)
}
