//! What can go wrong while opening and while running.

use std::path::PathBuf;

/// Why a running store refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The disk is full: nothing was written; the store accepts relief batches and heals when there is space.
    #[error("the disk is full")]
    Full,
    /// A write or fsync failed: nothing is accepted until a restart; durable rows can still be read.
    #[error("the log can no longer be written: {0}")]
    Failed(String),
    /// A row's bytes could not be read back, or do not match their checksum.
    #[error("a row could not be read: {0}")]
    Read(String),
    /// A batch of that many bytes is longer than a frame may be.
    #[error("a batch of {0} bytes is too large")]
    TooLarge(usize),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// A frame that was durable is damaged: starting would lose data.
    #[error("{} is damaged at byte {offset}: {reason}", .file.display())]
    Damaged {
        /// The segment file.
        file: PathBuf,
        /// Byte offset of the damaged frame in it.
        offset: u64,
        /// What was found there.
        reason: String,
    },
    /// The directory was written by a newer version, or holds something that is no log.
    #[error("{} cannot be read by this version: {reason}", .file.display())]
    Foreign {
        /// The file in question.
        file: PathBuf,
        /// What was found there.
        reason: String,
    },
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The path that was touched.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
