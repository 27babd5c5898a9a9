//! Lists of entries to write: the first that breaks a rule decides, before any is written.

use std::borrow::Cow;

use super::check::{self, Broken};
use crate::http::json::{self, RawValue};

/// One entry of a list, checked but for what only some resources take.
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
    pub(super) ttl_ms: Option<u64>,
    pub(super) tags: Option<&'a RawValue>,
    pub(super) space: Option<&'a RawValue>,
}

/// A member that is an array; none for anything else.
pub(super) fn array(member: Option<&RawValue>) -> Option<&RawValue> {
    member.filter(|member| member.get().starts_with('['))
}

/// The elements of a member that is an array.
pub(super) fn elements(member: Option<&RawValue>) -> Option<Vec<&RawValue>> {
    json::elements(array(member)?.get(), usize::MAX).ok().map(|elements| elements.kept)
}

/// [KEY], [VALUE] and [TTL] of an element, in the words of the verb.
pub(super) fn entry<'a>(verb: &str, element: &'a RawValue) -> Result<Entry<'a>, Broken> {
    // What is no object has no key.
    let members = json::members(element.get(), &["key", "value", "ttl", "tags", "ns"]);
    let [key, value, ttl, tags, space] = members.unwrap_or_default();
    let key = check::key_member(key).map_err(|text| format!("{verb} key error: {text}"))?;
    let value = check::value(value).map_err(|text| broken(verb, "value", &key, &text))?;
    let ttl_ms = check::ttl(ttl).map_err(|text| broken(verb, "ttl", &key, &text))?;
    Ok(Entry { key, value, ttl_ms, tags, space })
}

/// What is said of a member of the entry with this key.
pub(super) fn broken(verb: &str, member: &str, key: &str, text: &str) -> Broken {
    format!("{verb} {member} error for \"{key}\": {text}").into()
}
