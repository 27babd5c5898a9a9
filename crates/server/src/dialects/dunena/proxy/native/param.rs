//! A parameter of a query as its JSON says it. How it is bound is each database's own matter.

use std::borrow::Cow;

use super::{Failure, Kind};
use crate::http::json::{self, RawValue};

/// A parameter.
#[derive(Debug, Clone)]
pub(super) enum Param<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number spelled as an integer that fits.
    Int(i64),
    /// Any other number, as it is spelled.
    Number(&'a RawValue),
    /// A string, or the JSON text of an array or object.
    Text(Cow<'a, str>),
}

impl<'a> Param<'a> {
    pub(super) fn read(value: &'a RawValue) -> Param<'a> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'n') => Param::Null,
            Some(b't' | b'f') => Param::Bool(text == "true"),
            Some(b'-' | b'0'..=b'9') => text.parse().map_or(Param::Number(value), Param::Int),
            Some(b'"') => Param::Text(string(value)),
            _ => Param::Text(Cow::Borrowed(text)),
        }
    }
}

/// Bodies come without half surrogate pairs, which stand for no character; one that comes all the same is taken as it is
/// spelled.
fn string(value: &RawValue) -> Cow<'_, str> {
    json::string(value).unwrap_or(Cow::Borrowed(value.get()))
}

/// What is said when there are not as many parameters as the query has places for.
pub(super) fn mismatch(kind: Kind, wanted: usize, given: usize) -> Failure {
    Failure::Database { kind, message: format!("the query takes {wanted} parameters, not {given}") }
}

#[cfg(test)]
mod tests;
