//! Addresses of pages in normal form. Gateways compute the same form, byte by byte, to find what is stored.

use std::borrow::Cow;

use super::hosts::Patterns;

/// Longest address, as it was given.
pub(super) const URL_BYTES: usize = 16 << 10;

/// Why a text is no address of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid url: {0}")]
pub(super) struct BadUrl(pub(super) &'static str);

/// An address taken apart.
#[derive(Debug)]
pub(super) struct Address<'a> {
    text: &'a str,
}

impl<'a> Address<'a> {
    /// Takes it apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, BadUrl> {
        if text.len() > URL_BYTES { Err(BadUrl("too long")) } else { Ok(Address { text }) }
    }

    /// The path decoded, as it was given: what rules of hosts are matched on.
    pub(super) fn path(&self) -> Cow<'_, str> {
        Cow::Borrowed("/")
    }

    /// The query as it was given, without `?`.
    pub(super) fn query(&self) -> &str {
        ""
    }

    /// In normal form, without parameters that one of `strip` fits.
    pub(super) fn normal(&self, _strip: &Patterns) -> String {
        self.text.to_owned()
    }
}

/// What gateways and files know a page by: XXH64 with seed 0 over its address in normal form.
pub(super) fn hash(normal: &str) -> u64 {
    xxhash_rust::xxh64::xxh64(normal.as_bytes(), 0)
}
