//! How long a failed entry waits.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest addition, as a part of the wait.
const JITTER: f64 = 0.1;

/// The wait after so many failed attempts, at least one: twice as long each time, a little longer by `chance` (0 to 1), so
/// that what failed together does not come back together.
pub(super) fn wait(base: Duration, attempts: u32, chance: f64) -> Duration {
    let doubled = 1u32.checked_shl(attempts.saturating_sub(1)).and_then(|times| base.checked_mul(times));
    let plain = doubled.unwrap_or(LONGEST).min(LONGEST);
    (plain + plain.mul_f64(JITTER * chance.clamp(0.0, 1.0))).min(LONGEST)
}

/// A number from 0 to 1.
pub(super) fn chance() -> f64 {
    // Without the system's generator entries come back together, which is no harm to them.
    f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX)
}
