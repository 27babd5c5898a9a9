//! Why a proxied query has no result. Every text that goes with a 502 is here; none of them can hold a connection string.

use super::Kind;
use crate::outbound::{Denied, Error};

/// Longest part of what an upstream says with a refusal that is passed on.
pub(super) const MAX_REFUSAL_BYTES: usize = 1024;

/// Why a proxied query has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connector has this name.
    #[error("Unknown connector: \"{0}\"")]
    UnknownConnector(String),
    /// The connector of this name does not write.
    #[error("Connector \"{0}\" is read-only")]
    ReadOnly(String),
    /// The upstream answered over HTTP, but not with a 2xx.
    #[error("{} query failed ({status}): {body}", subject(*.kind))]
    Status {
        /// Of the connector.
        kind: Kind,
        /// Of the answer.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// A database refused, in its own words; or one of the rules for statements did.
    #[error("{} query failed: {message}", .kind.as_str())]
    Database {
        /// Of the connector.
        kind: Kind,
        /// What was wrong, without anything of the connection string.
        message: String,
    },
    /// The answer is no JSON text in UTF-8.
    #[error("Upstream did not return JSON")]
    NotJson,
    /// Connecting, or the whole call, took too long.
    #[error("Upstream timed out")]
    TimedOut,
    /// The answer is longer than allowed.
    #[error("Upstream response too large")]
    TooLarge,
    /// The upstream lies where nothing may be reached.
    #[error("Upstream address not allowed")]
    NotAllowed,
    /// The upstream cannot be reached, or the connection ended too early.
    #[error("Cannot reach upstream: {0}")]
    Unreachable(String),
}

/// Who failed, in the words that go with an HTTP status.
fn subject(kind: Kind) -> &'static str {
    match kind {
        Kind::Http => "HTTP database",
        Kind::Elasticsearch => "Elasticsearch",
        Kind::PostgreSql | Kind::MySql | Kind::Sqlite => kind.as_str(),
    }
}

impl Failure {
    /// The refusal of an upstream: what it said is cut at a limit, between characters.
    pub(super) fn status(kind: Kind, status: u16, body: &[u8]) -> Failure {
        let mut body = String::from_utf8_lossy(body).into_owned();
        let end = (0..=MAX_REFUSAL_BYTES.min(body.len())).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
        body.truncate(end);
        Failure::Status { kind, status, body }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Failure {
        match denied {
            Denied::NotAllowed | Denied::NotPublic(_) => Failure::NotAllowed,
            Denied::Unresolved => Failure::Unreachable(denied.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::TimedOut => Failure::TimedOut,
            Error::TooLarge => Failure::TooLarge,
            Error::Unreachable(reason) => Failure::Unreachable(reason.into()),
        }
    }
}

#[cfg(test)]
mod tests;
