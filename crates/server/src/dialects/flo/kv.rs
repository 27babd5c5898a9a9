//! One key: GET (its history too), PUT, DELETE.

use std::time::Duration;

use axum::body::Body;
use hyper::{Response, StatusCode, header::ETAG};
use manifold_engine::{
    Key, Kind, Timestamp,
    kv::{Delete, Encoding, Entry, Expires, Put, Revision, Value, When},
};

use super::{
    Reply,
    call::Call,
    error::Error,
    members::{self, Integers},
    names::{self, ACTOR},
    payload,
    scan::{self, PAGE_BYTES},
};
use crate::{
    http::{
        etag::{etag, has_version},
        json::{self, MAX_INTEGER, RawValue},
        reply,
    },
    net::Incoming,
};

/// Bytes of an entry besides its key and its value, about.
pub(super) const ENVELOPE_BYTES: usize = 96;

const SECONDS: Integers = Integers::within(0, MAX_INTEGER / 1000, "an integer from 0");
const VERSION: Integers = members::NATURAL;
/// How many values of a key's history.
const DEPTH: Integers = Integers::up_to(1, 8, "an integer from 1");

/// GET of a key; of an empty one, the scan of its namespace.
pub(super) async fn get(call: Call<'_>) -> Reply {
    if call.parameters[1].is_empty() {
        return scan::get(call);
    }
    let (namespace, key) = names::key(&call)?;
    let query = call.query()?;
    let wait = members::block_parameter(&query)?;
    let depth = DEPTH.parameter(&query, "history")?;
    call.flo.metrics.kv_get(namespace.as_bytes());
    let waited = match wait {
        Some(wait) => call.flo.unless_stopping(call.engine().get_or_wait(&namespace, &key, wait)).await,
        None => None,
    };
    let found = waited.unwrap_or_else(|| call.engine().get(&namespace, &key))?;
    let entry = found.it.ok_or_else(|| absent(&key))?;
    if let Some(depth) = depth {
        let revisions = call.engine().history(&namespace, &key, depth as usize, PAGE_BYTES)?;
        let newest = revisions.first().ok_or_else(|| absent(&key))?;
        return Ok(unless_known(&call, newest.version, || history(&key, &revisions)));
    }
    Ok(unless_known(&call, entry.version, || {
        let mut out = Vec::with_capacity(entry_bytes(&entry));
        write_entry(&mut out, &entry, call.engine().now(), false);
        out
    }))
}

/// What `body` writes, or 304 to a client that has this version.
fn unless_known(call: &Call<'_>, version: u64, body: impl FnOnce() -> Vec<u8>) -> Response<Body> {
    let mut response = if has_version(&call.parts.headers, version) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        reply::json(body())
    };
    response.headers_mut().insert(ETAG, etag(version));
    response
}

/// `{"key","versions":[{"version","value","updated_at"}]}`, newest first.
fn history(key: &Key, revisions: &[Revision]) -> Vec<u8> {
    let each = |revision: &Revision| payload::encoded_len(revision.value.bytes.len()) + ENVELOPE_BYTES;
    let mut out = Vec::with_capacity(key.as_bytes().len() + 32 + revisions.iter().map(each).sum::<usize>());
    out.extend_from_slice(b"{\"key\":");
    json::write_bytes_as_str(&mut out, key.as_bytes());
    out.extend_from_slice(b",\"versions\":");
    json::write_array(&mut out, revisions, |out, revision| {
        out.extend_from_slice(b"{\"version\":");
        json::write_u64(out, revision.version);
        out.extend_from_slice(b",\"value\":");
        payload::write(out, &revision.value.bytes);
        out.extend_from_slice(b",\"updated_at\":");
        json::write_u64(out, revision.updated_at.0);
        out.push(b'}');
    });
    out.push(b'}');
    out
}

/// PUT of a key.
pub(super) async fn put(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, key) = names::key(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [value, ttl, if_not_exists, cas_version, if_exists] =
        body.members(&["value", "ttl_seconds", "if_not_exists", "cas_version", "if_exists"])?;
    let bytes = payload::member(value, "value", call.flo.max_value_bytes)?;
    let expires = expires(ttl, call.engine().now())?;
    let condition = Condition::of(if_not_exists, cas_version, if_exists)?;
    drop(body);

    let value = Value { encoding: Encoding::Binary, bytes };
    let put = Put { key: key.clone(), value, expires, when: condition.when(), actor: ACTOR };
    let done = call.engine().put(&namespace, put).await;
    let entry = done.map_err(|error| condition.refused(&key, error))?;
    call.flo.metrics.kv_set(namespace.as_bytes());
    let mut response = reply::json(written(&key, entry.version, ""));
    response.headers_mut().insert(ETAG, etag(entry.version));
    Ok(response)
}

