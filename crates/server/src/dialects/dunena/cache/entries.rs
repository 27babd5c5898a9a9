//! Entries that a body lists, all of which are checked before any is stored.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::cache::{CacheSet, Ttl};

use super::{
    super::{check, error::Error},
    value::time_to_live,
};
use crate::http::json::{self, RawValue};

/// One of them.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    key: Cow<'a, str>,
    value: Cow<'a, str>,
    ttl: Ttl,
    /// Its own namespace, where entries may have one.
    pub(super) space: Option<&'a RawValue>,
}

impl<'a> Entry<'a> {
    /// What to store, in a namespace.
    pub(super) fn set<'s>(&'s self, space: &'s str) -> CacheSet<'s> {
        let value = Bytes::copy_from_slice(self.value.as_bytes());
        CacheSet { space: space.as_bytes(), key: self.key.as_bytes(), value, ttl: self.ttl }
    }
}

/// The entries of an array; none for anything else. The first one that breaks a rule decides what `verb` says.
pub(super) fn checked<'a>(array: &'a RawValue, verb: &str) -> Option<Result<Vec<Entry<'a>>, Error>> {
    let elements = json::elements(array.get(), usize::MAX).ok()?;
    Some(elements.kept.into_iter().map(|element| entry(element, verb)).collect())
}

fn entry<'a>(element: &'a RawValue, verb: &str) -> Result<Entry<'a>, Error> {
    // What is no object has no key.
    let members = json::members(element.get(), &["key", "value", "ttl", "ns"]).unwrap_or_default();
    let [key, value, ttl, space] = members;
    let key = check::key_member(key).map_err(|text| Error::invalid(format!("{verb} key error: {text}")))?;
    let of_key = |rule: &str, text| Error::invalid(format!("{verb} {rule} error for \"{key}\": {text}"));
    let value = check::value(value).map_err(|text| of_key("value", text))?;
    let ttl = check::ttl(ttl).map_err(|text| of_key("ttl", text))?;
    Ok(Entry { value, ttl: time_to_live(ttl), space, key })
}
