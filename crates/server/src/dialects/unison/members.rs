//! The members that a PUT body, a `set` of a batch and `kv/set` have in common: value, deadline, condition.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use manifold_engine::{
    Timestamp,
    kv::{Encoding, Expires, Value, When},
};

use super::error::Error;
use crate::http::json::{self, MAX_INTEGER, RawValue};

/// Deepest nesting of a value.
pub(super) const MAX_DEPTH: usize = 128;

/// A value this large may keep the body it came in alive; a smaller one is copied out of it.
const SHARE_FROM_BYTES: usize = 64 << 10;

/// Where a member stands, for the text of an error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In the request's own object.
    Request,
    /// In this operation of a batch.
    Operation(usize),
}

impl Place {
    /// A 400 whose text begins with the member's name.
    pub(super) fn invalid(self, text: &'static str) -> Error {
        match self {
            Place::Request => Error::invalid(text),
            Place::Operation(index) => Error::Invalid(Cow::Owned(format!("operations[{index}].{text}"))),
        }
    }

    /// A 400 for a member that must be there.
    pub(super) fn missing(self, name: &str) -> Error {
        Error::Invalid(Cow::Owned(match self {
            Place::Request => format!("Missing required field: {name}"),
            Place::Operation(index) => format!("Missing required field: operations[{index}].{name}"),
        }))
    }
}

/// Refuses user values nested too deep: `around` containers of the request itself may lie around them.
pub(super) fn check_depth(text: &str, around: usize) -> Result<(), Error> {
    if json::nested_deeper_than(around + MAX_DEPTH, text) {
        return Err(Error::invalid("JSON nesting too deep"));
    }
    Ok(())
}

/// A value with its text as it was sent. `body` is what the text is a part of, if it can be shared.
pub(super) fn value(raw: &RawValue, body: Option<&Bytes>) -> Value {
    let text = raw.get().as_bytes();
    let bytes = match body {
        // A slice keeps the whole body alive as long as the value: worth it only when there is hardly anything else in it.
        Some(body) if text.len() >= SHARE_FROM_BYTES && text.len() >= body.len() / 2 => body.slice_ref(text),
        _ => Bytes::copy_from_slice(text),
    };
    Value { encoding: Encoding::Json, bytes }
}

/// The deadline that `expiresAt`, `ttlMs` and `keepTtl`, of which one may be given, ask for.
pub(super) fn expires(
    [expires_at, ttl_ms, keep_ttl]: [Option<&RawValue>; 3],
    now: Timestamp,
    place: Place,
) -> Result<Expires, Error> {
    let at = json::given(expires_at).map(|raw| deadline(raw, now, place)).transpose()?;
    let ttl = json::given(ttl_ms).map(|raw| time_to_live(raw, now, place)).transpose()?;
    let keep = json::given(keep_ttl).map(json::boolean).unwrap_or(Some(false));
    let keep = keep.ok_or_else(|| place.invalid("keepTtl must be a boolean"))?;
    match (at, ttl, keep) {
        (None, None, false) => Ok(Expires::Never),
        (Some(at), None, false) => Ok(Expires::At(at)),
        (None, Some(ttl), false) => Ok(Expires::In(ttl)),
        (None, None, true) => Ok(Expires::Keep),
        _ => Err(Error::invalid("Use only one of expiresAt, ttlMs, keepTtl")),
    }
}

/// The condition that `cas` asks for.
pub(super) fn cas(member: Option<&RawValue>, place: Place) -> Result<Option<When>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    let version = json::integer(raw).and_then(|n| u64::try_from(n).ok());
    version.map(when_version).map(Some).ok_or_else(|| place.invalid(CAS_TEXT))
}

/// What is wrong with a `cas` that is no version.
pub(super) const CAS_TEXT: &str = "cas must be a non-negative integer";

/// `cas` 0 means that the key must be absent.
pub(super) fn when_version(version: u64) -> When {
    if version == 0 { When::Absent } else { When::Version(version) }
}

fn deadline(raw: &RawValue, now: Timestamp, place: Place) -> Result<Timestamp, Error> {
    let ms = json::integer(raw).ok_or_else(|| place.invalid("expiresAt must be an integer or null"))?;
    match u64::try_from(ms) {
        Ok(ms) if ms > now.0 => Ok(Timestamp(ms)),
        _ => Err(place.invalid("expiresAt must be in the future")),
    }
}

fn time_to_live(raw: &RawValue, now: Timestamp, place: Place) -> Result<Duration, Error> {
    let ms = json::integer(raw).and_then(|ms| u64::try_from(ms).ok());
    ms.filter(|ms| *ms >= 1 && now.0.saturating_add(*ms) <= MAX_INTEGER as u64)
        .map(Duration::from_millis)
        .ok_or_else(|| place.invalid("ttlMs must be a positive integer"))
}

#[cfg(test)]
mod tests;
