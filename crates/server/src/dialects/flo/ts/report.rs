//! What was wrong with the lines of a write.

use std::borrow::Cow;

use manifold_engine::series::{FieldType, Refusal, Refused};
use memchr::{memchr, memchr_iter};

use super::line::{self, Fault, MAX_FAULTS, Parsed, Reason, Series, Sink, Value, excerpt};
use crate::http::json;

#[cfg(test)]
mod tests;

/// Lines that were not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialects::flo) struct Rejection {
    /// What happened, and to which line first.
    pub(in crate::dialects::flo) message: String,
    written: u64,
    pub(in crate::dialects::flo) rejected: u64,
    /// The first of them.
    errors: Vec<LineError>,
}

/// A line, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LineError {
    /// From one, as lines of text are counted.
    line: usize,
    /// From one, in bytes.
    column: usize,
    reason: String,
    text: String,
}

impl Rejection {
    /// Of lines in `body` that were bad, or that the engine refused. With `atomic` the others were not written either.
    pub(super) fn new(body: &[u8], parsed: &Parsed, refused: &[Refused], atomic: bool) -> Self {
        let lines = parsed.good.len() as u64 + parsed.bad;
        let bad = parsed.bad + refused.len() as u64;
        let refused = refused.iter().take(MAX_FAULTS).filter_map(|refused| {
            let line = *parsed.good.get(refused.line)?;
            Some(Wrong { line, at: place(body, line, refused), reason: refusal(&refused.why) })
        });
        let mut wrong: Vec<_> = parsed.faults.iter().map(|fault| Wrong::of(body, fault)).chain(refused).collect();
        wrong.sort_by_key(|wrong| wrong.line);
        wrong.truncate(MAX_FAULTS);
        let errors = errors(body, wrong);
        let first = errors.first().map(|first| format!("; line {}: {}", first.line, first.reason)).unwrap_or_default();
        let (message, written, rejected) = match atomic {
            false => (format!("partial write: {bad} of {lines} lines rejected{first}"), lines - bad, bad),
            true => (format!("write rejected: {bad} of {lines} lines invalid{first}"), 0, lines),
        };
        Rejection { message, written, rejected, errors }
    }

    /// Appends the members that say it.
    pub(in crate::dialects::flo) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"written\":");
        json::write_u64(out, self.written);
        out.extend_from_slice(b",\"rejected\":");
        json::write_u64(out, self.rejected);
        out.extend_from_slice(b",\"errors\":");
        json::write_array(out, &self.errors, |out, error| {
            out.extend_from_slice(b"{\"line\":");
            json::write_u64(out, error.line as u64);
            out.extend_from_slice(b",\"column\":");
            json::write_u64(out, error.column as u64);
            out.extend_from_slice(b",\"reason\":");
            json::write_str(out, &error.reason);
            out.extend_from_slice(b",\"text\":");
            json::write_str(out, &error.text);
            out.push(b'}');
        });
    }
}

/// A line, the place in it and the reason, before anything is counted.
struct Wrong {
    line: usize,
    at: usize,
    reason: Cow<'static, str>,
}

impl Wrong {
    fn of(body: &[u8], fault: &Fault) -> Self {
        let reason = fault.reason.text(&body[fault.token.clone()]);
        Wrong { line: fault.line, at: fault.token.start, reason }
    }
}

/// Counts lines and columns; `wrong` is in the order of the body.
fn errors(body: &[u8], wrong: Vec<Wrong>) -> Vec<LineError> {
    let (mut line, mut counted) = (1, 0);
    let each = wrong.into_iter().map(|wrong| {
        line += memchr_iter(b'\n', &body[counted..wrong.line]).count();
        counted = wrong.line;
        let rest = &body[wrong.line..];
        let text = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let column = 1 + wrong.at - wrong.line;
        LineError { line, column, reason: wrong.reason.into_owned(), text: excerpt(text).into_owned() }
    });
    each.collect()
}

fn refusal(why: &Refusal) -> Cow<'static, str> {
    Cow::Owned(match why {
        Refusal::Type { field, measurement, given, exists } => format!(
            "field type conflict: input field \"{}\" on measurement \"{}\" is type {}, already exists as type {}",
            excerpt(field.as_bytes()),
            excerpt(measurement.as_bytes()),
            type_name(*given),
            type_name(*exists)
        ),
        Refusal::TooManySeries { limit } => return Reason::TooManySeries(*limit).text(b""),
        Refusal::TooManyFields { limit } => format!("field limit of {limit} reached"),
    })
}

fn type_name(field: FieldType) -> &'static str {
    match field {
        FieldType::Float => "float",
        FieldType::Int => "integer",
        FieldType::Uint => "unsigned",
        FieldType::Bool => "boolean",
        FieldType::Text => "string",
    }
}

/// Where in the body the cause of a refusal stands: a value, or the point itself.
fn place(body: &[u8], line: usize, refused: &Refused) -> usize {
    let mut values = Values::default();
    line::again(body, line, &mut values);
    let of_field = |name: &str| values.found.iter().rev().find(|(field, _)| field == name);
    let value = match &refused.why {
        Refusal::Type { field, .. } => of_field(field),
        Refusal::TooManyFields { .. } => values.found.get(refused.value),
        Refusal::TooManySeries { .. } => None,
    };
    let point = || line + body[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    value.map_or_else(point, |(_, at)| *at)
}

/// The fields of a line, and where their values are.
#[derive(Default)]
struct Values {
    found: Vec<(String, usize)>,
    field: String,
}

impl Sink for Values {
    fn series(&mut self, _: &[u8]) -> Option<usize> {
        None
    }
    fn new_series(&mut self, _: &[u8], _: &Series<'_>) -> Result<(), Reason> {
        Ok(())
    }
    fn field(&mut self, _: &[u8]) -> Option<usize> {
        None
    }
    fn new_field(&mut self, _: &[u8], name: &str) {
        name.clone_into(&mut self.field);
    }
    fn value(&mut self, _: Value<'_>, at: usize) {
        self.found.push((std::mem::take(&mut self.field), at));
    }
    fn end(&mut self, _: i64) {}
    fn abandon(&mut self) {}
}
