//! Form-decoded query parameters: of a repeated one the first counts, an empty one is absent, unknown ones are ignored.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{json::MAX_INTEGER, path};

/// Why a query was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadQuery {
    /// A broken escape, or text that is not UTF-8.
    Encoding,
    /// The parameter is no decimal integer of at most 2^53 - 1.
    NotAnInteger(&'static str),
    /// The parameter is none of `1`, `true`, `0`, `false`.
    NotABoolean(&'static str),
}

/// The parameters of one request.
#[derive(Debug, Default)]
pub struct Query<'a>(SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>);

impl<'a> Query<'a> {
    /// Decodes all parameters, so that a broken escape is found wherever it is.
    pub fn parse(raw: Option<&'a str>) -> Result<Self, BadQuery> {
        let Some(raw) = raw else { return Ok(Query::default()) };
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        decoded.collect::<Result<_, BadQuery>>().map(Query)
    }

    /// A text, when present and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// An integer: an optional `-` and decimal digits.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>, BadQuery> {
        self.text(name).map(|text| integer(text).ok_or(BadQuery::NotAnInteger(name))).transpose()
    }

    /// A flag; absent is false.
    pub fn flag(&self, name: &'static str) -> Result<bool, BadQuery> {
        match self.text(name) {
            None | Some("0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(_) => Err(BadQuery::NotABoolean(name)),
        }
    }
}

/// An optional `-` and decimal digits, of a magnitude that JSON can carry exactly.
pub fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number: i64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    (-MAX_INTEGER..=MAX_INTEGER).contains(&number).then_some(number)
}

fn decode(text: &str) -> Result<Cow<'_, str>, BadQuery> {
    if memchr::memchr(b'+', text.as_bytes()).is_none() {
        return path::decode(text).map_err(|_| BadQuery::Encoding);
    }
    let spaced = text.replace('+', " ");
    path::decode(&spaced).map(|decoded| Cow::Owned(decoded.into_owned())).map_err(|_| BadQuery::Encoding)
}

#[cfg(test)]
mod tests;
