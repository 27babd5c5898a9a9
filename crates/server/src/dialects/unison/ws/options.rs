//! What `watch/subscribe` asks for.

use bytes::Bytes;
use manifold_engine::feed::{Change, Filter};

use super::super::{
    error::{Error, not_text},
    members::Place,
    names,
};
use crate::http::json::{self, RawValue};

/// One subscription as the client described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// The namespace and everything below it; empty for all.
    pub(super) tree: Bytes,
    pub(super) begin: Begin,
    pub(super) prefix: Bytes,
    pub(super) not_actor: Option<Bytes>,
    pub(super) keys_only: bool,
    /// Most notifications per second and key.
    pub(super) max_rate: Option<u32>,
}

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// With what comes.
    Live,
    /// With the records after this one.
    Since(u64),
    /// With the live entries.
    Snapshot,
}

/// The fastest rate that differs from none: pacing works in milliseconds.
const MAX_RATE: i64 = 1_000;

impl Options {
    pub(super) fn parse(params: &str) -> Result<Self, Error> {
        let names = &["namespace", "since", "snapshot", "mode", "prefix", "keysOnly", "notActor", "maxRate"];
        let [namespace, since, snapshot, mode, prefix, keys_only, not_actor, max_rate] = json::members(params, names)?;
        let tree = tree(namespace)?;
        let since = seq(since, "since must be an integer")?;
        let snapshot = flag(snapshot, "snapshot must be a boolean")?;
        check_mode(mode)?;
        Ok(Options {
            tree,
            begin: match (since, snapshot) {
                (Some(_), true) => return Err(Error::invalid("Use either since or snapshot")),
                (Some(seq), false) => Begin::Since(seq),
                (None, true) => Begin::Snapshot,
                (None, false) => Begin::Live,
            },
            prefix: text(prefix, "prefix must be a string")?.unwrap_or_default(),
            keys_only: flag(keys_only, "keysOnly must be a boolean")?,
            not_actor: text(not_actor, "notActor must be a string")?.filter(|actor| !actor.is_empty()),
            max_rate: json::given(max_rate).map(rate).transpose()?,
        })
    }

    /// What passes, as the engine's filter.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            tenant: None,
            tree: (!self.tree.is_empty()).then(|| self.tree.clone()),
            prefix: (!self.prefix.is_empty()).then(|| self.prefix.clone()),
            not_actor: self.not_actor.clone(),
        }
    }

    /// Whether a change of a namespace in the tree passes the other filters.
    pub(super) fn passes(&self, change: &Change) -> bool {
        change.key.as_bytes().starts_with(&self.prefix)
            && self.not_actor.as_ref().is_none_or(|actor| change.actor.as_bytes() != &actor[..])
    }
}

/// The tree a member names: any namespace, or `""`.
pub(super) fn tree(namespace: Option<&RawValue>) -> Result<Bytes, Error> {
    let raw = namespace.ok_or_else(|| Place::Request.missing("namespace"))?;
    let text = json::string(raw).map_err(|e| not_text(e, || Error::invalid("namespace must be a string")))?;
    if text.is_empty() {
        return Ok(Bytes::new());
    }
    Ok(Bytes::copy_from_slice(names::namespace(text)?.as_bytes()))
}

/// A member that is true, false or absent.
pub(super) fn flag(member: Option<&RawValue>, otherwise: &'static str) -> Result<bool, Error> {
    json::given(member).map_or(Some(false), json::boolean).ok_or(Error::invalid(otherwise))
}

/// A member that is a text or absent.
pub(super) fn text(member: Option<&RawValue>, otherwise: &'static str) -> Result<Option<Bytes>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    let text = json::string(raw).map_err(|error| not_text(error, || Error::invalid(otherwise)))?;
    Ok(Some(names::bytes(text)))
}

/// A member that is a number of the feed or absent; a negative one stands for the beginning.
pub(super) fn seq(member: Option<&RawValue>, otherwise: &'static str) -> Result<Option<u64>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    let seq = json::integer(raw).ok_or(Error::invalid(otherwise))?;
    Ok(Some(u64::try_from(seq).unwrap_or(0)))
}

fn check_mode(mode: Option<&RawValue>) -> Result<(), Error> {
    match json::given(mode).map(RawValue::get) {
        None | Some("\"all\"") => Ok(()),
        Some(_) => Err(Error::invalid("mode must be all")),
    }
}

fn rate(raw: &RawValue) -> Result<u32, Error> {
    let rate = json::integer(raw).filter(|rate| *rate >= 1);
    rate.map(|rate| rate.min(MAX_RATE) as u32).ok_or(Error::invalid("maxRate must be a positive integer"))
}

#[cfg(test)]
mod tests;
