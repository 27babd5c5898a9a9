//! Entries and changes as JSON, written straight into the answer's buffer. Values are copied as they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use manifold_engine::{
    Timestamp,
    feed::{Change, ChangeOp},
    kv::{Encoding, Entry, Value},
};

use crate::http::json::{write_bytes_as_str, write_u64};

/// Bytes of an entry or a change besides its names and its value, about.
pub(super) const ENVELOPE_BYTES: usize = 192;

/// Which members of a change a client gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Leave `value` out.
    pub(super) keys_only: bool,
    /// `expiresAt`, `encoding` and `txn` too.
    pub(super) detail: bool,
    /// `updatedBy`, `updatedAt` and `expiresAt` too, so that a watcher can take a change for an entry.
    pub(super) as_entry: bool,
}

/// Appends an Entry.
pub(super) fn write_entry(out: &mut Vec<u8>, namespace: &[u8], entry: &Entry, keys_only: bool) {
    out.extend_from_slice(b"{\"namespace\":");
    write_bytes_as_str(out, namespace);
    out.extend_from_slice(b",\"key\":");
    write_bytes_as_str(out, entry.key.as_bytes());
    if !keys_only {
        out.extend_from_slice(b",\"value\":");
        write_value(out, &entry.value);
    }
    out.extend_from_slice(b",\"version\":");
    write_u64(out, entry.version);
    out.extend_from_slice(b",\"updatedBy\":");
    write_bytes_as_str(out, entry.actor.as_bytes());
    out.extend_from_slice(b",\"updatedAt\":");
    write_u64(out, entry.updated_at.0);
    write_expires_at(out, entry.expires_at);
    out.push(b'}');
}

/// Appends a Change.
pub(super) fn write_change(out: &mut Vec<u8>, change: &Change, form: Form) {
    out.extend_from_slice(b"{\"seq\":");
    write_u64(out, change.seq);
    out.extend_from_slice(match change.op {
        ChangeOp::Set(_) => b",\"op\":\"set\",\"namespace\":".as_slice(),
        ChangeOp::Delete | ChangeOp::Expire => b",\"op\":\"delete\",\"namespace\":",
    });
    write_bytes_as_str(out, change.namespace.as_bytes());
    out.extend_from_slice(b",\"key\":");
    write_bytes_as_str(out, change.key.as_bytes());
    if !form.keys_only {
        out.extend_from_slice(b",\"value\":");
        match &change.value {
            Some(value) => write_value(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b",\"version\":");
    write_u64(out, change.version);
    out.extend_from_slice(b",\"actor\":");
    write_bytes_as_str(out, change.actor.as_bytes());
    out.extend_from_slice(b",\"timestamp\":");
    write_u64(out, change.at.0);
    out.extend_from_slice(b",\"tenantId\":");
    write_bytes_as_str(out, change.namespace.tenant());
    if change.op == ChangeOp::Expire {
        out.extend_from_slice(b",\"reason\":\"expired\"");
    }
    if form.as_entry {
        write_as_entry(out, change);
    }
    if form.detail {
        write_detail(out, change);
    }
    out.push(b'}');
}

/// Appends a value: JSON as it was written, binary as a string when it is text, else in base64.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value.encoding {
        Encoding::Json => out.extend_from_slice(&value.bytes),
        Encoding::Binary => match std::str::from_utf8(&value.bytes) {
            Ok(text) => crate::http::json::write_str(out, text),
            Err(_) => {
                out.extend_from_slice(b"{\"$base64\":\"");
                out.extend_from_slice(STANDARD.encode(&value.bytes).as_bytes());
                out.extend_from_slice(b"\"}");
            }
        },
    }
}

fn write_as_entry(out: &mut Vec<u8>, change: &Change) {
    out.extend_from_slice(b",\"updatedBy\":");
    write_bytes_as_str(out, change.actor.as_bytes());
    out.extend_from_slice(b",\"updatedAt\":");
    write_u64(out, change.at.0);
    write_expires_at(out, change.expires_at);
}

fn write_detail(out: &mut Vec<u8>, change: &Change) {
    write_expires_at(out, change.expires_at);
    out.extend_from_slice(b",\"encoding\":");
    out.extend_from_slice(match change.value.as_ref().map(|value| value.encoding) {
        Some(Encoding::Json) => b"\"json\"".as_slice(),
        Some(Encoding::Binary) => b"\"binary\"",
        None => b"null",
    });
    out.extend_from_slice(b",\"txn\":{\"first\":");
    write_u64(out, change.commit.0);
    out.extend_from_slice(b",\"last\":");
    write_u64(out, change.commit.1);
    out.push(b'}');
}

fn write_expires_at(out: &mut Vec<u8>, expires_at: Option<Timestamp>) {
    out.extend_from_slice(b",\"expiresAt\":");
    match expires_at {
        Some(Timestamp(ms)) => write_u64(out, ms),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests;
