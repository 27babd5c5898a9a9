//! Why a verb ends without having done what it was asked to.

use manifold_engine::{OpenError, backup::BackupError};
use manifold_server::{control, dialects::dunena};

/// Why the process ends, for people and for whoever started it.
pub struct Failure {
    pub exit: Exit,
    pub sentence: String,
}

/// Exit codes, numbered as in `sysexits.h`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Whatever it was.
    Any = 1,
    /// The command line.
    Usage = 2,
    /// The data directory holds something that cannot be used as it is.
    Data = 65,
    /// A port or the data directory belongs to another process.
    Unavailable = 69,
    /// The system refused something a process normally gets.
    System = 71,
    /// There is something where the result should go.
    Target = 73,
    /// Reading or writing failed.
    Io = 74,
    /// The configuration.
    Configuration = 78,
}

impl Failure {
    pub fn new(exit: Exit, sentence: impl ToString) -> Self {
        Failure { exit, sentence: sentence.to_string() }
    }

    pub fn configuration(error: impl ToString) -> Self {
        Failure::new(Exit::Configuration, error)
    }

    /// What the process that has the data directory open answered.
    pub fn control(error: &control::Error) -> Self {
        let exit = match error {
            control::Error::Refused(refusal) => match refusal.status.as_u16() {
                422 => Exit::Data,
                409 | 503 => Exit::Unavailable,
                500 | 507 => Exit::Io,
                _ => Exit::Any,
            },
            control::Error::Gone(_) => Exit::Unavailable,
            control::Error::Socket(_) => Exit::Io,
        };
        Failure::new(exit, error)
    }

    pub fn backup(error: &BackupError) -> Self {
        let exit = match error {
            BackupError::Damaged { .. } | BackupError::Foreign { .. } => Exit::Data,
            BackupError::Target { .. } => Exit::Target,
            BackupError::Cut(_) | BackupError::Io { .. } | BackupError::Engine(_) => Exit::Io,
            BackupError::Log(error) => return Failure::open(error),
        };
        Failure::new(exit, error)
    }

    pub fn dunena(error: &dunena::Refused) -> Self {
        let exit = match error {
            dunena::Refused::Database(error) => Failure::open(error).exit,
            dunena::Refused::Rows(_) => Exit::Data,
            dunena::Refused::Zero(_) | dunena::Refused::Network(_) => Exit::Configuration,
        };
        Failure::new(exit, error)
    }

    pub fn open(error: &OpenError) -> Self {
        let exit = match error {
            OpenError::Locked(_) => Exit::Unavailable,
            OpenError::Damaged { .. } | OpenError::Foreign { .. } => Exit::Data,
            OpenError::Io { .. } => Exit::Io,
        };
        Failure::new(exit, error)
    }
}
