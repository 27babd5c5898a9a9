//! How long an entry lives.

use axum::body::Body;
use hyper::Response;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json;

pub(super) fn time_left(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?;
    let space = asked.namespace(None)?;
    let entry = asked.dunena.cache.look(space.as_bytes(), key.as_bytes()).ok_or(Error::NO_KEY)?;
    let mut body = br#"{"key":"#.to_vec();
    json::write_str(&mut body, &key);
    body.extend_from_slice(br#","ttl":"#);
    match entry.left_ms {
        Some(left) => json::write_u64(&mut body, left),
        None => json::write_i64(&mut body, -1),
    }
    body.extend_from_slice(if entry.left_ms.is_some() { br#","hasExpiry":true}"# } else { br#","hasExpiry":false}"# });
    Ok(answer::ok(body))
}

pub(super) async fn touch(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [ttl, space] = body.members(&["ttl", "ns"])?;
    let ttl = check::ttl(ttl)?.ok_or_else(|| Error::invalid("ttl is required and must be a non-negative number"))?;
    let space = asked.namespace(space)?;
    let key = asked.key()?;
    if !asked.dunena.cache.touch(space.as_bytes(), key.as_bytes(), ttl) {
        return Err(Error::NO_KEY);
    }
    Ok(answer::ok(format!(r#"{{"ok":true,"ttl":{ttl}}}"#)))
}
