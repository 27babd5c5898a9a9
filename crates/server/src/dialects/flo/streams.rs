//! Streams: append, read, trim, what they stand at.

use bytes::Bytes;
use manifold_engine::{
    Name, Namespace, Timestamp,
    stream::{
        Append, Appended, MAX_APPEND, NewRecord, Record, StreamInfo, StreamPage, StreamRead, StreamRetention,
        StreamStart, StreamTrim,
    },
};

use super::{
    Reply,
    call::{Call, check_depth},
    error::Error,
    members::{self, COUNT, Integers, NATURAL},
    names, payload,
    scan::PAGE_BYTES,
};
use crate::{
    http::{
        json::{self, RawValue},
        query::Query,
        reply,
    },
    net::Incoming,
};

const DEFAULT_COUNT: i64 = 100;
/// Streams read from the engine at once for a list of all.
const LIST_PAGE: usize = 1000;
const LAST: Integers = Integers::up_to(1, 1000, "an integer from 1");
/// The body and the array of records.
const AROUND_A_RECORD: usize = 2;

/// What a stream that is not there answers.
pub(super) const STREAM: &str = "Stream";

/// POST /append.
pub(super) async fn append(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream) = names::stream(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [payload, headers, records] = body.members(&["payload", "headers", "records"])?;
    let limit = call.flo.max_value_bytes;
    let (records, many) = match json::given(records) {
        None => (vec![record(payload, headers, limit)?], false),
        Some(_) if json::given(payload).or(json::given(headers)).is_some() => {
            return Err(Error::invalid("records contradicts payload"));
        }
        Some(records) => (batch(records, limit)?, true),
    };
    drop(body);

    let counters = call.flo.metrics.stream(namespace.as_bytes(), stream.as_bytes());
    let (count, bytes) = (records.len(), records.iter().map(|record| record.payload.len()).sum());
    keep_as_configured(&call, &namespace, &stream).await;
    let append = Append { stream, records, create: call.flo.stream_retention };
    let done = call.engine().append(&namespace, append).await;
    let done = done.inspect_err(|_| counters.append_errors.inc())?;
    counters.appended(count, bytes);
    Ok(reply::json(appended_json(&done, many)))
}

/// GET of a stream's records.
pub(super) async fn read(call: Call<'_>) -> Reply {
    let (namespace, stream) = names::stream(&call)?;
    let query = call.query()?;
    let offset = NATURAL.parameter(&query, "offset")?.map(i64::unsigned_abs);
    let count = COUNT.parameter(&query, "count")?;
    let start = start(&query, offset)?;
    let wait = members::block_parameter(&query)?;
    let limit = count.unwrap_or(DEFAULT_COUNT) as usize;
    let read = StreamRead { start, limit, max_bytes: PAGE_BYTES, wait };
    keep_as_configured(&call, &namespace, &stream).await;

    let waiting = wait.is_some().then(|| call.engine().read_stream(&namespace, &stream, read.clone()));
    let counters = call.flo.metrics.stream(namespace.as_bytes(), stream.as_bytes());
    let waited = match waiting {
        Some(waiting) => {
            let _reader = counters.blocked();
            call.flo.unless_stopping(waiting).await
        }
        None => None,
    };
    let page = match waited {
        Some(page) => page,
        None => call.engine().read_stream(&namespace, &stream, StreamRead { wait: None, ..read }).await,
    };
    let page = page.map_err(Error::of(STREAM))?;
    counters.read(page.records.len(), page.records.iter().map(|record| record.payload.len()).sum());
    Ok(reply::json(page_json(&page, offset)))
}

/// GET /info.
pub(super) async fn info(call: Call<'_>) -> Reply {
    let (namespace, stream) = names::stream(&call)?;
    call.query()?;
    keep_as_configured(&call, &namespace, &stream).await;
    let info = call.engine().stream_info(&namespace, &stream).await.map_err(Error::of(STREAM))?;
    let mut out = Vec::with_capacity(256);
    write_info(&mut out, &info);
    Ok(reply::json(out))
}

