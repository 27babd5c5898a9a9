//! `GET /keys`: the keys of a namespace, page by page.

use axum::body::Body;
use hyper::Response;
use manifold_engine::cache::KeysAfter;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json;

/// Keys of a page that does not say how many.
const COUNT: u64 = 100;
/// Most keys of a page.
const MOST: u64 = 1000;

pub(super) async fn page(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let glob = check::pattern(asked.given("pattern").as_deref())?;
    let cursor = check::digits(asked.given("cursor").as_deref().unwrap_or("0"));
    let cursor = cursor.filter(|cursor| *cursor <= json::MAX_INTEGER as u64);
    let cursor = cursor.ok_or_else(|| Error::invalid("cursor must be a non-negative integer"))?;
    let count = check::positive(asked.given("count").as_deref(), "count must be a positive integer")?;
    let count = count.unwrap_or(COUNT).min(MOST) as usize;
    let space = asked.namespace(None)?;

    let page = asked.dunena.cache.keys(space.as_bytes(), KeysAfter { cursor, count, glob }).await;
    let mut body = br#"{"cursor":"#.to_vec();
    json::write_u64(&mut body, page.cursor);
    body.extend_from_slice(br#","keys":"#);
    json::write_array(&mut body, &page.keys, |out, key| json::write_bytes_as_str(out, key));
    body.push(b'}');
    Ok(answer::ok(body))
}
