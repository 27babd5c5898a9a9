//! The one place that reads time. Tests drive it by hand.

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64);

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub struct Clock {}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        Clock {}
    }
    /// A clock that moves only when a test says so.
    pub fn manual(start: Timestamp) -> Self {
        todo!("{start:?}")
    }
    /// Now.
    pub fn now(&self) -> Timestamp {
        todo!()
    }
    /// Moves a manual clock forward and wakes who sleeps on it.
    pub fn advance(&self, ms: u64) {
        todo!("{ms}")
    }
}
