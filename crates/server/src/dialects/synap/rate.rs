//! How often somebody may ask: a fixed window of a minute per key, else per address, that starts with its first request.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use foldhash::quality::RandomState;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use manifold_engine::Timestamp;
use parking_lot::Mutex;

use super::error::Error;

#[cfg(test)]
mod tests;

const WINDOW: Duration = Duration::from_secs(60);
/// Time between two looks for windows that are over, where there is no room for more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most windows at one time; whoever comes then shares one.
const MOST: usize = 100_000;

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
    /// Those for whom there was no room.
    Others,
}

/// All windows.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    windows: HashMap<Party, Window, RandomState>,
    /// Nobody looks for windows that are over before: with no room left everybody new would look through all.
    next_look: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    until: Timestamp,
    count: u64,
}

/// What a request that was counted tells its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    limit: u32,
    remaining: u64,
    /// When the window is over, in seconds since 1970, if the request was one too many.
    reset: Option<u64>,
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
        let now = now();
        let mut table = self.0.lock();
        let window = table.open(party, now);
        let allowed = u64::from(limit);
        if window.count < allowed {
            window.count += 1;
            return (Some(Counted { limit, remaining: allowed - window.count, reset: None }), Ok(()));
        }
        let retry_after = window.until.seconds_left(now).max(1);
        let counted = Counted { limit, remaining: 0, reset: Some(window.until.0.div_ceil(1000)) };
        (Some(counted), Err(Error::RateLimited { retry_after }))
    }
}

impl Table {
    fn open(&mut self, party: Party, now: Timestamp) -> &mut Window {
        let party = if self.windows.contains_key(&party) || self.has_room(now) { party } else { Party::Others };
        let new = Window { until: now.plus(WINDOW), count: 0 };
        let window = self.windows.entry(party).or_insert(new);
        if window.is_over(now) {
            *window = new;
        }
        window
    }

    /// Whether there is room for one more, now or once those that are over are gone.
    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.windows.len() >= MOST && now >= self.next_look {
            self.windows.retain(|_, window| !window.is_over(now));
            self.next_look = now.plus(LOOK_EVERY);
        }
        self.windows.len() < MOST
    }
}

impl Window {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
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
