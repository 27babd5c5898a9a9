//! The cache in a file: saved on request, in intervals and at the end, loaded at the start. A save is of one moment and
//! replaces the file as a whole; a file that cannot be used is never overwritten.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use manifold_store::disk::{Disk, RealDisk};
use tokio::sync::Mutex;

use super::{Cache, CacheEntry};
use crate::{
    Clock,
    backup::{Beside, Place, SnapshotBeside},
};

mod older;
mod read;
mod replace;
mod write;

#[cfg(test)]
mod tests;

use read::Unusable;

/// The file of a cache. Cheap to clone.
#[derive(Clone)]
pub struct SnapshotFile(Arc<Shared>);

struct Shared {
    disk: Box<dyn Disk>,
    path: PathBuf,
    cache: Cache,
    clock: Clock,
    /// What is there could neither be read nor put aside: it stays as it is.
    untouchable: AtomicBool,
    /// Saves begun so far.
    begun: AtomicU64,
    /// The last one that ended. Held while one runs.
    last: Arc<Mutex<Ended>>,
}

/// A save that ended.
#[derive(Debug, Default)]
struct Ended {
    /// Its place among all that were begun; 0 = there was none.
    number: u64,
    saved: bool,
}

/// What loading came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Loaded {
    entries: u64,
    /// Their deadlines had passed.
    expired: u64,
    /// They broke a rule.
    skipped: u64,
}

impl SnapshotFile {
    /// The file of `cache` at `path`.
    pub fn new(path: PathBuf, cache: Cache, clock: Clock) -> Self {
        SnapshotFile::on(Box::new(RealDisk), path, cache, clock)
    }

    pub(crate) fn on(disk: Box<dyn Disk>, path: PathBuf, cache: Cache, clock: Clock) -> Self {
        let (untouchable, begun, last) = Default::default();
        SnapshotFile(Arc::new(Shared { disk, path, cache, clock, untouchable, begun, last }))
    }

    /// Puts into the cache what is in the file and passes `may_be`. What is wrong with the file is told in the log: one
    /// that is damaged is renamed, one that cannot be read at all is left alone, also by later saves.
    pub fn load(&self, may_be: impl Fn(&CacheEntry) -> bool) {
        let path = self.0.path.display();
        match self.0.load(may_be) {
            Ok(Loaded { entries, expired, skipped }) => {
                tracing::info!(%path, entries, expired, "the cache is back from its snapshot");
                if skipped > 0 {
                    tracing::warn!(%path, skipped, "entries of the snapshot that break a rule were left out");
                }
            }
            Err(Unusable::Absent) => tracing::info!(%path, "no snapshot yet: the cache starts empty"),
            Err(Unusable::Damaged(why)) => self.0.put_aside(&why),
            Err(Unusable::Unreadable(error)) => {
                self.0.untouchable.store(true, Ordering::Release);
                tracing::error!(%path, %error, "the snapshot cannot be read: the cache starts empty and is not saved");
            }
        }
    }

    /// Saves the cache as it is at a moment after this was called; whether that is on disk. The cause of a failure is in
    /// the log. Saves run one after the other; all who wait for the next one share it.
    pub async fn save(&self) -> bool {
        let begun_before = self.0.begun.load(Ordering::Acquire);
        let mut last = self.0.last.clone().lock_owned().await;
        if last.number > begun_before {
            return last.saved;
        }
        let shared = self.0.clone();
        // The lock goes along: a caller that goes away must not let the next save write into this one's file.
        let saving = tokio::task::spawn_blocking(move || {
            last.number = shared.begun.fetch_add(1, Ordering::AcqRel) + 1;
            last.saved = false;
            last.saved = shared.save_and_tell();
            last.saved
        });
        saving.await.unwrap_or(false)
    }

    /// This file as a part of a backup, for which it is saved anew.
    pub fn beside(&self, place: Place) -> Arc<dyn Beside> {
        Arc::new(SnapshotBeside { file: self.clone(), place })
    }

    /// The same on this thread.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn save_now(&self) -> bool {
        self.0.save_and_tell()
    }

    /// Saves in intervals. Never completes.
    pub async fn keep_saving(&self, every: Duration) {
        loop {
            self.0.clock.sleep(every).await;
            self.save().await;
        }
    }
}

impl Shared {
    fn load(&self, may_be: impl Fn(&CacheEntry) -> bool) -> Result<Loaded, Unusable> {
        let file = self.disk.open(&self.path)?;
        // All of it is looked at before the first entry is taken: a file counts as a whole, and who wrote it may stand
        // at its end.
        let written_by = read::all(&*file, |_| {})?;
        let now = self.clock.now();
        let mut loaded = Loaded::default();
        let taken = read::all(&*file, |entry| match read::entry(entry, written_by, now) {
            read::Read::Entry(entry) if may_be(&entry) => {
                loaded.entries += 1;
                self.cache.restore(entry);
            }
            read::Read::Entry(_) | read::Read::Broken => loaded.skipped += 1,
            read::Read::Expired => loaded.expired += 1,
            read::Read::Internal => {}
        });
        if taken.is_err() {
            // What was readable a moment ago is not any more: half of a snapshot is none.
            self.cache.forget();
        }
        taken.map(|_| loaded)
    }

    fn put_aside(&self, why: &str) {
        let path = self.path.display();
        let aside = with_suffix(&self.path, &format!(".damaged-{}", self.clock.now().0));
        let renamed =
            self.disk.rename(&self.path, &aside).and_then(|()| self.disk.sync_dir(replace::parent(&self.path)));
        match renamed {
            Ok(()) => {
                let renamed_to = aside.display();
                tracing::error!(%path, %renamed_to, why, "the snapshot is damaged: the cache starts empty");
            }
            Err(error) => {
                self.untouchable.store(true, Ordering::Release);
                tracing::error!(%path, %error, why, "the snapshot is damaged and cannot be renamed: the cache starts empty and is not saved");
            }
        }
    }

    fn save_and_tell(&self) -> bool {
        let path = self.path.display();
        if self.untouchable.load(Ordering::Acquire) {
            tracing::error!(%path, "the cache is not saved: what is there could not be read at the start");
            return false;
        }
        match self.save() {
            Ok(entries) => {
                tracing::debug!(%path, entries, "the cache is saved");
                true
            }
            Err(error) => {
                tracing::error!(%path, %error, "the cache could not be saved");
                false
            }
        }
    }

    /// How many entries were saved.
    fn save(&self) -> io::Result<usize> {
        let at = self.clock.now();
        let entries = self.cache.saved();
        replace::replace(&*self.disk, &self.path, |out| write::write(out, at, &entries))?;
        Ok(entries.len())
    }
}

/// The path with something behind its last name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

impl fmt::Debug for SnapshotFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotFile").field(&self.0.path).finish()
    }
}
