//! Files of stored pages. A file belongs to one record, lies where the time of its expiry says, and is whole once it has its
//! name: it is written under another one and renamed when it is on disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use manifold_engine::recache::{PageKey, Record};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
};

mod backup;
mod clean;
mod file;
pub(super) mod packing;
pub(super) mod path;
mod sweep;

use super::config::{Compression, Config, check::LONGEST_BODY};
use backup::Kept;
pub(super) use backup::PagesBeside;
use packing::Packing;
use path::PagePath;

/// Pages fall into so many groups; those of one group are stored and removed one after the other.
const GROUPS: usize = 64;

/// Whether a page of this status is a redirect: those are kept without a body, and have no file.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Holds a page.
pub(super) type Hold = OwnedMutexGuard<()>;

/// The directory of pages. Clones are the same directory.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    base: Arc<Path>,
    compression: Compression,
    groups: Arc<[Arc<Mutex<()>>]>,
    kept: Kept,
}

impl Pages {
    /// The directory as configured; it need not exist.
    pub(super) fn new(config: &Config, data_dir: &Path) -> Self {
        let base = config.storage.base_path.clone().unwrap_or_else(|| data_dir.join("edgecomet/cache"));
        // Fails only without a working directory, and then nothing relative works.
        Pages::at(std::path::absolute(&base).unwrap_or(base), config.storage.compression)
    }

    fn at(base: PathBuf, compression: Compression) -> Self {
        Pages {
            base: base.into(),
            compression,
            groups: (0..GROUPS).map(|_| Arc::default()).collect(),
            kept: Kept::default(),
        }
    }

    /// Keeps files of a page from being removed, as long as what comes back lives: between a file and the record that
    /// refers to it nobody may think that it belongs to none.
    pub(super) async fn hold(&self, key: PageKey) -> Hold {
        let group = key.hash % self.groups.len() as u64;
        self.groups[usize::try_from(group).expect("a small number")].clone().lock_owned().await
    }

    /// Writes and syncs the body of a page that expires at a Unix second; what [`Record::file_path`] and
    /// [`Record::disk_size`] say of it. Whoever stops waiting does not stop the writing, so that is what holds the page
    /// meanwhile.
    pub(super) async fn write(
        &self,
        key: PageKey,
        expires_at: i64,
        body: Bytes,
        held: Hold,
    ) -> io::Result<(String, u64, Hold)> {
        let (base, compression, kept) = (self.base.clone(), self.compression, self.kept.clone());
        blocking(move || {
            let (packing, packed) = packing::pack(compression, &body);
            let path = PagePath::new(key, expires_at, packing)?;
            kept.keep(&base, path.as_str());
            file::write(&base, path.as_str(), &packed)?;
            Ok((path.into_string(), packed.len() as u64, held))
        })
        .await
    }

    /// The body of a page as the origin sent it; none when its file is gone. An error when the file is damaged, or outside
    /// the directory.
    pub(super) async fn read(&self, record: &Record) -> io::Result<Option<Bytes>> {
        if record.file_path.is_empty() {
            return Ok(None);
        }
        let path = path::below(&self.base, &record.file_path)?;
        let packing = Packing::of(&record.file_path);
        blocking(move || match file::read(&path, LONGEST_BODY) {
            Ok(packed) => packing::unpack(packing, packed, LONGEST_BODY).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }
}

/// Runs what waits for the disk, or computes for long, where that holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests;
