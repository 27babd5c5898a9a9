//! What members of a body and parameters of a query may be.

use std::{borrow::Cow, time::Duration};

use super::error::Error;
use crate::http::{
    json::{self, RawValue},
    query::Query,
};

#[cfg(test)]
mod tests;

/// Integers that are accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Integers {
    least: i128,
    most: i128,
    /// Whether a larger one counts as the largest.
    clamp: bool,
    /// How a refusal names them.
    rule: &'static str,
}

impl Integers {
    /// From `least` to `most`.
    pub(super) const fn within(least: i64, most: i64, rule: &'static str) -> Self {
        Integers { least: least as i128, most: most as i128, clamp: false, rule }
    }

    /// From `least`; those above `most` act as `most`.
    pub(super) const fn up_to(least: i64, most: i64, rule: &'static str) -> Self {
        Integers { least: least as i128, most: most as i128, clamp: true, rule }
    }

    fn read(&self, text: &str) -> Option<i64> {
        let number = decimal(text)?;
        let number = if self.clamp { number.min(self.most) } else { number };
        (self.least..=self.most).contains(&number).then(|| i64::try_from(number).ok())?
    }

    /// The integer in a member; none when it is absent or null.
    pub(super) fn member(&self, member: Option<&RawValue>, field: &'static str) -> Result<Option<i64>, Error> {
        let Some(raw) = json::given(member) else { return Ok(None) };
        self.read(raw.get()).map(Some).ok_or(Error::Field { field, rule: self.rule })
    }

    /// The integer in a parameter; none when it is absent or empty.
    pub(super) fn parameter(&self, query: &Query<'_>, parameter: &'static str) -> Result<Option<i64>, Error> {
        let Some(text) = query.text(parameter) else { return Ok(None) };
        self.read(text).map(Some).ok_or(Error::Parameter { parameter, rule: self.rule })
    }
}

/// How many to answer with at most.
pub(super) const COUNT: Integers = Integers::up_to(1, 1000, "an integer from 1");
/// Milliseconds to wait.
const BLOCK_MS: Integers = Integers::up_to(0, 60_000, "an integer from 0");
/// Integers that JSON carries exactly, from 0.
pub(super) const NATURAL: Integers = Integers::within(0, json::MAX_INTEGER, "an integer from 0");

/// How long the caller waits for what is not there yet.
pub(super) fn block(ms: Option<i64>) -> Option<Duration> {
    ms.filter(|ms| *ms > 0).map(millis)
}

/// `block_ms` of a body.
pub(super) fn block_member(member: Option<&RawValue>) -> Result<Option<Duration>, Error> {
    Ok(block(BLOCK_MS.member(member, "block_ms")?))
}

/// `block_ms` of a query.
pub(super) fn block_parameter(query: &Query<'_>) -> Result<Option<Duration>, Error> {
    Ok(block(BLOCK_MS.parameter(query, "block_ms")?))
}

/// A number of milliseconds that was checked not to be negative.
pub(super) fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

/// The boolean in a member; absent and null are false.
pub(super) fn boolean(member: Option<&RawValue>, field: &'static str) -> Result<bool, Error> {
    match json::given(member) {
        None => Ok(false),
        Some(raw) => json::boolean(raw).ok_or(Error::Field { field, rule: "a boolean" }),
    }
}

/// The text in a member; none when it is absent or null.
pub(super) fn text<'a>(member: Option<&'a RawValue>, field: &'static str) -> Result<Option<Cow<'a, str>>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    json::string(raw).map(Some).map_err(|_| Error::Field { field, rule: "a string" })
}

/// Most elements of a list of sequences or offsets.
const MAX_NUMBERS: usize = 10_000;

/// A list of numbers from `least` that must be there.
pub(super) fn numbers(
    member: Option<&RawValue>,
    field: &'static str,
    least: u64,
    rule: &'static str,
) -> Result<Vec<u64>, Error> {
    let raw = json::given(member).ok_or(Error::Missing(field))?;
    let refused = || Error::Field { field, rule };
    let elements = json::elements(raw.get(), MAX_NUMBERS).map_err(|_| refused())?;
    if elements.total > MAX_NUMBERS {
        return Err(refused());
    }
    let number = |raw: &&RawValue| u64::try_from(decimal(raw.get())?).ok().filter(|number| *number >= least);
    elements.kept.iter().map(|raw| number(raw).ok_or_else(refused)).collect()
}

/// What a list of sequences must be.
pub(super) const SEQUENCES: &str = "an array of at most 10000 integers from 1";
/// What a list of offsets must be.
pub(super) const OFFSETS: &str = "an array of at most 10000 integers from 0";

/// An optional `-` and decimal digits, without fraction or exponent; one beyond all bounds is as large as can be.
fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if digits.len() < text.len() { i128::MIN } else { i128::MAX }))
}
