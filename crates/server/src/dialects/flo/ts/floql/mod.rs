//! FloQL: `cpu{host=web-01}[1h] | avg(5m)`.
//!
//! Text is parsed into a script, which knows everything that does not depend on the request: names, patterns, stages,
//! and where its range was written. A [`Frame`] holds what does: the clock and the precision. Both together give a plan
//! for the engine; nothing here reads a point.

mod cursor;
mod frame;
mod literal;
mod math;
mod mistake;
mod parse;
mod plan;
mod script;
mod stages;

#[cfg(test)]
mod tests;

pub(crate) use frame::{Frame, Precision};
pub(crate) use literal::rfc3339;
pub(crate) use mistake::Mistake;
pub(crate) use parse::{parse, parse_source};
pub(crate) use plan::Plan;
pub(crate) use script::Script;
