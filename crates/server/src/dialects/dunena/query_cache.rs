//! Results of queries that clients cache here themselves: put, get, invalidate. The proxy's are among them.

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use manifold_engine::documents::{Cached, QueryCacheStats};
use serde::Serialize;

use super::{
    answer,
    asked::Asked,
    check::{self, Broken},
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    json::{self, Number, RawValue},
    route::{Route, Verb},
};

#[cfg(test)]
mod tests;

/// Longest key, in bytes.
pub(super) const KEY_BYTES: usize = 2048;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Get,
    Put,
    Invalidate,
    Stats,
    Clear,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/query-cache", &[(Verb::Post, Endpoint::QueryCache(Call::Put))]),
    route("/query-cache/invalidate", &[(Verb::Post, Endpoint::QueryCache(Call::Invalidate))]),
    route("/query-cache/stats", &[(Verb::Get, Endpoint::QueryCache(Call::Stats))]),
    route("/query-cache/clear", &[(Verb::Post, Endpoint::QueryCache(Call::Clear))]),
];
/// A table of its own, behind the one above: a key may be called like what can be done, as long as nothing can be got
/// under that name.
pub(super) static ENTRIES: &[Route<Endpoint>] =
    &[route("/query-cache/{key}", &[(Verb::Get, Endpoint::QueryCache(Call::Get))])];

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Get => get(asked).await,
        Call::Put => put(asked).await,
        Call::Invalidate => invalidate(asked).await,
        Call::Stats => stats(asked).await,
        Call::Clear => {
            asked.dunena.proxy()?.forget_all();
            asked.dunena.query_cache()?.clear().await?;
            Ok(answer::said(r#"{"cleared":true}"#))
        }
    }
}

async fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.parameter(0)?;
    let cached = asked.dunena.query_cache()?.get(&key).await?.ok_or(Error::Absent("Cache miss"))?;
    let Cached { data, tags, stored_at } = cached;
    let age_ms = asked.dunena.engine.now().0.saturating_sub(stored_at.0);
    let mut body = Vec::with_capacity(key.len() + data.len() + 64);
    body.extend_from_slice(br#"{"key":"#);
    json::write_str(&mut body, &key);
    body.extend_from_slice(br#","data":"#);
    body.extend_from_slice(&data);
    body.extend_from_slice(br#","cached":true,"age":"#);
    json::write_u64(&mut body, age_ms);
    body.extend_from_slice(br#","tags":"#);
    json::write_array(&mut body, &tags, |body, tag| json::write_str(body, tag));
    body.push(b'}');
    Ok(answer::ok(body))
}

async fn put(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [key, data, result, ttl, tags] = body.members(&["key", "data", "result", "ttl", "tags"])?;
    let key = key_member(key)?;
    let data = data.or(result).ok_or(Error::invalid("data is required"))?;
    let ttl_ms = check::ttl(ttl)?.unwrap_or(asked.dunena.query_cache_ttl_ms);
    let tags = check::tags(tags)?.unwrap_or_default();
    let data = Bytes::copy_from_slice(data.get().as_bytes());
    asked.dunena.query_cache()?.put(&key, data, tags, Some(ttl_ms)).await?;

    let mut body = br#"{"cached":true,"key":"#.to_vec();
    json::write_str(&mut body, &key);
    body.push(b'}');
    Ok(answer::json(StatusCode::CREATED, body))
}

fn key_member(member: Option<&RawValue>) -> Result<std::borrow::Cow<'_, str>, Broken> {
    let key = check::string(member).filter(|key| !key.is_empty()).ok_or("key is required")?;
    if key.len() > KEY_BYTES { Err("key exceeds max length (2048)".into()) } else { Ok(key) }
}

async fn invalidate(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [tags, key] = body.members(&["tags", "key"])?;
    let (tags, key) = doomed(tags, key)?;
    asked.dunena.proxy()?.forget(&tags, key.as_deref());
    let invalidated = asked.dunena.query_cache()?.invalidate(&tags, key.as_deref()).await?;
    Ok(answer::count("invalidated", invalidated))
}

/// The tags and the key of what is to be removed, at least one of them.
fn doomed(tags: Option<&RawValue>, key: Option<&RawValue>) -> Result<(Vec<String>, Option<String>), Broken> {
    const NEITHER: &str = "Provide either tags (array) or key (string)";
    let (tags, key) = (json::given(tags), json::given(key));
    if tags.is_some_and(|tags| !tags.get().starts_with('[')) {
        return Err(NEITHER.into());
    }
    let key = key.map(|key| check::string(Some(key)).ok_or(NEITHER)).transpose()?;
    let key = key.filter(|key| !key.is_empty()).map(String::from);
    let tags = check::tags(tags)?.unwrap_or_default();
    if tags.is_empty() && key.is_none() { Err(NEITHER.into()) } else { Ok((tags, key)) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    total_cached: u64,
    hits: u64,
    misses: u64,
    invalidations: u64,
    hit_rate: Number,
}

async fn stats(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let QueryCacheStats { entries, hits, misses, invalidations } = asked.dunena.query_cache()?.stats().await?;
    let looks = hits + misses;
    let hit_rate = Number(if looks == 0 { 0.0 } else { hits as f64 / looks as f64 });
    Ok(answer::value(&Figures { total_cached: entries, hits, misses, invalidations, hit_rate }))
}
