//! Which files a SQLite connector may open: existing ones, in the directories that are allowed, and none in which Manifold
//! itself keeps its data, whatever name or link leads there.

use std::{
    fs::{self, File, Metadata},
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::refused;
use crate::dialects::dunena::proxy::Failure;

/// What SQLite puts beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// How a database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The rules.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Where the engine keeps its files. A database that a user put there is none of them.
    pub data_dir: Option<PathBuf>,
    /// Further files of our own, existing or not: databases, snapshots.
    pub own: Vec<PathBuf>,
    /// The only directories in which files may lie, with all below them; empty for anywhere.
    pub allowed_dirs: Vec<PathBuf>,
}

impl Files {
    /// The path without links at which the file is opened.
    pub(super) fn check(&self, path: &Path) -> Result<PathBuf, Failure> {
        let real = match path.canonicalize() {
            Ok(real) => real,
            // Where nothing may be opened, nobody is told what is there.
            Err(_) if !self.allows(&parent(path)) => return Err(Failure::NotAllowed),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(refused("the file does not exist")),
            Err(_) => return Err(unreadable()),
        };
        if !self.allows(&real) {
            return Err(Failure::NotAllowed);
        }
        let found = real.metadata().map_err(|_| unreadable())?;
        if !found.is_file() {
            return Err(refused("not a regular file"));
        }
        if self.is_own(&real, &found) {
            return Err(Failure::NotAllowed);
        }
        Ok(real)
    }

    fn allows(&self, real: &Path) -> bool {
        let within = |dir: &PathBuf| dir.canonicalize().is_ok_and(|dir| real.starts_with(dir));
        self.allowed_dirs.is_empty() || self.allowed_dirs.iter().any(within)
    }

    fn is_own(&self, real: &Path, found: &Metadata) -> bool {
        self.own_files().any(|own| same(&own, found)) || self.is_in_data_dir(real, found) && !is_database(real)
    }

    fn own_files(&self) -> impl Iterator<Item = PathBuf> {
        self.own.iter().flat_map(|own| {
            let companion = |suffix: &&str| {
                let mut name = own.clone().into_os_string();
                name.push(suffix);
                PathBuf::from(name)
            };
            std::iter::once(own.clone()).chain(COMPANIONS.iter().map(companion).collect::<Vec<_>>())
        })
    }

    fn is_in_data_dir(&self, real: &Path, found: &Metadata) -> bool {
        let Some(dir) = &self.data_dir else { return false };
        dir.canonicalize().is_ok_and(|dir| real.starts_with(dir))
            // Another name of a file that lies there is a hard link.
            || found.nlink() > 1
                && fs::read_dir(dir).is_ok_and(|names| names.flatten().any(|entry| same(&entry.path(), found)))
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().and_then(|parent| parent.canonicalize().ok()).unwrap_or_default()
}

fn same(path: &Path, found: &Metadata) -> bool {
    path.metadata().is_ok_and(|own| own.dev() == found.dev() && own.ino() == found.ino())
}

fn is_database(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
}

fn unreadable() -> Failure {
    refused("the file cannot be opened")
}

#[cfg(test)]
mod tests;
