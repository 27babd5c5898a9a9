//! Who may do what: the full key reads and writes, the agent key reads.

use hyper::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL};

use super::error::Error;
use crate::{
    http::auth::{self, Credential, Secret},
    telemetry::{AuthFailure, UnisonMetrics},
};

/// Browsers cannot set `Authorization` on a WebSocket; they offer a subprotocol of this name and the key.
pub(super) const BEARER_PROTOCOL: &[u8] = b"bearer.";

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

/// The subprotocols a WebSocket client offers.
pub(super) fn offered(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    values.flat_map(|value| value.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii)
}

fn offered_key(headers: &HeaderMap) -> Option<&[u8]> {
    offered(headers).find_map(|protocol| protocol.strip_prefix(BEARER_PROTOCOL))
}

#[cfg(test)]
mod tests;
