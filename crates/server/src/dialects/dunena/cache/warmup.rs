//! `POST /cache/warmup`: entries of many namespaces in one step. With a value it is the key of that name like any other.

use axum::body::Body;
use hyper::Response;

use super::super::{answer, asked::Asked, error::Error, many};
use crate::http::json::{self, RawValue};

/// The entries, when the members of a body ask for this.
pub(super) fn entries<'a>(key: &str, value: Option<&RawValue>, entries: Option<&'a RawValue>) -> Option<&'a RawValue> {
    let entries = entries.filter(|entries| entries.get().starts_with('['))?;
    (key == "warmup" && json::given(value).is_none()).then_some(entries)
}

pub(super) fn warm_up(
    asked: &Asked<'_>,
    entries: &RawValue,
    space: Option<&RawValue>,
) -> Result<Response<Body>, Error> {
    let mut entries = many::entries("warmup", Some(entries))?;
    let total = entries.len();
    if total == 0 {
        return Err(Error::invalid("entries (non-empty array) is required"));
    }
    // An entry's own namespace comes before that of the body, and that of the query before both.
    let spaces = asked.namespaces(entries.iter().map(|entry| json::given(entry.space).or(space)))?;
    asked.dunena.cache.set(entries.iter_mut().zip(&spaces).map(|(entry, space)| entry.within(space)));
    Ok(answer::ok(format!(r#"{{"loaded":{total},"failed":0,"total":{total}}}"#)))
}