/// GET of a namespace's streams.
pub(super) async fn list(call: Call<'_>) -> Reply {
    let namespace = names::namespace(&call)?;
    call.query()?;
    let mut found: Vec<StreamInfo> = Vec::new();
    loop {
        let page = call.engine().streams(&namespace, found.last().map(|info| &info.name), LIST_PAGE).await?;
        let more = page.len() == LIST_PAGE;
        found.extend(page);
        if !more {
            break;
        }
    }
    let mut out = b"{\"streams\":".to_vec();
    json::write_array(&mut out, &found, write_info);
    out.push(b'}');
    Ok(reply::json(out))
}

/// POST /trim.
pub(super) async fn trim(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream) = names::stream(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [max_len, before_offset, max_age] = body.members(&["max_len", "before_offset", "max_age_seconds"])?;
    let max_len = NATURAL.member(max_len, "max_len")?.map(i64::unsigned_abs);
    let before_offset = NATURAL.member(before_offset, "before_offset")?.map(i64::unsigned_abs);
    let max_age = NATURAL.member(max_age, "max_age_seconds")?.map(i64::unsigned_abs);
    let trim = match (max_len, before_offset, max_age) {
        (Some(count), None, None) => StreamTrim::MaxLen(count),
        (None, Some(offset), None) => StreamTrim::BeforeOffset(offset),
        (None, None, Some(seconds)) => StreamTrim::MaxAge(std::time::Duration::from_secs(seconds)),
        _ => return Err(Error::invalid("Use exactly one of max_len, before_offset, max_age_seconds")),
    };
    let done = call.engine().trim_stream(&namespace, &stream, trim).await.map_err(Error::of(STREAM))?;
    call.flo.metrics.stream(namespace.as_bytes(), stream.as_bytes()).trimmed(done.trimmed);
    Ok(reply::json(format!("{{\"trimmed\":{},\"first_offset\":{}}}", done.trimmed, done.first)))
}

/// Gives a stream that was made under another configuration the retention of this one. In the namespace that other
/// dialects share nothing says who made a stream: there it keeps the one it was made with.
pub(super) async fn keep_as_configured(call: &Call<'_>, namespace: &Namespace, stream: &Name) {
    if namespace.as_bytes() == names::DEFAULT_NAMESPACE.as_bytes() {
        return;
    }
    let keep = call.flo.stream_retention;
    // A bound by number is not ours: whoever set it meant this stream.
    let outdated = |kept: StreamRetention| kept.records.is_none() && kept != keep;
    if let Err(error) = call.engine().retain_stream_if(namespace, stream, keep, outdated).await {
        // The request says by itself what is wrong; the next one tries again.
        tracing::debug!(%error, "a stream keeps the retention it was made with");
    }
}

/// Appends a record without the bracket that closes it.
pub(super) fn write_record(out: &mut Vec<u8>, record: &Record) {
    out.extend_from_slice(b"{\"offset\":");
    json::write_u64(out, record.offset);
    out.extend_from_slice(b",\"timestamp\":");
    json::write_u64(out, record.at.0);
    out.extend_from_slice(b",\"payload\":");
    payload::write(out, &record.payload);
    if record.headers.is_empty() && record.kind.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"headers\":{");
    let mut separator = false;
    let mut header = |name: &str, write: &mut dyn FnMut(&mut Vec<u8>)| {
        if std::mem::replace(&mut separator, true) {
            out.push(b',');
        }
        json::write_str(out, name);
        out.push(b':');
        write(out);
    };
    // What another dialect calls the type of an event is one of its headers here.
    if !record.kind.is_empty() {
        header("event_type", &mut |out| json::write_bytes_as_str(out, &record.kind));
    }
    for (name, value) in &record.headers {
        header(name, &mut |out| json::write_str(out, value));
    }
    out.push(b'}');
}

/// Bytes of all records as JSON, about.
pub(super) fn records_bytes<'a>(records: impl IntoIterator<Item = &'a Record>) -> usize {
    const EACH: usize = 96;
    let headers =
        |record: &Record| record.headers.iter().map(|(name, value)| name.len() + value.len() + 6).sum::<usize>();
    let sizes = records.into_iter().map(|record| payload::encoded_len(record.payload.len()) + headers(record) + EACH);
    128 + sizes.sum::<usize>()
}

