//! What SQLite says, in the engine's kinds.

use rusqlite::ErrorCode;

use crate::{Error, Kind};

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Kind::Full,
            // Somebody else has held the file for longer than we wait.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
            // Only closing interrupts.
            Some(ErrorCode::OperationInterrupted) => Kind::Closed,
            Some(ErrorCode::TooBig) => Kind::TooLarge,
            _ => Kind::Storage,
        };
        Error::new(kind, format!("the database: {error}"))
    }
}
