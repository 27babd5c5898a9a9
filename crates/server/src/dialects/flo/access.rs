//! Who may come in: whoever has one of the configured tokens, or a token signed with the configured secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{HeaderMap, header::HeaderName};
use manifold_engine::Timestamp;
use serde::Deserialize;

use super::error::Error;
use crate::http::{
    auth::{self, Credential, Secret},
    jwt,
    query::Query,
};

#[cfg(test)]
mod tests;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The section `auth` as it is used.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// Without it everybody may do everything.
    pub(super) enabled: bool,
    pub(super) tokens: Vec<Secret>,
    pub(super) jwt_secret: Secret,
}

impl Access {
    /// Refuses a request that carries none of the accepted tokens. `X-Api-Key` counts when there is no `Authorization`.
    pub(super) fn check(&self, headers: &HeaderMap, now: Timestamp) -> Result<(), Error> {
        self.require(|| match auth::key(headers, "bearer") {
            Credential::Key(token) => self.admits(token, now),
            Credential::Malformed => false,
            Credential::Missing => headers.get(API_KEY).is_some_and(|key| self.admits(key.as_bytes(), now)),
        })
    }

    /// The same for clients of InfluxDB, which have more ways to say a token: the scheme `Token`, there perhaps behind a
    /// user's name and a colon; a password; the parameter `p`.
    pub(super) fn check_influx(&self, headers: &HeaderMap, query: Option<&str>, now: Timestamp) -> Result<(), Error> {
        let by_scheme = || match (auth::key(headers, "token"), auth::key(headers, "basic")) {
            (Credential::Key(token), _) => {
                let behind_name = memchr::memchr(b':', token).map(|colon| &token[colon + 1..]);
                self.admits(token, now) || behind_name.is_some_and(|token| self.admits(token, now))
            }
            (_, Credential::Key(encoded)) => password(encoded).is_some_and(|token| self.admits(&token, now)),
            _ => false,
        };
        let by_parameter = || {
            let query = Query::parse(query).unwrap_or_default();
            query.text("p").is_some_and(|token| self.admits(token.as_bytes(), now))
        };
        self.require(|| self.check(headers, now).is_ok() || by_scheme() || by_parameter())
    }

    fn require(&self, admitted: impl FnOnce() -> bool) -> Result<(), Error> {
        if !self.enabled || admitted() { Ok(()) } else { Err(Error::Unauthorized) }
    }

    fn admits(&self, candidate: &[u8], now: Timestamp) -> bool {
        let tokens: Vec<_> = self.tokens.iter().map(|token| token.expose().as_bytes()).collect();
        let known = auth::matching(candidate, &tokens).is_some();
        let signed = || !self.jwt_secret.is_empty() && is_signed(candidate, self.jwt_secret.expose().as_bytes(), now);
        known || signed()
    }
}

/// The password in `name:password`, in base64.
fn password(encoded: &[u8]) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(encoded).ok()?;
    memchr::memchr(b':', &decoded).map(|colon| decoded[colon + 1..].to_vec())
}

/// The claims that decide. Times are seconds since the epoch, perhaps with a fraction.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
}

/// Whether `token` is a JWT signed with `secret`, and valid `now`.
fn is_signed(token: &[u8], secret: &[u8], now: Timestamp) -> bool {
    let verified = || serde_json::from_slice::<Claims>(&jwt::verified(token, secret)?).ok();
    let seconds = now.0 as f64 / 1000.0;
    verified()
        .is_some_and(|claims| claims.exp.is_none_or(|exp| seconds < exp) && claims.nbf.is_none_or(|nbf| nbf <= seconds))
}
