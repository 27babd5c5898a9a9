//! GET /changes: a page of the feed, with a long wait for it when asked.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use manifold_engine::{
    Engine,
    feed::{Change, Changes, FeedPage, Filter},
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
    check_mode(&query)?;
    call.reach(&query).await?;

    let request = Changes { after, limit, max_bytes: PAGE_BYTES, filter, wait };
    let mut records = Records::new(form);
    let page = read(call.engine, request.clone(), metrics, shutdown).await?;
    if page.truncated && on_gap == OnGap::Error {
        return Err(Error::Compacted { oldest_seq: page.oldest_seq, last_seq: page.head });
    }
    let mut end = records.add(&page);
    if form.keys_only {
        end = read_on(call.engine, request, &mut records, end).await?;
    }
    let mut response = reply::json_at(end.head, records.into_page(end.last_seq, &page));
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

/// A client that asks for another walk than the plain one must not take the plain one for it.
pub(super) fn check_mode(query: &Query<'_>) -> Result<(), Error> {
    match query.text("mode") {
        None | Some("all") => Ok(()),
        Some(_) => Err(Error::invalid("mode must be all")),
    }
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

/// The engine ends a page by the size of its values. Without them there is room for more: read on, one such page at a
/// time, until the answer is full by its own measure.
async fn read_on(engine: &Engine, request: Changes, records: &mut Records, mut end: End) -> Result<End, Error> {
    while !records.full && records.count < request.limit && end.last_seq < end.head {
        let limit = request.limit - records.count;
        let next = Changes { after: end.last_seq, limit, wait: None, ..request.clone() };
        let page = engine.changes(next).await?;
        if page.reset || page.truncated {
            // Retention passed by meanwhile: the next request is told so.
            break;
        }
        end = records.add(&page);
    }
    Ok(end)
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    last_seq: u64,
    head: u64,
}

/// The records of an answer as JSON. One that would pass the size of a page is left out, and the page is full.
struct Records {
    json: Vec<u8>,
    form: Form,
    count: usize,
    full: bool,
}

impl Records {
    fn new(form: Form) -> Self {
        Records { json: b"{\"changes\":[".to_vec(), form, count: 0, full: false }
    }

    fn add(&mut self, page: &FeedPage) -> End {
        let value_bytes = |change: &Change| change.value.as_ref().map_or(0, |value| value.bytes.len());
        let values: usize = page.changes.iter().map(|change| value_bytes(change)).sum();
        let expected = page.changes.len() * 2 * ENVELOPE_BYTES + if self.form.keys_only { 0 } else { values };
        self.json.reserve(expected.min(PAGE_BYTES));
        let mut last_given = None;
        for change in &page.changes {
            let before = self.json.len();
            if self.count > 0 {
                self.json.push(b',');
            }
            model::write_change(&mut self.json, change, self.form);
            if self.count > 0 && self.json.len() > PAGE_BYTES {
                self.json.truncate(before);
                self.full = true;
                // A page holds one record at least, so the one left out has another before it, here or further up.
                return End { last_seq: last_given.unwrap_or(change.seq - 1), head: page.head };
            }
            self.count += 1;
            last_given = Some(change.seq);
        }
        End { last_seq: page.last_seq, head: page.head }
    }

    /// The whole answer. `first` is the page that says whether something is missing.
    fn into_page(mut self, last_seq: u64, first: &FeedPage) -> Vec<u8> {
        self.json.extend_from_slice(b"],\"lastSeq\":");
        json::write_u64(&mut self.json, last_seq);
        if first.reset {
            self.json.extend_from_slice(b",\"reset\":true");
        }
        if first.truncated {
            self.json.extend_from_slice(b",\"truncated\":true,\"oldestSeq\":");
            json::write_u64(&mut self.json, first.oldest_seq);
        }
        self.json.push(b'}');
        self.json
    }
}

fn owned(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests;
