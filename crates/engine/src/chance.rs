//! The one place that draws randomness.

use crate::clock::Clock;

/// A number nobody can foresee.
pub(crate) fn number() -> u32 {
    // Without the system's generator the time has to do: what depends on it is hardening, not correctness.
    getrandom::u32().unwrap_or_else(|_| Clock::system().now().0 as u32)
}
