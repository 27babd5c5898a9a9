//! The endpoint `invalidate`: records of pages are deleted, so that nobody serves them any more.

use manifold_engine::recache::{DimensionId, HostId, PageKey};
use serde::Serialize;
use tokio::task::yield_now;

use super::{
    EdgeComet,
    asked::{
        Answer, Asked,
        fields::{self, Fields, List, Mistyped},
        subject,
    },
    error::Error,
    hosts::{Host, Patterns},
    url::{self, Address},
};
use crate::http::json::RawValue;

/// Records that are deleted with one call of the home. A body has room for millions of addresses.
const KEYS_AT_ONCE: usize = 4096;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    urls: List<'a>,
    dimension_ids: List<'a>,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
            "urls" => self.urls = fields::texts(value)?,
            "dimension_ids" => self.dimension_ids = fields::integers(value)?,
            _ => {}
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Invalidated {
    host_id: i64,
    urls_count: usize,
    dimension_ids_count: usize,
    entries_invalidated: u64,
}

pub(super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request<'_> = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    if request.urls.is_empty() {
        return Err(Error::invalid("urls array cannot be empty"));
    }
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let dimensions = subject::dimensions(&host, request.dimension_ids)?;
    let entries_invalidated = invalidate(dialect, &host, &dimensions.ids, request.urls).await?;
    Ok(dialect.format().data(&Invalidated {
        host_id: request.host_id,
        urls_count: request.urls.len(),
        dimension_ids_count: dimensions.count,
        entries_invalidated,
    }))
}

/// How many records there were.
async fn invalidate(
    dialect: &EdgeComet,
    host: &Host,
    dimensions: &[DimensionId],
    urls: List<'_>,
) -> Result<u64, Error> {
    let files_at = dialect.files_removed_at();
    let mut keys = Vec::new();
    let (mut invalidated, mut first_bad) = (0, None);
    for url in urls.texts() {
        match hashes(host, &url) {
            Ok(hashes) => keys.extend(hashes.into_iter().flat_map(|hash| pages(host.id, dimensions, hash))),
            Err(bad) => first_bad = first_bad.or(Some(bad)),
        }
        if keys.len() >= KEYS_AT_ONCE {
            invalidated += forget(dialect, &mut keys, files_at).await?;
            yield_now().await;
        }
    }
    if let Some(why) = first_bad {
        tracing::info!(host = %host.id, %why, "addresses were not invalidated");
    }
    Ok(invalidated + forget(dialect, &mut keys, files_at).await?)
}

/// What a page is known by: it may be stored without its tracking parameters, or with them.
pub(super) fn hashes(host: &Host, url: &str) -> Result<[u64; 2], url::BadUrl> {
    let address = Address::parse(url)?;
    let strip = &host.treatment(&address.path(), address.query()).strip;
    Ok([strip, &Patterns::default()].map(|strip| url::hash(&address.normal(strip))))
}

fn pages(host: HostId, dimensions: &[DimensionId], hash: u64) -> impl Iterator<Item = PageKey> {
    dimensions.iter().map(move |dimension| PageKey { host, dimension: *dimension, hash })
}

async fn forget(dialect: &EdgeComet, keys: &mut Vec<PageKey>, files_at: u64) -> Result<u64, Error> {
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(0);
    }
    let forgotten = dialect.home.forget(keys, files_at).await;
    keys.clear();
    // The document's endpoints have one text, whatever the home said.
    forgotten.map_err(|_| Error::unavailable("cache store unavailable"))
}
