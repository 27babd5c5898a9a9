//! A kind that says what the caller can do, and one sentence that says what happened.

use std::fmt;

use crate::types::KeyType;

/// What the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The thing named does not exist.
    NotFound,
    /// A condition did not hold.
    Conflict {
        /// The version that is there now; 0 = absent.
        current: u64,
    },
    /// The request can never succeed as it is.
    Invalid,
    /// The key holds a value of another type.
    WrongType {
        /// What it holds.
        actual: KeyType,
        /// What the verb is for.
        expected: KeyType,
    },
    /// A size limit.
    TooLarge,
    /// No space: disk, memory limit or a configured depth; deletes still work.
    Full,
    /// At capacity: the same request may succeed later.
    Busy,
    /// Starting or stopping.
    Closed,
    /// The log can no longer be written, or a row could not be read.
    Storage,
    /// A defect of Manifold.
    Bug,
}

/// The engine's error.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: String,
    operation: Option<usize>,
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; the sentence is lower case, without a full stop, with the names in it.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), operation: None }
    }
    /// The same error, of the batch operation at `index`, or about the key at `index` of those a verb names.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.operation = Some(index);
        self
    }
    /// A condition that did not hold; `current` is the version that is there, 0 = absent.
    pub(crate) fn conflict(current: u64, message: impl Into<String>) -> Self {
        Error::new(Kind::Conflict { current }, message)
    }
    /// A row that was read back but does not say what its table promises.
    pub(crate) fn unreadable(what: &str) -> Self {
        let error = Error::new(Kind::Storage, format!("{what} is not readable by this version, or damaged"));
        tracing::error!(%error, "a row cannot be used");
        error
    }
    /// What the caller can do.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
    /// Zero-based index of the batch operation that failed, or of the key it failed on, if there are several.
    pub fn operation(&self) -> Option<usize> {
        self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<manifold_store::Error> for Error {
    fn from(error: manifold_store::Error) -> Self {
        if let manifold_store::Error::Read(_) = error {
            // Clients are not told where.
            tracing::error!(%error, "a row cannot be read");
        }
        let kind = match error {
            manifold_store::Error::Full => Kind::Full,
            manifold_store::Error::TooLarge(_) => Kind::TooLarge,
            manifold_store::Error::Failed(_) | manifold_store::Error::Read(_) => Kind::Storage,
            manifold_store::Error::Closed => Kind::Closed,
        };
        Error::new(kind, error.to_string())
    }
}
