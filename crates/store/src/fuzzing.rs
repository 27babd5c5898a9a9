//! What `fuzz/` feeds to the store. The committed inputs are replayed by the tests.

mod damage;
#[path = "../../../fuzz/shared/input.rs"]
#[allow(dead_code, reason = "other crates use the rest of it")]
mod input;
#[cfg(test)]
mod tests;

/// A function that is fed with inputs, and its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[("log", damage::log)];
