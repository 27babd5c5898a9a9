//! Who is asking, and what they may do.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{HeaderMap, header::HeaderName};
use manifold_engine::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    config::{ApiKey, Auth, User},
    error::Error,
};
use crate::http::{
    auth::{self, Credential, Secret},
    jwt,
};

#[cfg(test)]
mod tests;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What somebody may do; each may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What changes nothing.
    ReadOnly,
    /// Everything but the server itself.
    ReadWrite,
    /// Everything.
    #[default]
    Admin,
}

/// Somebody who was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) role: Role,
    /// The place of its key among those configured, if it came with one.
    pub(super) key: Option<usize>,
    pub(super) ip: IpAddr,
    /// When its credential ends; none = never.
    pub(super) until: Option<Timestamp>,
}

impl Caller {
    /// Whether its credential is valid no longer.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The section `auth` as it is used.
#[derive(Debug)]
pub(super) struct Access {
    /// Without it everybody is an admin.
    enabled: bool,
    keys: Vec<ApiKey>,
    users: Vec<User>,
    jwt_secret: Secret,
}

/// The claims that decide. Times are seconds since the epoch, perhaps with a fraction.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
    role: Option<Role>,
}

impl Access {
    pub(super) fn new(auth: &Auth) -> Self {
        Access {
            enabled: auth.is_on(),
            keys: auth.api_keys.clone(),
            users: auth.users.clone(),
            jwt_secret: auth.jwt.secret.clone(),
        }
    }

    /// The key at a place among those configured.
    pub(super) fn key(&self, at: usize) -> Option<&ApiKey> {
        self.keys.get(at)
    }

    /// Who sends a request with these headers from `ip`, or with this key in its address where that is allowed. The
    /// first credential present decides.
    pub(super) fn identify(
        &self,
        headers: &HeaderMap,
        key_in_query: Option<&str>,
        ip: IpAddr,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Caller, Error> {
        if !self.enabled {
            return Ok(Caller { role: Role::Admin, key: None, ip, until: None });
        }
        if let Some(key) = headers.get(API_KEY) {
            return self.owner(key.as_bytes(), ip);
        }
        let wrong = || Error::Unauthorized("Invalid credentials");
        match (auth::key(headers, "bearer"), auth::key(headers, "basic")) {
            (Credential::Missing, _) | (_, Credential::Missing) => match key_in_query {
                Some(key) => self.owner(key.as_bytes(), ip),
                None => Err(Error::Unauthorized("Missing API key")),
            },
            (Credential::Key(token), _) => match self.known(token) {
                Some(at) => Ok(Caller { role: self.keys[at].role, key: Some(at), ip, until: None }),
                None => self.bearer(token, ip, now()),
            },
            (_, Credential::Key(encoded)) => {
                let pair = STANDARD.decode(encoded).map_err(|_| wrong())?;
                let user = Caller { role: Role::Admin, key: None, ip, until: None };
                if self.is_user(&pair) { Ok(user) } else { Err(wrong()) }
            }
            (Credential::Malformed, Credential::Malformed) => Err(wrong()),
        }
    }

    fn owner(&self, key: &[u8], ip: IpAddr) -> Result<Caller, Error> {
        let at = self.known(key).ok_or(Error::Unauthorized("Invalid API key"))?;
        Ok(Caller { role: self.keys[at].role, key: Some(at), ip, until: None })
    }

    fn known(&self, candidate: &[u8]) -> Option<usize> {
        let keys: Vec<_> = self.keys.iter().map(|key| key.key.expose().as_bytes()).collect();
        auth::matching(candidate, &keys)
    }

    /// Whether `name:password` is one of the users.
    fn is_user(&self, text: &[u8]) -> bool {
        let users: Vec<_> =
            self.users.iter().map(|user| format!("{}:{}", user.username, user.password.expose())).collect();
        let users: Vec<_> = users.iter().map(String::as_bytes).collect();
        auth::matching(text, &users).is_some()
    }

    /// Whoever has a signed token.
    fn bearer(&self, token: &[u8], ip: IpAddr, now: Timestamp) -> Result<Caller, Error> {
        let invalid = || Error::Unauthorized("Invalid token");
        if self.jwt_secret.is_empty() {
            return Err(Error::Unauthorized("Invalid API key"));
        }
        let claims = jwt::verified(token, self.jwt_secret.expose().as_bytes()).ok_or_else(invalid)?;
        let Claims { exp, nbf, role } = serde_json::from_slice(&claims).map_err(|_| invalid())?;
        let seconds = now.0 as f64 / 1000.0;
        // A time beyond what a clock can show is the last one it can.
        let until = Timestamp((exp.ok_or_else(invalid)? * 1000.0) as u64);
        if until <= now {
            return Err(Error::Unauthorized("Token expired"));
        }
        if nbf.is_some_and(|nbf| nbf > seconds) {
            return Err(invalid());
        }
        Ok(Caller { role: role.unwrap_or(Role::ReadWrite), key: None, ip, until: Some(until) })
    }
}
