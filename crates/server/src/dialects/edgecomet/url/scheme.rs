//! The scheme of an address, and what may follow it.

use super::{BadUrl, MALFORMED, MISSING_HOST};

/// The scheme, empty if there is none, and what follows its colon.
pub(super) fn split(text: &str) -> Result<(&str, &str), BadUrl> {
    let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)));
    match end.filter(|end| text.as_bytes()[*end] == b':') {
        Some(0) => Err(MALFORMED),
        Some(end) if text.as_bytes()[0].is_ascii_alphabetic() => Ok((&text[..end], &text[end + 1..])),
        _ => Ok(("", text)),
    }
}

/// What follows the two slashes that every address of a page has.
pub(super) fn strip_slashes<'a>(scheme: &str, rest: &'a str) -> Result<&'a str, BadUrl> {
    if !rest.starts_with('/') {
        let first = rest.split('/').next().unwrap_or_default();
        return Err(if scheme.is_empty() && !first.contains(':') { MISSING_HOST } else { MALFORMED });
    }
    rest.strip_prefix("//").ok_or(MISSING_HOST)
}
