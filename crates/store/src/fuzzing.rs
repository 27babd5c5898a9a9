//! What `fuzz/` feeds to the store. The committed inputs are replayed by the tests.

mod damage;
#[path = "../../../fuzz/shared/input.rs"]
#[allow(dead_code, reason = "other crates use the rest of it")]
mod input;
#[cfg(test)]
mod tests;

/// Targets by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[("log", damage::log)];
