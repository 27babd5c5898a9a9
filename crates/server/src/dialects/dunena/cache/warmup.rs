//! `POST /cache/warmup`: entries of many namespaces in one step. With a value it is the key of that name like any other.

use axum::body::Body;
use hyper::Response;

use super::{
    super::{answer, asked::Asked, error::Error, many},
    value,
};
use crate::http::json::{self, RawValue};

/// What the path is when it is a key.
const KEY: &str = "warmup";

pub(super) async fn run(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [value, ttl, space, entries] = body.members(&["value", "ttl", "ns", "entries"])?;
    match entries.filter(|entries| entries.get().starts_with('[')) {
        Some(entries) if json::given(value).is_none() => store(asked, entries, space),
        _ => value::put(asked, KEY, [value, ttl, space]),
    }
}

fn store(asked: &Asked<'_>, entries: &RawValue, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let mut entries = many::entries(KEY, Some(entries))?;
    let total = entries.len();
    if total == 0 {
        return Err(Error::invalid("entries (non-empty array) is required"));
    }
    // An entry's own namespace comes before that of the body, and that of the query before both.
    let spaces = asked.namespaces(entries.iter().map(|entry| json::given(entry.space).or(space)))?;
    asked.dunena.cache.set(entries.iter_mut().zip(&spaces).map(|(entry, space)| entry.within(space)));
    Ok(answer::ok(format!(r#"{{"loaded":{total},"failed":0,"total":{total}}}"#)))
}
