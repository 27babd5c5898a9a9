//! A query through a connector: from the cache, from a call that is on its way already, or from the upstream.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use hyper::Response;
use manifold_engine::documents::QueryCache;

use super::{
    super::{
        answer,
        asked::Asked,
        check::{self, Broken},
        error::Error,
        query_cache::KEY_BYTES,
    },
    Failure, Proxy,
    connector::{Connector, Fetched},
    flights::Shared,
    statement,
};
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// What a client asks.
struct Question {
    connector: String,
    query: String,
    /// An array.
    params: Option<Box<RawValue>>,
    cache_key: Option<String>,
    ttl_ms: Option<u64>,
    tags: Vec<String>,
    skip_cache: bool,
}

/// What it is told.
struct Found {
    data: Bytes,
    cached: bool,
    took: Duration,
}

pub(super) async fn answer(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let question = read(body.members(&["connector", "query", "params", "cacheKey", "ttl", "tags", "skipCache"])?)?;
    drop(body);
    let proxy = asked.dunena.proxy()?;
    let connector = proxy.registry.get(&question.connector).await?;
    let connector = connector.ok_or_else(|| Failure::UnknownConnector(question.connector.clone()))?;
    let mutates = statement::is_mutation(connector.kind, &question.query);
    if mutates && connector.read_only {
        return Err(Failure::ReadOnly(question.connector).into());
    }
    let key = match &question.cache_key {
        Some(key) => key.clone(),
        None => connector.cache_key(&question.query, question.params.as_deref()),
    };
    let found = if mutates || question.skip_cache {
        let Question { query, params, .. } = &question;
        connector.fetch(&proxy.reach, query, params.as_deref()).await?.into()
    } else {
        proxy.cached(&connector, &key, question).await?
    };
    Ok(answer::ok(found.into_body(&connector.name, &key)))
}

fn read(members: [Option<&RawValue>; 7]) -> Result<Question, Broken> {
    let [connector, query, params, cache_key, ttl, tags, skip_cache] = members;
    let text = |member| check::string(member).filter(|text| !text.is_empty());
    let (Some(connector), Some(query)) = (text(connector), text(query)) else {
        return Err("connector and query are required".into());
    };
    let params = json::given(params);
    if params.is_some_and(|params| !params.get().starts_with('[')) {
        return Err("params must be an array".into());
    }
    let cache_key = match json::given(cache_key) {
        None => None,
        key => Some(text(key).filter(|key| key.len() <= KEY_BYTES).ok_or("cacheKey must be a non-empty string")?),
    };
    Ok(Question {
        connector: connector.into_owned(),
        query: query.into_owned(),
        params: params.map(ToOwned::to_owned),
        cache_key: cache_key.map(|key| key.into_owned()),
        ttl_ms: check::ttl(ttl)?,
        tags: check::tags(tags)?.unwrap_or_default(),
        skip_cache: check::boolean(skip_cache, "skipCache must be a boolean")?.unwrap_or(false),
    })
}

impl Proxy {
    /// The result of a query that only reads.
    async fn cached(&self, connector: &Arc<Connector>, key: &str, question: Question) -> Result<Found, Error> {
        if let Some(cached) = self.cache.get(key).await? {
            return Ok(Found::cached(cached.data));
        }
        let Question { query, params, ttl_ms, tags, .. } = question;
        let tags = check::distinct([connector.default_tags.clone(), tags].concat());
        let ttl_ms = connector.ttl_ms(ttl_ms, self.default_ttl_ms);
        let call = {
            let (connector, reach) = (connector.clone(), self.reach.clone());
            async move { connector.fetch(&reach, &query, params.as_deref()).await }
        };
        let keep = {
            let (cache, key, tags) = (self.cache.clone(), key.to_owned(), tags.clone());
            move |fetched: &Fetched| keep(&cache, &key, fetched, tags, ttl_ms)
        };
        // Between the look above and the place in the line a call may have landed.
        match self.flights.share(key, &tags, || self.cache.peek(key), call, keep).await {
            Shared::Kept(cached) => Ok(Found::cached(cached.data)),
            Shared::Landed(outcome) => Ok(outcome?.into()),
            Shared::Lost => Err(Error::Internal),
        }
    }
}

/// Readers find the result from now on; what is given back completes when it is durable.
fn keep(
    cache: &QueryCache,
    key: &str,
    fetched: &Fetched,
    tags: Vec<String>,
    ttl_ms: u64,
) -> impl Future<Output = ()> + Send + use<> {
    let put = cache.put(key, fetched.data.clone(), tags, Some(ttl_ms));
    async move {
        if let Err(error) = put.await {
            tracing::warn!(%error, "the result of a proxied query is not kept");
        }
    }
}

impl From<Fetched> for Found {
    fn from(Fetched { data, took }: Fetched) -> Self {
        Found { data, cached: false, took }
    }
}

impl Found {
    fn cached(data: Bytes) -> Found {
        Found { data, cached: true, took: Duration::ZERO }
    }

    fn into_body(self, connector: &str, key: &str) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.data.len() + connector.len() + key.len() + 96);
        body.extend_from_slice(br#"{"data":"#);
        body.extend_from_slice(&self.data);
        body.extend_from_slice(br#","cached":"#);
        body.extend_from_slice(if self.cached { b"true" } else { b"false" });
        body.extend_from_slice(br#","connector":"#);
        json::write_str(&mut body, connector);
        body.extend_from_slice(br#","durationMs":"#);
        write_ms(&mut body, self.took);
        body.extend_from_slice(br#","cacheKey":"#);
        json::write_str(&mut body, key);
        body.push(b'}');
        body
    }
}

/// Milliseconds with at most two decimals. What took any time is not 0, which stands for no call at all.
fn write_ms(out: &mut Vec<u8>, took: Duration) {
    let hundredths = took.as_micros().div_ceil(10) as u64;
    json::write_u64(out, hundredths / 100);
    let (tenths, rest) = (hundredths / 10 % 10, hundredths % 10);
    if (tenths, rest) != (0, 0) {
        out.extend_from_slice(&[b'.', b'0' + tenths as u8]);
    }
    if rest != 0 {
        out.push(b'0' + rest as u8);
    }
}
