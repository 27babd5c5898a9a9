//! All I/O of the store goes through [`Disk`] and [`File`]: [`RealDisk`] is the file system, [`SimDisk`] a disk that
//! crashes, tears, fails or fills up at a chosen call.

mod real;
mod sim;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use real::RealDisk;
pub use sim::{Fault, Reboot, SimDisk};

/// A directory tree.
pub trait Disk: Send + Sync + fmt::Debug + 'static {
    /// Creates a directory and its parents.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Names and lengths of the files in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>>;
    /// Creates an empty file that must not exist yet, and that nobody but its owner may open: what clients keep is in it.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Gives a file another name, over an existing one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name; who has the file open keeps reading it.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Makes names created, renamed and removed in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the directory's lock file, made if absent, for this process; `None` when somebody else has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// The same without making one: where there is none nobody has the directory open, and nobody is kept out.
    fn lock_existing(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// An open file.
pub trait File: Send + Sync + fmt::Debug {
    /// Its length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Reads at an offset; fewer bytes than asked only at the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes at an offset.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Gets real space for a range, extending the file with zeros, so that writing there cannot run out of it.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Cuts or extends.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes contents and length durable.
    fn sync_data(&self) -> io::Result<()>;
}

/// Held as long as the process owns the directory.
pub trait Lock: Send + Sync + fmt::Debug {}

/// Whether an I/O error says that there is no space left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// An [`crate::OpenError::Io`] for `path`.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> crate::OpenError {
    let path = path.into();
    move |source| crate::OpenError::Io { path, source }
}
