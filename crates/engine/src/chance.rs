//! The one place that draws randomness.

use crate::clock::Clock;

/// Draws numbers, each as likely as the other; only where it starts cannot be foreseen.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Dice(u64::from(number()) << 32 | u64::from(number()))
    }

    /// A number below `end`, which is not 0 (SplitMix64, then the high half of a product).
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * u128::from(end)) >> 64) as u64
    }
}

/// A number nobody can foresee.
pub(crate) fn number() -> u32 {
    // Without the system's generator the time has to do: what depends on it is hardening, not correctness.
    getrandom::u32().unwrap_or_else(|_| Clock::system().now().0 as u32)
}
