//! `GET /keys`: the keys of a namespace, page by page.

use axum::body::Body;
use hyper::Response;
use manifold_engine::cache::{Glob, KeysAfter};

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json;

/// Longest pattern, in characters.
const PATTERN_CHARS: usize = 1024;
/// Keys of a page that does not say how many.
const COUNT: u64 = 100;
/// Most keys of a page.
const MOST: u64 = 1000;

pub(super) async fn page(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let glob = pattern(asked)?;
    let cursor = check::digits(asked.given("cursor").as_deref().unwrap_or("0"));
    let cursor = cursor.filter(|cursor| *cursor <= json::MAX_INTEGER as u64);
    let cursor = cursor.ok_or_else(|| Error::invalid("cursor must be a non-negative integer"))?;
    let count = asked.given("count").map_or(Some(COUNT), |count| check::digits(&count)).filter(|count| *count > 0);
    let count = count.ok_or_else(|| Error::invalid("count must be a positive integer"))?.min(MOST) as usize;
    let space = asked.namespace(None)?;

    let page = asked.dunena.cache.keys(space.as_bytes(), KeysAfter { cursor, count, glob }).await;
    let mut body = br#"{"cursor":"#.to_vec();
    json::write_u64(&mut body, page.cursor);
    body.extend_from_slice(br#","keys":"#);
    json::write_array(&mut body, &page.keys, |out, key| json::write_bytes_as_str(out, key));
    body.push(b'}');
    Ok(answer::ok(body))
}

/// The pattern of the query; all keys without one.
fn pattern(asked: &Asked<'_>) -> Result<Glob, Error> {
    let pattern = asked.given("pattern");
    let pattern = pattern.as_deref().unwrap_or("*");
    if pattern.chars().nth(PATTERN_CHARS).is_some() {
        return Err(Error::invalid("pattern exceeds max length (1024)"));
    }
    Ok(Glob::new(pattern))
}
