//! A document as clients read it.

use manifold_engine::documents::Document;

use crate::http::json;

/// What is around the texts.
const ENVELOPE_BYTES: usize = 160;

/// Appends the object.
pub(super) fn write(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(br#"{"key":"#);
    json::write_str(out, &document.key);
    out.extend_from_slice(br#","value":"#);
    json::write_str(out, &document.value);
    out.extend_from_slice(br#","namespace":"#);
    json::write_str(out, &document.space);
    out.extend_from_slice(br#","createdAt":"#);
    json::write_u64(out, document.created.0);
    out.extend_from_slice(br#","updatedAt":"#);
    json::write_u64(out, document.updated.0);
    out.extend_from_slice(br#","expiresAt":"#);
    match document.expires {
        Some(expires) => json::write_u64(out, expires.0),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","tags":"#);
    json::write_array(out, &document.tags, |out, tag| json::write_str(out, tag));
    out.push(b'}');
}

/// About how long it is, so that the buffer is allocated once.
pub(super) fn bytes(document: &Document) -> usize {
    let tags: usize = document.tags.iter().map(|tag| tag.len() + 3).sum();
    ENVELOPE_BYTES + document.key.len() + document.value.len() + document.space.len() + tags
}
