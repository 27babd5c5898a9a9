//! How often somebody may ask: a fixed window per party that begins with its first request.

use std::{collections::HashMap, hash::Hash, time::Duration};

use foldhash::quality::RandomState;
use manifold_engine::Timestamp;
use parking_lot::Mutex;

#[cfg(test)]
mod tests;

/// Time between two looks for windows that are over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most windows at one time; whoever comes then shares one.
const MOST: usize = 100_000;

/// All windows of one length. Those that are over leave nothing behind.
#[derive(Debug)]
pub struct Windows<P> {
    length: Duration,
    table: Mutex<Table<P>>,
}

#[derive(Debug)]
struct Table<P> {
    /// Under no party: those for whom there was no room.
    windows: HashMap<Option<P>, Window, RandomState>,
    /// Nobody looks for windows that are over before: with no room left everybody new would look through all.
    next_look: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    until: Timestamp,
    count: u64,
}

/// What counting a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Whether it was within the limit.
    pub allowed: bool,
    /// What is left of the limit.
    pub left: u64,
    /// When the window is over.
    pub until: Timestamp,
    /// Seconds until then, rounded up, at least 1: for `Retry-After`.
    pub retry_after: u64,
}

impl<P: Eq + Hash> Windows<P> {
    /// None open.
    pub fn new(length: Duration) -> Self {
        let windows = HashMap::default();
        Windows { length, table: Mutex::new(Table { windows, next_look: Timestamp(0) }) }
    }

    /// Counts a request of `party`, which may make `limit` in a window.
    pub fn count(&self, party: P, limit: u64, now: Timestamp) -> Count {
        let mut table = self.table.lock();
        let window = table.open(party, now, self.length);
        let allowed = window.count < limit;
        window.count += u64::from(allowed);
        let Window { until, count } = *window;
        Count { allowed, left: limit.saturating_sub(count), until, retry_after: until.seconds_left(now).max(1) }
    }

    /// Takes back a request of `party` that was counted in the window that ends at `until`, if that is open still.
    pub fn uncount(&self, party: P, until: Timestamp) {
        let mut table = self.table.lock();
        let party = Some(party);
        let has_own = table.windows.contains_key(&party);
        if let Some(window) = table.windows.get_mut(&party.filter(|_| has_own))
            && window.until == until
        {
            window.count = window.count.saturating_sub(1);
        }
    }

    /// Parties whose window is open.
    pub fn active(&self, now: Timestamp) -> usize {
        self.table.lock().windows.values().filter(|window| !window.is_over(now)).count()
    }
}

impl<P: Eq + Hash> Table<P> {
    fn open(&mut self, party: P, now: Timestamp, length: Duration) -> &mut Window {
        if now >= self.next_look || self.next_look > now.plus(LOOK_EVERY) {
            self.windows.retain(|_, window| !window.is_over(now));
            self.next_look = now.plus(LOOK_EVERY);
        }
        let party = Some(party);
        let has_room = self.windows.len() < MOST || self.windows.contains_key(&party);
        let new = Window { until: now.plus(length), count: 0 };
        let window = self.windows.entry(party.filter(|_| has_room)).or_insert(new);
        // One that ends later than a new one would was begun before the clock was set back.
        if window.is_over(now) || window.until > new.until {
            *window = new;
        }
        window
    }
}

impl Window {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}
