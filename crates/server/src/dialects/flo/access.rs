//! Who may come in: whoever has one of the configured tokens, or a token signed with the configured secret.

use hyper::{HeaderMap, header::HeaderName};
use manifold_engine::Timestamp;
use serde::Deserialize;

use super::error::Error;
use crate::http::{
    auth::{self, Credential, Secret},
    jwt,
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
        if !self.enabled {
            return Ok(());
        }
        let candidate = match auth::bearer(headers) {
            Credential::Bearer(token) => token,
            Credential::Malformed => return Err(Error::Unauthorized),
            Credential::Missing => headers.get(API_KEY).ok_or(Error::Unauthorized)?.as_bytes(),
        };
        let tokens: Vec<_> = self.tokens.iter().map(|token| token.expose().as_bytes()).collect();
        let known = auth::matching(candidate, &tokens).is_some();
        let signed = || !self.jwt_secret.is_empty() && is_signed(candidate, self.jwt_secret.expose().as_bytes(), now);
        if known || signed() { Ok(()) } else { Err(Error::Unauthorized) }
    }
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
