//! Namespaces, and everything at once.

use axum::body::Body;
use hyper::Response;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json;

pub(super) fn list(asked: &Asked<'_>) -> Response<Body> {
    let mut body = br#"{"namespaces":"#.to_vec();
    json::write_array(&mut body, asked.dunena.cache.spaces(), |out, (name, entries)| {
        out.extend_from_slice(br#"{"name":"#);
        json::write_bytes_as_str(out, &name);
        out.extend_from_slice(br#","entries":"#);
        json::write_u64(out, entries);
        out.push(b'}');
    });
    body.push(b'}');
    answer::ok(body)
}

pub(super) fn clear(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let space = asked.parameter(0)?;
    check::namespace(&space)?;
    Ok(answer::count("deleted", asked.dunena.cache.clear_space(space.as_bytes())))
}

pub(super) async fn flush(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    asked.dunena.cache.clear().await;
    Ok(answer::said(r#"{"flushed":true}"#))
}
