//! How long something took. The only place of the store that looks at a clock; nothing it measures is ever stored.

use std::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "durations of fsyncs and pauses, never part of the data")]
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    pub fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
