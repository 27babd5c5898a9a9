//! Values of the cache, one at a time.

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use manifold_engine::cache::CacheSet;

use super::{
    answer,
    asked::Asked,
    check,
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    json,
    route::{Route, Verb},
};

/// What is asked of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Get,
    Set,
    Delete,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[route(
    "/cache/{key}",
    &[
        (Verb::Get, Endpoint::Cache(Call::Get)),
        (Verb::Post, Endpoint::Cache(Call::Set)),
        (Verb::Delete, Endpoint::Cache(Call::Delete)),
    ],
)];

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Get => get(asked),
        Call::Set => set(asked).await,
        Call::Delete => delete(asked),
    }
}

fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
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

async fn set(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [value, ttl, space] = body.members(&["value", "ttl", "ns"])?;
    let value = check::value(value)?;
    let ttl = check::time_to_live(ttl)?;
    let space = asked.namespace(space)?;
    let key = asked.key()?;
    let value = Bytes::copy_from_slice(value.as_bytes());
    asked.dunena.cache.set([CacheSet { space: space.as_bytes(), key: key.as_bytes(), value, ttl }]);
    Ok(answer::json(StatusCode::CREATED, Bytes::from_static(br#"{"ok":true}"#)))
}

fn delete(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = Bytes::copy_from_slice(asked.key()?.as_bytes());
    let space = asked.namespace(None)?;
    let deleted = asked.dunena.cache.delete(space.as_bytes(), &[key]);
    Ok(answer::whether("deleted", deleted > 0))
}