fn record(payload: Option<&RawValue>, headers: Option<&RawValue>, limit: usize) -> Result<NewRecord, Error> {
    let payload = payload::member(payload, "payload", limit)?;
    let headers = match json::given(headers) {
        None => Vec::new(),
        Some(raw) => {
            json::string_members(raw).ok_or(Error::Field { field: "headers", rule: "an object of strings" })?
        }
    };
    Ok(NewRecord { kind: Bytes::new(), headers, payload })
}

fn batch(records: &RawValue, limit: usize) -> Result<Vec<NewRecord>, Error> {
    let refused = || Error::Field { field: "records", rule: "an array of 1 to 1000 objects" };
    let elements = json::elements(records.get(), MAX_APPEND).map_err(|_| refused())?;
    if !(1..=MAX_APPEND).contains(&elements.total) {
        return Err(refused());
    }
    let one = |raw: &&RawValue| {
        let found = json::members(raw.get(), &["payload", "headers"]).map_err(|_| refused())?;
        check_depth(raw.get(), &found, AROUND_A_RECORD)?;
        let [payload, headers] = found;
        record(payload, headers, limit)
    };
    elements.kept.iter().map(one).collect()
}

fn appended_json(done: &Appended, many: bool) -> String {
    let Appended { first, last, at: Timestamp(at), .. } = done;
    match many {
        true => {
            let count = last - first + 1;
            format!("{{\"first_offset\":{first},\"last_offset\":{last},\"count\":{count},\"timestamp\":{at}}}")
        }
        false => format!("{{\"offset\":{first},\"timestamp\":{at}}}"),
    }
}

fn start(query: &Query<'_>, offset: Option<u64>) -> Result<StreamStart, Error> {
    let last = LAST.parameter(query, "last")?.map(i64::unsigned_abs);
    let since = NATURAL.parameter(query, "since")?.map(i64::unsigned_abs);
    match (offset, last, since) {
        (None, None, None) => Ok(StreamStart::First),
        (Some(offset), None, None) => Ok(StreamStart::Offset(offset)),
        (None, Some(last), None) => Ok(StreamStart::Last(last)),
        (None, None, Some(since)) => Ok(StreamStart::Since(Timestamp(since))),
        _ => Err(Error::invalid("Use only one of offset, last, since")),
    }
}

fn page_json(page: &StreamPage, asked: Option<u64>) -> Vec<u8> {
    let mut out = Vec::with_capacity(records_bytes(page.records.iter().map(|record| &**record)));
    out.extend_from_slice(b"{\"records\":");
    json::write_array(&mut out, &page.records, |out, record| {
        write_record(out, record);
        out.push(b'}');
    });
    let next = match (page.records.last(), asked) {
        (Some(last), _) => last.offset + 1,
        // A reader that is ahead of the stream waits where it is.
        (None, Some(asked)) => asked.max(page.first),
        (None, None) => page.next,
    };
    for (name, value) in [("count", page.records.len() as u64), ("next_offset", next)] {
        out.push(b',');
        json::write_str(&mut out, name);
        out.push(b':');
        json::write_u64(&mut out, value);
    }
    write_bounds(&mut out, page.first, page.end);
    out.push(b'}');
    out
}

/// Appends the first and the last offset; a stream that was never written has the last offset -1.
fn write_bounds(out: &mut Vec<u8>, first: u64, end: u64) {
    out.extend_from_slice(b",\"first_offset\":");
    json::write_u64(out, first);
    out.extend_from_slice(b",\"last_offset\":");
    match end.checked_sub(1) {
        Some(last) => json::write_u64(out, last),
        None => out.extend_from_slice(b"-1"),
    }
}

fn write_info(out: &mut Vec<u8>, info: &StreamInfo) {
    out.extend_from_slice(b"{\"name\":");
    write_name(out, &info.name);
    write_bounds(out, info.first, info.end);
    out.extend_from_slice(b",\"record_count\":");
    json::write_u64(out, info.end - info.first);
    out.extend_from_slice(b",\"consumer_groups\":");
    json::write_array(out, &info.groups, write_name);
    out.push(b'}');
}

/// Appends the name of a stream, a group or a consumer.
pub(super) fn write_name(out: &mut Vec<u8>, name: &Name) {
    json::write_bytes_as_str(out, name.as_bytes());
}
