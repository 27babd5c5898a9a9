//! The conditions that request headers can set on a write, and the one they set on a read.

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use manifold_engine::kv::When;

use super::error::Error;
pub(super) use crate::http::etag::has_version;
use crate::http::etag::tag_version;

/// The condition of a PUT: `If-Match: "n"`, `If-Match: *` or `If-None-Match: *`.
pub(super) fn of_put(headers: &HeaderMap) -> Result<Option<When>, Error> {
    let absent = match only(headers, IF_NONE_MATCH).map_err(|Several| INVALID_IF_NONE_MATCH)? {
        None => None,
        Some(b"*") => Some(When::Absent),
        Some(_) => return Err(INVALID_IF_NONE_MATCH),
    };
    either(if_match(headers)?, absent)
}

/// The condition of a DELETE: `If-Match: "n"` or `If-Match: *`.
pub(super) fn of_delete(headers: &HeaderMap) -> Result<Option<When>, Error> {
    if_match(headers)
}

/// The one of two conditions that was given, if any.
pub(super) fn either(header: Option<When>, cas: Option<When>) -> Result<Option<When>, Error> {
    match (header, cas) {
        (Some(_), Some(_)) => Err(Error::invalid("Use either cas or If-Match")),
        (one, other) => Ok(one.or(other)),
    }
}

const INVALID_IF_MATCH: Error = Error::invalid("Invalid If-Match");
const INVALID_IF_NONE_MATCH: Error = Error::invalid("Invalid If-None-Match");

struct Several;

fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&[u8]>, Several> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii);
    if values.next().is_some() { Err(Several) } else { Ok(first) }
}

fn if_match(headers: &HeaderMap) -> Result<Option<When>, Error> {
    match only(headers, IF_MATCH).map_err(|Several| INVALID_IF_MATCH)? {
        None => Ok(None),
        Some(b"*") => Ok(Some(When::Present)),
        Some(tag) => tag_version(tag).map(When::Version).map(Some).ok_or(INVALID_IF_MATCH),
    }
}

#[cfg(test)]
mod tests;
