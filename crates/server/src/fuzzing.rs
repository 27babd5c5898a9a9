//! What `fuzz/` feeds to the server. The committed inputs are replayed by the tests.

mod codings;
pub(crate) mod dialects;
mod headers;
pub(crate) mod house;
#[path = "../../../fuzz/shared/input.rs"]
#[allow(dead_code, reason = "other crates use the rest of it")]
pub(crate) mod input;
mod line;
mod request;
mod sockets;
#[cfg(test)]
mod tests;
mod text;

use crate::{
    config,
    dialects::{dunena, edgecomet, flo, unison},
};

/// A function that is fed with inputs, and its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("addresses", edgecomet::fuzzing::addresses),
    ("codings", codings::decode),
    ("configuration", config::fuzzing::read),
    ("connection", dialects::connection),
    ("cursors", unison::fuzzing::cursors),
    ("dunena", dialects::dunena),
    ("edgecomet", dialects::edgecomet),
    ("flo", dialects::flo),
    ("floql", flo::fuzzing::floql),
    ("headers", headers::read),
    ("line", line::parse),
    ("pages", edgecomet::fuzzing::pages),
    ("sockets", sockets::converse),
    ("statement", dunena::fuzzing::statement),
    ("synap", dialects::synap),
    ("text", text::read),
    ("unison", dialects::unison),
    ("values", dunena::fuzzing::values),
];
