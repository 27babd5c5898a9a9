//! Versions, and writes that depend on them.

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use manifold_engine::cache::Exchanged;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json;

pub(super) fn version(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?;
    let space = asked.namespace(None)?;
    let entry = asked.dunena.cache.look(space.as_bytes(), key.as_bytes()).ok_or(Error::NO_KEY)?;
    let mut body = br#"{"key":"#.to_vec();
    json::write_str(&mut body, &key);
    body.extend_from_slice(br#","version":"#);
    json::write_u64(&mut body, entry.version);
    body.push(b'}');
    Ok(answer::ok(body))
}

pub(super) async fn exchange(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [value, version, space] = body.members(&["value", "expectedVersion", "ns"])?;
    let value = check::value(value)?;
    let version = version.and_then(check::integral);
    let version = version.ok_or_else(|| Error::invalid("expectedVersion is required and must be a number"))?;
    let space = asked.namespace(space)?;
    let key = asked.key()?;
    let value = Bytes::copy_from_slice(value.as_bytes());
    // Numbers that no version is become 0 or the largest of all, which none is either.
    match asked.dunena.cache.exchange(space.as_bytes(), key.as_bytes(), value, version as u64) {
        Exchanged::To(version) => Ok(answer::ok(format!(r#"{{"ok":true,"newVersion":{version}}}"#))),
        Exchanged::Absent => Ok(refused(r#"{"ok":false,"error":"Key not found"}"#)),
        Exchanged::Other(_) => Ok(refused(r#"{"ok":false,"error":"Version mismatch"}"#)),
    }
}

fn refused(body: &'static str) -> Response<Body> {
    answer::json(StatusCode::CONFLICT, Bytes::from_static(body.as_bytes()))
}
