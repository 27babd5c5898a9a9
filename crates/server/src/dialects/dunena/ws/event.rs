//! What a connection is told of the cache.

use manifold_engine::{
    Timestamp,
    cache::{CacheChange, CacheEvent},
};

use super::write::end;
use crate::http::json;

#[cfg(test)]
mod tests;

/// What parts a namespace from a key where both are one text.
const SEPARATOR: u8 = 0;

/// The message of an event that was seen at `now`.
pub(super) fn message(event: &CacheEvent, now: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + 2 * (event.space.len() + event.key.len()));
    out.extend_from_slice(br#"{"channel":"cache","event":""#);
    out.extend_from_slice(name(event.what).as_bytes());
    out.extend_from_slice(br#"","data":{"#);
    if event.what != CacheChange::Clear {
        write_data(&mut out, event);
    }
    out.push(b'}');
    end(&mut out, now);
    out
}

fn name(what: CacheChange) -> &'static str {
    match what {
        CacheChange::Set(_) => "set",
        CacheChange::Delete => "delete",
        CacheChange::Expired => "expired",
        CacheChange::Clear => "clear",
        CacheChange::Counted { .. } => "incr",
        CacheChange::Exchanged(_) => "cas",
        CacheChange::Touched(_) => "touch",
    }
}

fn write_data(out: &mut Vec<u8>, event: &CacheEvent) {
    let CacheEvent { space, key, what } = event;
    let joined = if space.is_empty() { key.to_vec() } else { [space, &[SEPARATOR][..], key].concat() };
    out.extend_from_slice(br#""key":"#);
    json::write_bytes_as_str(out, &joined);
    match *what {
        CacheChange::Set(bytes) => number(out, "size", bytes),
        CacheChange::Counted { before, now } => {
            number(out, "value", now);
            number(out, "delta", i128::from(now) - i128::from(before));
        }
        CacheChange::Exchanged(version) => number(out, "version", version),
        CacheChange::Touched(ttl) => number(out, "ttl", ttl),
        CacheChange::Delete | CacheChange::Expired | CacheChange::Clear => {}
    }
    out.extend_from_slice(br#","ns":"#);
    json::write_bytes_as_str(out, space);
    out.extend_from_slice(br#","name":"#);
    json::write_bytes_as_str(out, key);
}

fn number(out: &mut Vec<u8>, name: &str, number: impl itoa::Integer) {
    out.push(b',');
    json::write_str(out, name);
    out.push(b':');
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
