//! Addresses of pages in normal form. Gateways compute the same form, byte by byte, to find what is stored, so the rules
//! are those of the contract (6), not those of any standard: no library parses like this.
//!
//! `scheme`, `authority`, `path` and `query` each know the rules of their part, `escape` the percent signs of all of them.

use std::borrow::Cow;

use manifold_engine::recache::PageKey;

mod authority;
mod escape;
mod path;
mod query;
mod scheme;
#[cfg(test)]
mod tests;

use authority::Authority;
use path::Path;
use query::Query;

use super::hosts::Patterns;

/// Longest address, as it was given.
pub(super) const URL_BYTES: usize = 16 << 10;

/// Why a text is no address of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid url: {0}")]
pub(super) struct BadUrl(pub(super) &'static str);

const MALFORMED: BadUrl = BadUrl("malformed");
const MISSING_HOST: BadUrl = BadUrl("missing host");
const INVALID_HOST: BadUrl = BadUrl("invalid host");
const TOO_LONG: BadUrl = BadUrl("too long");

/// An address taken apart.
#[derive(Debug)]
pub(super) struct Address<'a> {
    /// As it was given; may be empty.
    scheme: &'a str,
    authority: Authority<'a>,
    path: Path<'a>,
    query: Query<'a>,
}

impl<'a> Address<'a> {
    /// Takes apart what a client gave.
    pub(super) fn parse(text: &'a str) -> Result<Self, BadUrl> {
        if text.len() > URL_BYTES { Err(TOO_LONG) } else { Address::parse_known(text) }
    }

    /// Takes apart what is no client's, such as a normal form, which may be longer than what it was made from.
    pub(super) fn parse_known(text: &'a str) -> Result<Self, BadUrl> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(MALFORMED);
        }
        let has_scheme_or_slashes = text.contains("://") || text.starts_with("//");
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        escape::check(fragment)?;
        let (scheme, rest) = if has_scheme_or_slashes { scheme::split(text)? } else { ("https", text) };
        let (rest, query) = Query::split(rest);
        let rest = if has_scheme_or_slashes { scheme::strip_slashes(scheme, rest)? } else { rest };
        let (authority, path) = rest.split_at(memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len()));
        Ok(Address { scheme, authority: Authority::parse(authority)?, path: Path::parse(path)?, query })
    }

    /// The path decoded, as it was given: what rules of hosts are matched on.
    pub(super) fn path(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.path.decoded)
    }

    /// The query as it was given, without `?`.
    pub(super) fn query(&self) -> &str {
        self.query.raw
    }

    /// In normal form, without parameters that one of `strip` fits.
    pub(super) fn normal(&self, strip: &Patterns) -> String {
        let scheme = self.scheme.to_ascii_lowercase();
        let mut normal = String::with_capacity(URL_BYTES.min(64 + self.path.raw.len() + self.query.raw.len()));
        if !scheme.is_empty() {
            normal.push_str(&scheme);
            normal.push(':');
        }
        normal.push_str("//");
        self.authority.write(&scheme, &mut normal);
        self.path.write(&mut normal);
        self.query.write(strip, &mut normal);
        normal
    }
}

/// What gateways know a stored page by.
pub(super) fn cache_key(key: PageKey) -> String {
    format!("cache:{}:{}:{:016x}", key.host, key.dimension, key.hash)
}

/// What gateways and files know a page by: XXH64 with seed 0 over its address in normal form.
pub(super) fn hash(normal: &str) -> u64 {
    xxhash_rust::xxh64::xxh64(normal.as_bytes(), 0)
}
