//! Who may do what: the full key reads and writes, the agent key reads.

use hyper::HeaderMap;

use super::error::Error;
use crate::{
    http::{
        auth::{self, Credential, Secret},
        ws::offered_key,
    },
    telemetry::{AuthFailure, UnisonMetrics},
};

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// No key.
    Public,
    /// Either key.
    Read,
    /// The full key.
    Write,
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Everything.
    Full,
    /// Reading.
    Agent,
}

impl Role {
    pub(super) fn may(self, access: Access) -> bool {
        match access {
            Access::Public | Access::Read => true,
            Access::Write => self == Role::Full,
        }
    }
}

/// The configured keys. One that is empty does not exist.
#[derive(Debug)]
pub(super) struct Keys {
    /// The full key is the one that everybody knows, pages of other sites too.
    pub(super) open_to_all: bool,
    pub(super) full: Secret,
    pub(super) agent: Secret,
}

impl Keys {
    /// Whose key the request carries. `subprotocol`: it may be offered as one.
    pub(super) fn role(&self, headers: &HeaderMap, subprotocol: bool, metrics: &UnisonMetrics) -> Result<Role, Error> {
        let candidate = match auth::key(headers, "bearer") {
            Credential::Missing if subprotocol => offered_key(headers).ok_or(AuthFailure::Missing),
            Credential::Missing => Err(AuthFailure::Missing),
            Credential::Malformed => Err(AuthFailure::Invalid),
            Credential::Key(key) => Ok(key),
        };
        let keys = [self.full.expose().as_bytes(), self.agent.expose().as_bytes()];
        let matched = candidate.and_then(|key| auth::matching(key, &keys).ok_or(AuthFailure::Invalid));
        match matched {
            Ok(0) => Ok(Role::Full),
            Ok(_) => Ok(Role::Agent),
            Err(why) => {
                metrics.auth_failed(why);
                Err(Error::Unauthorized)
            }
        }
    }
}

#[cfg(test)]
mod tests;
