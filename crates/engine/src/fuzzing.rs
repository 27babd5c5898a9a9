//! What `fuzz/` feeds to the engine. The committed inputs are replayed by the tests.

mod globs;
#[path = "../../../fuzz/shared/input.rs"]
#[allow(dead_code, reason = "other crates use the rest of it")]
mod input;
mod json;
mod recovery;
mod rows;
mod snapshot;
#[cfg(test)]
mod tests;

/// A function that is fed with inputs, and its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("globs", globs::matching),
    ("json", json::canonical),
    ("recovery", recovery::open),
    ("rows", rows::read),
    ("snapshot", snapshot::load),
];
