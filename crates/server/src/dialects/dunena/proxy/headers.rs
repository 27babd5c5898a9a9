//! Headers that a registration adds to what is sent upstream.

use hyper::{
    HeaderMap,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};

use super::super::check::Broken;
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// Most of one registration.
const MOST: usize = 64;
/// Belong to a connection, to framing, or say where a request goes.
const REFUSED: [HeaderName; 12] = [
    HOST,
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    CONTENT_LENGTH,
    EXPECT,
];

/// The names and values of a registration's member; of several of one name the last one counts.
pub(super) fn read(member: Option<&RawValue>) -> Result<Vec<(String, String)>, Broken> {
    let Some(member) = json::given(member) else { return Ok(Vec::new()) };
    let headers = json::string_members(member).ok_or("headers must be an object of strings")?;
    if headers.len() > MOST {
        return Err("Too many headers".into());
    }
    for (name, value) in &headers {
        parse(name, value).ok_or_else(|| format!("Header \"{name}\" is not allowed"))?;
    }
    Ok(headers)
}

/// Headers that were read before, as they are sent. Their values may be secrets.
pub(super) fn to_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().filter_map(|(name, value)| parse(name, value)) {
        map.insert(name, value);
    }
    map
}

fn parse(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok().filter(|name| !REFUSED.contains(name))?;
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
