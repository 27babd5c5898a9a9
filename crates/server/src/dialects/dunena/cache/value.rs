//! Values, one at a time.

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use manifold_engine::cache::CacheSet;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json::{self, RawValue};

pub(super) fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?;
    let space = asked.namespace(None)?;
    let value = asked.dunena.cache.get(space.as_bytes(), key.as_bytes()).ok_or(Error::NO_KEY)?;
    let mut body = Vec::with_capacity(key.len() + value.len() + 32);
    body.extend_from_slice(br#"{"key":"#);
    json::write_str(&mut body, &key);
    body.extend_from_slice(br#","value":"#);
    json::write_bytes_as_str(&mut body, &value);
    body.push(b'}');
    Ok(answer::ok(body))
}

pub(super) async fn set(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let members = body.members(&["value", "ttl", "ns"])?;
    put(asked, &asked.key()?, members)
}

/// Stores what a body says: the value, how long it lives and its namespace.
pub(super) fn put(
    asked: &Asked<'_>,
    key: &str,
    [value, ttl, space]: [Option<&RawValue>; 3],
) -> Result<Response<Body>, Error> {
    let value = check::value(value)?;
    let ttl = check::time_to_live(ttl)?;
    let space = asked.namespace(space)?;
    let value = Bytes::copy_from_slice(value.as_bytes());
    asked.dunena.cache.set([CacheSet { space: space.as_bytes(), key: key.as_bytes(), value, ttl }]);
    Ok(answer::json(StatusCode::CREATED, Bytes::from_static(br#"{"ok":true}"#)))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?;
    let space = asked.namespace(None)?;
    let deleted = asked.dunena.cache.delete(space.as_bytes(), &[key.as_bytes()]);
    Ok(answer::whether("deleted", deleted > 0))
}
