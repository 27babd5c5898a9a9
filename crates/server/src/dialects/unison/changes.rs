//! GET /changes: a page of the feed, with a long wait for it when asked.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use manifold_engine::{
    Engine,
    feed::{Changes, FeedPage, Filter},
};
use tokio::sync::watch;

use super::{
    call::Call,
    error::Error,
    model::{self, ENVELOPE_BYTES, Form},
    reply::{self, Reply, TRUNCATED},
    streams::stopping,
};
use crate::{
    http::{json, query::Query},
    telemetry::{StreamKind, UnisonMetrics},
};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: i64 = 1_000;
const MAX_WAIT_MS: i64 = 60_000;
/// JSON bytes of a page; a single record may be longer.
const PAGE_BYTES: usize = 16 << 20;

/// GET /changes.
pub(super) async fn get(call: Call<'_>, metrics: &Arc<UnisonMetrics>, shutdown: watch::Receiver<bool>) -> Reply {
    let query = call.query()?;
    let filter = filter_tenant(&query);
    let after = after(&query)?.unwrap_or(0);
    let limit = limit(query.integer("limit")?)?;
    let wait = wait(&query)?;
    let (filter, form) = filters(&query, filter)?;
    let on_gap = OnGap::of(&query)?;
    call.reach(&query).await?;

    let request = Changes { after, limit, max_bytes: PAGE_BYTES, filter, wait };
    let page = read(call.engine, request, metrics, shutdown).await?;
    if page.truncated && on_gap == OnGap::Error {
        return Err(Error::Compacted { oldest_seq: page.oldest_seq, last_seq: page.last_seq });
    }
    let mut response = reply::json_at(page.head, page_json(&page, form));
    if page.truncated {
        response.headers_mut().insert(TRUNCATED, reply::TRUE);
    }
    Ok(response)
}

/// The parameter `after`; a negative one stands for the beginning.
pub(super) fn after(query: &Query<'_>) -> Result<Option<u64>, Error> {
    Ok(query.integer("after")?.map(|after| u64::try_from(after).unwrap_or(0)))
}

/// The filter by tenant, which comes first among the parameters.
pub(super) fn filter_tenant(query: &Query<'_>) -> Filter {
    Filter { tenant: query.text("tenant").map(owned), ..Filter::default() }
}

/// The other filters, and which members of a record are wanted.
pub(super) fn filters(query: &Query<'_>, filter: Filter) -> Result<(Filter, Form), Error> {
    let filter = Filter {
        tree: query.text("namespace").map(owned),
        prefix: query.text("prefix").map(owned),
        not_actor: query.text("notActor").map(owned),
        ..filter
    };
    let form = Form { keys_only: query.flag("keysOnly")?, detail: query.flag("detail")?, as_entry: false };
    Ok((filter, form))
}

/// What to answer when records after the cursor are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnGap {
    Flag,
    Error,
}

impl OnGap {
    fn of(query: &Query<'_>) -> Result<Self, Error> {
        match query.text("onGap") {
            None | Some("flag") => Ok(OnGap::Flag),
            Some("error") => Ok(OnGap::Error),
            Some(_) => Err(Error::invalid("onGap must be error or flag")),
        }
    }
}

fn limit(asked: Option<i64>) -> Result<usize, Error> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..) => Ok(limit.min(MAX_LIMIT) as usize),
        Some(_) => Err(Error::invalid("limit must be a positive integer")),
    }
}

fn wait(query: &Query<'_>) -> Result<Option<Duration>, Error> {
    match query.integer("wait")? {
        None | Some(0) => Ok(None),
        Some(ms @ 1..) => Ok(Some(Duration::from_millis(ms.min(MAX_WAIT_MS) as u64))),
        Some(_) => Err(Error::invalid("wait must not be negative")),
    }
}

/// Reads the page; a wait ends early when the server stops, with what there is then.
async fn read(
    engine: &Engine,
    request: Changes,
    metrics: &Arc<UnisonMetrics>,
    mut shutdown: watch::Receiver<bool>,
) -> Result<FeedPage, Error> {
    if request.wait.is_none() {
        return Ok(engine.changes(request).await?);
    }
    let _waiting = metrics.stream(StreamKind::LongPoll);
    let at_once = Changes { wait: None, ..request.clone() };
    tokio::select! {
        page = engine.changes(request) => Ok(page?),
        () = stopping(&mut shutdown) => Ok(engine.changes(at_once).await?),
    }
}

/// The page as JSON. A page that would pass its size ends early and counts as full.
fn page_json(page: &FeedPage, form: Form) -> Vec<u8> {
    let values = page.changes.iter().map(|change| change.value.as_ref().map_or(0, |value| value.bytes.len()));
    let expected = values.map(|bytes| if form.keys_only { 0 } else { bytes } + 2 * ENVELOPE_BYTES).sum::<usize>();
    let mut out = Vec::with_capacity(64 + expected.min(PAGE_BYTES));
    out.extend_from_slice(b"{\"changes\":[");
    let mut last_seq = page.last_seq;
    for (index, change) in page.changes.iter().enumerate() {
        let before = out.len();
        if index > 0 {
            out.push(b',');
        }
        model::write_change(&mut out, change, form);
        if index > 0 && out.len() > PAGE_BYTES {
            out.truncate(before);
            last_seq = page.changes[index - 1].seq;
            break;
        }
    }
    out.extend_from_slice(b"],\"lastSeq\":");
    json::write_u64(&mut out, last_seq);
    if page.reset {
        out.extend_from_slice(b",\"reset\":true");
    }
    if page.truncated {
        out.extend_from_slice(b",\"truncated\":true,\"oldestSeq\":");
        json::write_u64(&mut out, page.oldest_seq);
    }
    out.push(b'}');
    out
}

fn owned(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests;
