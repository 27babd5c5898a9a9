//! Keys and entries of requests that name many, and the answer that names many values.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::cache::{CacheSet, Ttl};

use super::{
    check::{self, Broken},
    entries,
};
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// What is said of keys or entries that are no array, and of an action that nobody knows.
pub(super) const NO_ACTION: &str = r#"Unknown action. Use "mget" or "mset"."#;

/// The keys to look for, each once, in the order asked. One that is no valid key is among them: nothing is stored there.
pub(super) fn keys(member: Option<&RawValue>) -> Result<Vec<String>, Broken> {
    let member = entries::array(member).ok_or(NO_ACTION)?;
    check::strings(member).map(check::distinct).ok_or_else(|| "keys must be an array of strings".into())
}

/// An entry to store.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    key: Cow<'a, str>,
    value: Bytes,
    ttl: Ttl,
    /// Its own namespace, which counts where entries may have one.
    pub(super) space: Option<&'a RawValue>,
}

impl Entry<'_> {
    /// As it is stored in a namespace. Its value goes there: a second one who holds it would have to be counted.
    pub(super) fn within<'s>(&'s mut self, space: &'s str) -> CacheSet<'s> {
        let value = std::mem::take(&mut self.value);
        CacheSet { space: space.as_bytes(), key: self.key.as_bytes(), value, ttl: self.ttl }
    }
}

/// The entries to store, in the order given; what is wrong with the first bad one, in the words of the verb.
pub(super) fn entries<'a>(verb: &str, member: Option<&'a RawValue>) -> Result<Vec<Entry<'a>>, Broken> {
    let elements = entries::elements(member).ok_or(NO_ACTION)?;
    elements.into_iter().map(|element| Ok(Entry::from(entries::entry(verb, element)?))).collect()
}

impl<'a> From<entries::Entry<'a>> for Entry<'a> {
    fn from(entry: entries::Entry<'a>) -> Self {
        let entries::Entry { key, value, ttl_ms, space, .. } = entry;
        Entry { key, value: Bytes::copy_from_slice(value.as_bytes()), ttl: check::lifetime(ttl_ms), space }
    }
}

/// Appends an object with a member for each key: its value, or null.
pub(super) fn write_values(out: &mut Vec<u8>, keys: &[String], values: &[Option<Bytes>]) {
    out.push(b'{');
    for (at, (key, value)) in keys.iter().zip(values).enumerate() {
        write_member(out, at, key, value.as_ref());
    }
    out.push(b'}');
}

/// Appends the member of such an object that stands at a position.
pub(super) fn write_member(out: &mut Vec<u8>, at: usize, key: &str, value: Option<&Bytes>) {
    if at > 0 {
        out.push(b',');
    }
    json::write_str(out, key);
    out.push(b':');
    match value {
        Some(value) => json::write_bytes_as_str(out, value),
        None => out.extend_from_slice(b"null"),
    }
}