/// DELETE of a key.
pub(super) async fn delete(call: Call<'_>) -> Reply {
    let (namespace, key) = names::key(&call)?;
    let query = call.query()?;
    let when = VERSION.parameter(&query, "cas_version")?.map_or(When::Always, when_version);
    let delete = Delete { key: key.clone(), when, actor: ACTOR };
    let done = call.engine().delete(&namespace, delete).await.map_err(|error| match error.kind() {
        // A key that is not there is not at another version: it is not there.
        Kind::Conflict { current: 0 } => absent(&key),
        _ => Error::of_key(key.as_bytes(), error),
    })?;
    let changed = done.it.ok_or_else(|| absent(&key))?;
    call.flo.metrics.kv_delete(namespace.as_bytes());
    Ok(reply::json(written(&key, changed.version, "\"deleted\":true,")))
}

/// Appends `{"key","value","version","ttl_remaining"}`.
pub(super) fn write_entry(out: &mut Vec<u8>, entry: &Entry, now: Timestamp, keys_only: bool) {
    out.extend_from_slice(b"{\"key\":");
    json::write_bytes_as_str(out, entry.key.as_bytes());
    if !keys_only {
        out.extend_from_slice(b",\"value\":");
        payload::write(out, &entry.value.bytes);
    }
    out.extend_from_slice(b",\"version\":");
    json::write_u64(out, entry.version);
    out.extend_from_slice(b",\"ttl_remaining\":");
    match entry.expires_at {
        // Rounded up: a key that is there has time left.
        Some(deadline) => json::write_u64(out, deadline.seconds_left(now).max(1)),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

/// About how long an entry is as JSON.
pub(super) fn entry_bytes(entry: &Entry) -> usize {
    entry.key.as_bytes().len() + payload::encoded_len(entry.value.bytes.len()) + ENVELOPE_BYTES
}

/// The condition of a put, and what its refusal means to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    None,
    /// `if_not_exists`.
    New,
    /// `if_exists`.
    There,
    /// `cas_version`; with `if_exists` too, an absent key is not found.
    Version {
        version: u64,
        must_exist: bool,
    },
}

impl Condition {
    fn of(
        if_not_exists: Option<&RawValue>,
        cas_version: Option<&RawValue>,
        if_exists: Option<&RawValue>,
    ) -> Result<Self, Error> {
        let new = members::boolean(if_not_exists, "if_not_exists")?;
        let version = VERSION.member(cas_version, "cas_version")?.map(i64::unsigned_abs);
        let there = members::boolean(if_exists, "if_exists")?;
        match (new, version, there) {
            (true, Some(1..), _) => Err(Error::invalid("if_not_exists contradicts cas_version")),
            (true, _, true) => Err(Error::invalid("if_not_exists contradicts if_exists")),
            (_, Some(0), true) => Err(Error::invalid("if_exists contradicts cas_version")),
            (true, _, false) => Ok(Condition::New),
            (false, Some(version), must_exist) => Ok(Condition::Version { version, must_exist }),
            (false, None, true) => Ok(Condition::There),
            (false, None, false) => Ok(Condition::None),
        }
    }

    fn when(self) -> When {
        match self {
            Condition::None => When::Always,
            Condition::New => When::Absent,
            Condition::There => When::Present,
            Condition::Version { version, .. } => when_version(version as i64),
        }
    }

    fn refused(self, key: &Key, error: manifold_engine::Error) -> Error {
        match (self, error.kind()) {
            (Condition::New, Kind::Conflict { current }) => {
                Error::KeyExists { key: key.as_bytes().to_vec(), current: *current }
            }
            (Condition::There | Condition::Version { must_exist: true, .. }, Kind::Conflict { current: 0 }) => {
                absent(key)
            }
            _ => Error::of_key(key.as_bytes(), error),
        }
    }
}

/// Version 0 means that the key must be absent.
fn when_version(version: i64) -> When {
    if version == 0 { When::Absent } else { When::Version(version.unsigned_abs()) }
}

fn expires(ttl: Option<&RawValue>, now: Timestamp) -> Result<Expires, Error> {
    let seconds = SECONDS.member(ttl, "ttl_seconds")?.unwrap_or(0).unsigned_abs();
    if now.0.saturating_add(seconds.saturating_mul(1000)) > MAX_INTEGER as u64 {
        return Err(Error::Field { field: "ttl_seconds", rule: "an integer from 0" });
    }
    Ok(if seconds == 0 { Expires::Never } else { Expires::In(Duration::from_secs(seconds)) })
}

fn absent(key: &Key) -> Error {
    Error::NoKey { key: key.as_bytes().to_vec() }
}

/// `{"key",…,"version"}`, with `between` in its place.
fn written(key: &Key, version: u64, between: &'static str) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.as_bytes().len() + 64);
    out.extend_from_slice(b"{\"key\":");
    json::write_bytes_as_str(&mut out, key.as_bytes());
    out.push(b',');
    out.extend_from_slice(between.as_bytes());
    out.extend_from_slice(b"\"version\":");
    json::write_u64(&mut out, version);
    out.push(b'}');
    out
}
