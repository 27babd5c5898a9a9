//! The form of what is sent: a type, what it is about, and when.

use manifold_engine::Timestamp;

use crate::http::json;

/// A message whose data `write` appends as JSON.
pub(super) fn message(kind: &str, now: Timestamp, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(br#"{"type":"#);
    json::write_str(&mut out, kind);
    out.extend_from_slice(br#","data":"#);
    write(&mut out);
    end(&mut out, now);
    out
}

/// What a connection is told first.
pub(super) fn connected(id: &str, now: Timestamp) -> Vec<u8> {
    message("connected", now, |out| object(out, &[("id", &|out| json::write_str(out, id))]))
}

pub(super) fn pong(now: Timestamp) -> Vec<u8> {
    let mut out = br#"{"type":"pong""#.to_vec();
    end(&mut out, now);
    out
}

pub(super) fn error(text: &str, now: Timestamp) -> Vec<u8> {
    message("error", now, |out| json::write_str(out, text))
}

/// A member: its name, and what appends its value.
pub(super) type Written<'m> = (&'m str, &'m dyn Fn(&mut Vec<u8>));

/// Appends an object.
pub(super) fn object(out: &mut Vec<u8>, members: &[Written<'_>]) {
    out.push(b'{');
    for (at, (name, write)) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::write_str(out, name);
        out.push(b':');
        write(out);
    }
    out.push(b'}');
}

/// Ends a message whose last member is written.
pub(super) fn end(out: &mut Vec<u8>, now: Timestamp) {
    out.extend_from_slice(br#","timestamp":"#);
    json::write_u64(out, now.0);
    out.push(b'}');
}
