//! Keys and entries of requests that name many, and the answer that names many values.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::cache::{CacheSet, Ttl};

use super::check::{self, Broken};
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// What is said of keys or entries that are no array, and of an action that nobody knows.
pub(super) const NO_ACTION: &str = r#"Unknown action. Use "mget" or "mset"."#;

/// The keys to look for, each once, in the order asked. One that is no valid key is among them: nothing is stored there.
pub(super) fn keys(member: Option<&RawValue>) -> Result<Vec<String>, Broken> {
    let member = array(member)?;
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
    /// As it is stored in a namespace.
    pub(super) fn within<'s>(&'s self, space: &'s str) -> CacheSet<'s> {
        CacheSet { space: space.as_bytes(), key: self.key.as_bytes(), value: self.value.clone(), ttl: self.ttl }
    }
}

/// The entries to store, in the order given; what is wrong with the first bad one, as `action` says it.
pub(super) fn entries<'a>(action: &str, member: Option<&'a RawValue>) -> Result<Vec<Entry<'a>>, Broken> {
    let array = json::elements(array(member)?.get(), usize::MAX).map_err(|_| NO_ACTION)?;
    array.kept.into_iter().map(|element| entry(action, element)).collect()
}

fn entry<'a>(action: &str, element: &'a RawValue) -> Result<Entry<'a>, Broken> {
    // What is no object has no key.
    let members = json::members(element.get(), &["key", "value", "ttl", "ns"]).unwrap_or_default();
    let [key, value, ttl, space] = members;
    let key = check::key_member(key).map_err(|broken| format!("{action} key error: {broken}"))?;
    let value = check::value(value).map_err(|broken| format!(r#"{action} value error for "{key}": {broken}"#))?;
    let ttl = check::time_to_live(ttl).map_err(|broken| format!(r#"{action} ttl error for "{key}": {broken}"#))?;
    Ok(Entry { value: Bytes::copy_from_slice(value.as_bytes()), key, ttl, space })
}

fn array(member: Option<&RawValue>) -> Result<&RawValue, Broken> {
    member.filter(|member| member.get().starts_with('[')).ok_or_else(|| NO_ACTION.into())
}

/// Appends an object with a member for each key: its value, or null.
pub(super) fn write_values(out: &mut Vec<u8>, keys: &[String], values: &[Option<Bytes>]) {
    out.push(b'{');
    for (at, (key, value)) in keys.iter().zip(values).enumerate() {
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
    out.push(b'}');
}
