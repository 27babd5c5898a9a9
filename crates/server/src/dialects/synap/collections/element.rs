//! Elements in payloads, and what else commands on collections share. A value of a hash, an element of a list, a member
//! of a set may be any JSON and is stored as its text: values as they were sent, members, which are compared, in the one
//! spelling of all that are the same. Fields of hashes and members of sorted sets are strings, stored as their bytes.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::types::{NAME_MAX, canonical};

use crate::{
    dialects::synap::{
        error::Error,
        payload::{self, Member},
    },
    http::json::RawValue,
};

pub(super) use crate::dialects::synap::error::{absent, refused};

#[cfg(test)]
mod tests;

/// Most elements that a command names.
pub(super) const MOST: usize = 100_000;
/// Most elements that a command takes out or draws.
const MOST_TAKEN: i64 = 1_000_000;

/// The text of a value.
pub(super) fn value(raw: &RawValue) -> Bytes {
    payload::bytes(raw.get())
}

/// Values that must be there.
pub(super) fn values(member: Member<'_>, field: &'static str) -> Result<Vec<Bytes>, Error> {
    Ok(array(member, field, "must be an array")?.into_iter().map(value).collect())
}

/// A member of a set.
pub(super) fn set_member(raw: &RawValue, field: impl Into<Cow<'static, str>>) -> Result<Bytes, Error> {
    short(canonical(raw.get().as_bytes()), field)
}

/// Members of a set that must be there.
pub(super) fn set_members(member: Member<'_>, field: &'static str) -> Result<Vec<Bytes>, Error> {
    let found = array(member, field, "must be an array")?;
    found.into_iter().enumerate().map(|(at, raw)| set_member(raw, format!("{field}[{at}]"))).collect()
}

/// A name of an element that must be there: the field of a hash, the member of a sorted set.
pub(super) fn name(member: Member<'_>, field: &'static str) -> Result<Bytes, Error> {
    name_of(payload::required(member, field)?, field)
}

/// A name of an element.
pub(super) fn name_of(raw: &RawValue, field: impl Into<Cow<'static, str>>) -> Result<Bytes, Error> {
    let field = field.into();
    let text = payload::text(raw, field.clone())?;
    name_from(&text, field)
}

/// A text as a name of an element.
pub(super) fn name_from(text: &str, field: impl Into<Cow<'static, str>>) -> Result<Bytes, Error> {
    short(Cow::Borrowed(text.as_bytes()), field)
}

/// Names of elements that must be there.
pub(super) fn names(member: Member<'_>, field: &'static str) -> Result<Vec<Bytes>, Error> {
    let found = array(member, field, "must be an array of strings")?;
    found.into_iter().enumerate().map(|(at, raw)| name_of(raw, format!("{field}[{at}]"))).collect()
}

/// An array that must be there, of as many elements as a command may name.
pub(super) fn array<'a>(
    member: Member<'a>,
    field: &'static str,
    kind: &'static str,
) -> Result<Vec<&'a RawValue>, Error> {
    payload::elements(payload::required(member, field)?, field, kind, MOST)
}

/// Refuses more elements than a command may name.
pub(super) fn check_count(count: usize, field: &'static str) -> Result<(), Error> {
    if count > MOST { Err(payload::too_many(field, MOST)) } else { Ok(()) }
}

/// Only what can be the name of a row.
fn short(bytes: Cow<'_, [u8]>, field: impl Into<Cow<'static, str>>) -> Result<Bytes, Error> {
    if bytes.len() > NAME_MAX {
        return Err(payload::too_long(field, NAME_MAX));
    }
    Ok(Bytes::copy_from_slice(&bytes))
}

/// How many elements to take; missing is one.
pub(super) fn count(member: Member<'_>) -> Result<u64, Error> {
    Ok(payload::integer(member, "count", 0, MOST_TAKEN)?.map_or(1, i64::unsigned_abs))
}

/// A finite number that must be there.
pub(super) fn float(member: Member<'_>, field: &'static str) -> Result<f64, Error> {
    float_of(payload::required(member, field)?, field)
}

/// A finite number.
pub(super) fn float_of(raw: &RawValue, field: impl Into<Cow<'static, str>>) -> Result<f64, Error> {
    let is_number = raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let number = is_number.then(|| raw.get().parse::<f64>().ok()).flatten().filter(|number| number.is_finite());
    number.ok_or(Error::field(field, "must be a finite number"))
}

/// An integer that must be there.
pub(super) fn integer(member: Member<'_>, field: &'static str) -> Result<i64, Error> {
    payload::required(member, field)?;
    payload::integer(member, field, i64::MIN, i64::MAX)?.ok_or(Error::Missing(field.into()))
}

/// From which to which rank: members `start` and `stop`, all when they are missing.
pub(super) fn ranks([start, stop]: [Member<'_>; 2]) -> Result<(i64, i64), Error> {
    let start = payload::integer(start, "start", i64::MIN, i64::MAX)?.unwrap_or(0);
    Ok((start, payload::integer(stop, "stop", i64::MIN, i64::MAX)?.unwrap_or(-1)))
}
