//! Directories for copies that a backup needs while it is made.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{BackupError, error::at, folder::partial};
use crate::{Error, Kind, Result};

/// What their names begin with.
const PREFIX: &str = ".backup-";
/// What is added to the temporary name of a backup for one that lies beside it.
const COPIES: &str = ".copies";

/// A directory that is gone with the value.
#[derive(Debug)]
pub struct Staging(PathBuf);

impl Staging {
    /// A new one below `dir`, for the process's user only.
    pub fn new(dir: &Path) -> Result<Staging> {
        for number in 0_u32.. {
            let path = dir.join(format!("{PREFIX}{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Staging(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(storage(&path, &error)),
            }
        }
        Err(Error::new(Kind::Busy, "too many backups are being made"))
    }

    /// The one beside what will be called `target`; what an earlier try left behind goes.
    pub(super) fn beside(target: &Path) -> std::result::Result<Staging, BackupError> {
        let mut path = partial(target)?.into_os_string();
        path.push(COPIES);
        let path = PathBuf::from(path);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(at(&path))?;
        Ok(Staging(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a directory of a backup stays behind");
        }
    }
}

/// Removes what backups of a killed process left below `dir`. Nobody may be making one there.
pub fn tidy(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        let is_ours = number.is_some() && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "what a backup left behind cannot be removed");
        }
    }
}

/// An error of the file system, in the engine's words.
pub(super) fn storage(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
        _ => Kind::Storage,
    };
    Error::new(kind, format!("{}: {error}", path.display()))
}
