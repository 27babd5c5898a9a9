//! The one place that reads time and sleeps by it. Tests drive it by hand.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// A sleeper on the wall clock looks again this often, so that a clock set forward is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// No deadline that clients give lies beyond: the last integer that readers of JSON can tell from its neighbours.
    pub const LAST: Timestamp = Timestamp((1 << 53) - 1);

    /// When something ends that lives so many milliseconds from `self`; 0 = never.
    pub fn deadline(self, ttl_ms: u64) -> Option<Timestamp> {
        (ttl_ms > 0).then(|| Timestamp(self.0.saturating_add(ttl_ms)).min(Timestamp::LAST))
    }
    /// That long after `self`; the end of time when it lies beyond.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_add(millis(duration)))
    }
    /// That long before `self`; the epoch when it lies before it.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_sub(millis(duration)))
    }
    /// Seconds that are left at `now`, rounded up; 0 when it has passed.
    pub fn seconds_left(self, now: Timestamp) -> u64 {
        self.0.saturating_sub(now.0).div_ceil(1000)
    }
}

/// Whole milliseconds, rounded up: nobody is woken, and nothing expires, too early.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }
    /// A clock that moves only when a test says so.
    pub fn manual(start: Timestamp) -> Self {
        Clock(Source::Manual(Arc::new(watch::Sender::new(start))))
    }
    /// Now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => wall(),
            Source::Manual(now) => *now.borrow(),
        }
    }
    /// Now, in nanoseconds since 1970-01-01 UTC.
    pub(crate) fn nanos(&self) -> i64 {
        let nanos = match &self.0 {
            Source::System => since_1970().as_nanos(),
            Source::Manual(now) => u128::from(now.borrow().0) * 1_000_000,
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
    /// Milliseconds that only ever grow, whatever happens to the wall clock. They mean nothing outside this process.
    pub(crate) fn steady_ms(&self) -> u64 {
        match &self.0 {
            Source::System => u64::try_from(began().elapsed().as_millis()).unwrap_or(u64::MAX),
            Source::Manual(now) => now.borrow().0,
        }
    }
    /// Moves a manual clock forward and wakes who sleeps on it; the machine's clock cannot be moved.
    pub fn advance(&self, ms: u64) {
        match &self.0 {
            Source::System => {}
            Source::Manual(now) => now.send_modify(|now| now.0 = now.0.saturating_add(ms)),
        }
    }

    /// Completes when it is `at` or later.
    pub(crate) async fn until(&self, at: Timestamp) {
        match &self.0 {
            Source::System => loop {
                let left = at.0.saturating_sub(wall().0);
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left).min(LOOK_AGAIN)).await;
            },
            Source::Manual(now) => {
                // The sender lives in `self`, so the wait cannot end for lack of one.
                now.subscribe().wait_for(|now| *now >= at).await.ok();
            }
        }
    }

    /// Completes after `duration`, whatever happens to the wall clock meanwhile.
    pub(crate) async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Manual(_) => self.until(self.now().plus(duration)).await,
        }
    }

    /// What `future` gives, or `None` when `duration` passes first.
    pub(crate) async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = self.sleep(duration) => None,
        }
    }
}

fn wall() -> Timestamp {
    Timestamp(u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX))
}

/// When this was first asked.
fn began() -> tokio::time::Instant {
    static BEGAN: OnceLock<tokio::time::Instant> = OnceLock::new();
    *BEGAN.get_or_init(tokio::time::Instant::now)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn since_1970() -> Duration {
    // A clock before 1970 reads as 1970: the feed's own order keeps timestamps from going backwards.
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
