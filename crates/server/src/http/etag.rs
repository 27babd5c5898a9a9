//! Entity tags that are versions: `"5"`.

use bytes::Bytes;
use hyper::{
    HeaderMap,
    header::{HeaderValue, IF_NONE_MATCH},
};

/// The tag of a version.
pub fn etag(version: u64) -> HeaderValue {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(version).as_bytes();
    let mut tag = Vec::with_capacity(digits.len() + 2);
    tag.push(b'"');
    tag.extend_from_slice(digits);
    tag.push(b'"');
    HeaderValue::from_maybe_shared(Bytes::from(tag)).expect("digits in quotes are a header value")
}

/// The version that a tag names.
pub fn tag_version(tag: &[u8]) -> Option<u64> {
    let digits = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    text.parse().ok()
}

/// Whether `If-None-Match` of a GET names this version: a list of tags, weak ones too, or `*`.
pub fn has_version(headers: &HeaderMap, version: u64) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    tags.map(<[u8]>::trim_ascii)
        .any(|tag| tag == b"*" || tag_version(tag.strip_prefix(b"W/").unwrap_or(tag)) == Some(version))
}
