//! A kind that says what the caller can do, and one sentence that says what happened.

use std::fmt;

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
    WrongType,
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
    /// The same error, of the batch operation at `index`.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.operation = Some(index);
        self
    }
    /// What the caller can do.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
    /// Zero-based index of the batch operation that failed, if one did.
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
