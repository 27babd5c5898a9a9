//! The endpoint `recache`: pages are queued to be fetched anew.

use std::{borrow::Cow, sync::Arc};

use manifold_engine::recache::{DimensionId, Enqueue, Entry, Priority};
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
    home::HomeError,
    hosts::Host,
};
use crate::http::json::RawValue;

/// Most addresses of one request.
const URLS: usize = 10_000;
/// How far ahead a page may be scheduled.
const AHEAD_DAYS: u64 = 400;
/// Addresses between two chances for others to run.
const URLS_AT_ONCE: usize = 256;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    urls: List<'a>,
    dimension_ids: List<'a>,
    priority: Cow<'a, str>,
    schedule_at: i64,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
            "urls" => self.urls = fields::texts(value)?,
            "dimension_ids" => self.dimension_ids = fields::integers(value)?,
            "priority" => self.priority = fields::text(value)?,
            "schedule_at" => self.schedule_at = fields::integer(value)?,
            _ => {}
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Recached {
    host_id: i64,
    urls_count: usize,
    dimension_ids_count: usize,
    entries_enqueued: usize,
    priority: &'static str,
}

pub(super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request<'_> = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    if request.urls.is_empty() {
        return Err(Error::invalid("urls array cannot be empty"));
    }
    if request.urls.len() > URLS {
        return Err(Error::invalid(format!("urls array cannot exceed {URLS} entries")));
    }
    let priority = priority(&request.priority)?;
    let due = due(dialect.now(), request.schedule_at)?;
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let dimensions = subject::dimensions(&host, request.dimension_ids)?;

    let (entries, accepted) = entries(dialect, &host, &dimensions.ids, request.urls).await;
    if !entries.is_empty() {
        let most = dialect.config.max_entries_per_queue();
        let enqueue = Enqueue { host: host.id, priority, entries, due, most };
        dialect.home.enqueue(enqueue).await.map_err(|error| refused(&host, error))?;
    }
    Ok(dialect.format().data(&Recached {
        host_id: request.host_id,
        urls_count: request.urls.len(),
        dimension_ids_count: dimensions.count,
        entries_enqueued: accepted * dimensions.count,
        priority: priority.as_str(),
    }))
}

/// Entries of the daemon itself are not asked for.
fn priority(name: &str) -> Result<Priority, Error> {
    match name {
        "high" => Ok(Priority::High),
        "normal" => Ok(Priority::Normal),
        _ => Err(Error::invalid("priority must be 'high' or 'normal'")),
    }
}

fn due(now: u64, schedule_at: i64) -> Result<u64, Error> {
    let scheduled = u64::try_from(schedule_at).unwrap_or(0);
    if scheduled > now + AHEAD_DAYS * 24 * 60 * 60 {
        return Err(Error::invalid(format!("schedule_at must be within {AHEAD_DAYS} days")));
    }
    Ok(scheduled.max(now))
}

/// An entry for each address and dimension, and how many addresses there were that can be fetched at all.
async fn entries(dialect: &EdgeComet, host: &Host, dimensions: &[DimensionId], urls: List<'_>) -> (Vec<Entry>, usize) {
    let mut entries = Vec::with_capacity(urls.len() * dimensions.len());
    let (mut accepted, mut first_bad) = (0, None);
    for (index, url) in urls.texts().enumerate() {
        if index % URLS_AT_ONCE == URLS_AT_ONCE - 1 {
            yield_now().await;
        }
        match dialect.queued_form(host, &url) {
            Ok(url) => {
                let url: Arc<str> = url.into();
                entries.extend(dimensions.iter().map(|dimension| Entry { url: url.clone(), dimension: *dimension }));
                accepted += 1;
            }
            Err(bad) => first_bad = first_bad.or(Some(bad)),
        }
    }
    if let Some(why) = first_bad {
        tracing::info!(host = %host.id, skipped = urls.len() - accepted, %why, "addresses were not queued");
    }
    (entries, accepted)
}

fn refused(host: &Host, error: HomeError) -> Error {
    match error {
        HomeError::Full => Error::queue_full(host.id),
        HomeError::Unavailable(_) | HomeError::Busy | HomeError::BadCursor => {
            Error::unavailable("queue store unavailable")
        }
    }
}
