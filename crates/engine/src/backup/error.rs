//! Why there is no backup, or none that could be restored.

use std::{io, path::PathBuf};

use manifold_store::OpenError;

/// Why a backup was not made, not accepted or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Bytes of a backup are not those that were written.
    #[error("{} is damaged at byte {offset}: {reason}", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the damage is, or where the part begins that it is in.
        offset: u64,
        /// What was found there.
        reason: String,
    },
    /// It is no backup, or one of a newer version.
    #[error("{} is no backup that this version can read: {reason}", .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What was found.
        reason: String,
    },
    /// There is something where a backup, or a restored directory, should go.
    #[error("{}: {reason}", .path.display())]
    Target {
        /// The path.
        path: PathBuf,
        /// What is there.
        reason: &'static str,
    },
    /// What arrives ends before it is whole.
    #[error("the backup ended before it was whole: {0}")]
    Cut(io::Error),
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The path that was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] crate::Error),
}

/// A [`BackupError::Io`] for `path`.
pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.into();
    move |source| BackupError::Io { path, source }
}
