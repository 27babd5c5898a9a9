//! How often somebody may ask in a minute, and what answers say about it.

use std::{net::IpAddr, time::Duration};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use manifold_engine::Timestamp;

use super::error::Error;
use crate::http::windows;

#[cfg(test)]
mod tests;

const WINDOW: Duration = Duration::from_secs(60);

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// Those with the key at this place of the configuration.
    Key(usize),
    /// Those from this address.
    Address(IpAddr),
}

/// All windows.
#[derive(Debug)]
pub(super) struct Windows(windows::Windows<Party>);

/// What a request that was counted tells its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    limit: u32,
    remaining: u64,
    /// When the window is over, in seconds since 1970, if the request was one too many.
    reset: Option<u64>,
}

impl Default for Windows {
    fn default() -> Self {
        Windows(windows::Windows::new(WINDOW))
    }
}

impl Windows {
    /// Counts a request of `party`, which may make `limit` in a window; 0 = as many as it likes.
    pub(super) fn count(
        &self,
        party: Party,
        limit: u32,
        now: impl FnOnce() -> Timestamp,
    ) -> (Option<Counted>, Result<(), Error>) {
        if limit == 0 {
            return (None, Ok(()));
        }
        let count = self.0.count(party, limit.into(), now());
        let reset = (!count.allowed).then(|| count.until.0.div_ceil(1000));
        let allowed = if count.allowed { Ok(()) } else { Err(Error::RateLimited { retry_after: count.retry_after }) };
        (Some(Counted { limit, remaining: count.left, reset }), allowed)
    }
}

impl Counted {
    pub(super) fn add_headers(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        if let Some(reset) = self.reset {
            headers.insert(RESET, HeaderValue::from(reset));
        }
    }
}
