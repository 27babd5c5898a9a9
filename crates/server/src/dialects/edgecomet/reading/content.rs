//! The endpoint `content`: a stored page, its bytes or what is known of it.

use std::fmt::Display;

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    Response,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
};
use manifold_engine::recache::{DimensionId, PageKey, Record};
use serde::{Serialize, Serializer};

use super::{
    super::{
        EdgeComet,
        asked::{Answer, Asked, parameters::Parameters, subject},
        error::Error,
        hosts::Host,
        invalidate,
        pages::is_redirect,
        url::cache_key,
    },
    item::{Freshness, Item},
};

#[cfg(test)]
mod tests;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// A browser that is pointed here must not run somebody else's scripts with our origin.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// What is wanted of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Raw,
    Meta,
}

/// What is known of a page, with the headers that are kept.
#[derive(Serialize)]
struct Meta<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    #[serde(serialize_with = "by_name")]
    headers: &'a [(String, Vec<String>)],
}

fn by_name<S: Serializer>(headers: &&[(String, Vec<String>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, values)| (name, values)))
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let (dialect, parameters) = (asked.dialect, asked.parameters());
    let host = parameters.host(&dialect.hosts.get())?;
    let url = parameters.text("url").ok_or_else(|| Error::invalid("url is required"))?;
    let hashes = invalidate::hashes(&host, url).map_err(|_| Error::invalid("invalid url"))?;
    let dimensions = dimensions(&host, &parameters)?;
    let format = format(&parameters)?;

    let keys = dimensions.iter().flat_map(|dimension| hashes.map(|hash| (*dimension, hash)));
    let keys = keys.map(|(dimension, hash)| PageKey { host: host.id, dimension, hash });
    let (key, record) = first(dialect, keys).await?;
    let (now, stale_ttl) = (dialect.now(), host.treatment.stale_ttl.as_secs());
    match format {
        Format::Meta => {
            let item = Item::new(key, &record, now, stale_ttl);
            Ok(dialect.format().data(&Meta { item, headers: &record.headers }))
        }
        Format::Raw => {
            let body = body(dialect, &record).await?;
            Ok(page(key, &record, Freshness::of(&record, now, stale_ttl), body))
        }
    }
}

/// The dimensions whose page is wanted, the first that has one.
fn dimensions(host: &Host, parameters: &Parameters<'_>) -> Result<Vec<DimensionId>, Error> {
    if let Some(id) = parameters.integer("dimension_id")? {
        return subject::dimension(host, id).map(|id| vec![id]);
    }
    let Some(name) = parameters.text("dimension") else {
        return Ok(host.dimension_set().map(|dimension| dimension.id).collect());
    };
    let unknown = || Error::invalid(format!("dimension '{name}' not configured for host"));
    host.named(name).map(|dimension| vec![dimension.id]).ok_or_else(unknown)
}

fn format(parameters: &Parameters<'_>) -> Result<Format, Error> {
    match parameters.text("format") {
        None | Some("raw") => Ok(Format::Raw),
        Some("meta") => Ok(Format::Meta),
        Some(_) => Err(Error::invalid("format must be 'raw' or 'meta'")),
    }
}

async fn first(dialect: &EdgeComet, keys: impl Iterator<Item = PageKey>) -> Result<(PageKey, Record), Error> {
    for key in keys {
        if let Some(record) = dialect.home.record(key).await.map_err(Error::of_records)? {
            return Ok((key, record));
        }
    }
    Err(Error::Absent("no cache entry".into()))
}

async fn body(dialect: &EdgeComet, record: &Record) -> Result<Bytes, Error> {
    if record.status_code.is_some_and(is_redirect) {
        return Ok(Bytes::new());
    }
    let read = dialect.pages.read(record).await.unwrap_or_else(|error| {
        tracing::warn!(%error, file = record.file_path, "edgecomet: cannot read a stored page");
        None
    });
    read.ok_or_else(|| Error::Absent("cache file not found".into()))
}

fn page(key: PageKey, record: &Record, freshness: Freshness, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let mut said = |name: &'static str, value: &dyn Display| {
        // Somebody else's record may hold what no header can.
        if let Ok(value) = HeaderValue::try_from(value.to_string().into_bytes()) {
            headers.insert(name, value);
        }
    };
    said("x-cache-key", &cache_key(key));
    said("x-cache-status", &freshness.as_str());
    said("x-cache-source", &record.source);
    said("x-cache-status-code", &record.status_code.unwrap_or(0));
    said("x-cache-created-at", &record.created_at.unwrap_or(0));
    said("x-cache-expires-at", &record.expires_at.unwrap_or(0));
    if let Some(location) = stored(record, "location").filter(|_| record.status_code.is_some_and(is_redirect)) {
        said("x-cache-location", &location);
    }
    let media = stored(record, "content-type").and_then(|media| HeaderValue::from_bytes(media.as_bytes()).ok());
    headers.insert(CONTENT_TYPE, media.unwrap_or(HTML));
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    response
}

/// A header that was kept, whatever case its name is written in.
fn stored<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    let (_, values) = record.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    values.first().map(String::as_str)
}
