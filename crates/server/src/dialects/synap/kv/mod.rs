//! Keys: commands on values, and those on keys whatever they hold.

use std::time::Duration;

use manifold_engine::{
    Actor, Timestamp,
    kv::{Encoding, Entry, Value},
};

use super::{
    commands::{Context, Line, line},
    error::{absent, refused},
    object, payload,
};
use crate::http::json::{self, RawValue};

mod count;
mod delete;
mod expire;
mod flush;
mod get;
mod many;
mod scan;
mod set;
mod text;

pub(super) use get::{Get, find};
pub(super) use set::{MOST_TTL, Set};

/// Who writes through this dialect, as the change feed says it.
pub(super) const ACTOR: Actor = Actor::fixed("synap");

/// The commands of this folder.
pub(super) const COMMANDS: &[Line] = &[
    line::<Set>(),
    line::<Get>(),
    line::<delete::Del>(),
    line::<get::Exists>(),
    line::<count::Incr>(),
    line::<count::Decr>(),
    line::<expire::Expire>(),
    line::<expire::Ttl>(),
    line::<scan::Scan>(),
    line::<many::MSet>(),
    line::<many::MGet>(),
    line::<scan::Keys>(),
    line::<scan::DbSize>(),
    line::<delete::MDel>(),
    line::<expire::Persist>(),
    line::<flush::FlushDb>(),
    line::<flush::FlushAll>(),
    line::<scan::Stats>(),
    line::<text::Append>(),
    line::<text::SetRange>(),
    line::<text::GetRange>(),
    line::<text::StrLen>(),
    line::<set::GetSet>(),
    line::<many::MSetNx>(),
];

/// The value that is stored: its own text.
pub(super) fn json_value(raw: &RawValue) -> Value {
    Value { encoding: Encoding::Json, bytes: payload::bytes(raw.get()) }
}

/// Appends a value as published clients want it: a string as it is, anything else as a string of its text.
pub(super) fn write_sdk_text(out: &mut Vec<u8>, value: &Value) {
    let mut text = Vec::new();
    object::write_value(&mut text, value);
    if text.starts_with(b"\"") {
        out.extend_from_slice(&text);
    } else {
        json::write_bytes_as_str(out, &text);
    }
}

/// The same for one that may be absent.
fn write_found(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        Some(value) => write_sdk_text(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn seconds_of(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

/// Seconds until a deadline, rounded up.
fn seconds_until(context: &Context<'_>, deadline: Option<Timestamp>) -> Option<u64> {
    Some(deadline?.seconds_left(context.engine().now()))
}

/// The values of entries.
fn value_of(entry: &Option<Entry>) -> Option<&Value> {
    entry.as_ref().map(|entry| &entry.value)
}
