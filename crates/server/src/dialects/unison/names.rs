//! Namespaces, keys and actors as requests spell them.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use manifold_engine::{Actor, Key, NameError, Namespace};

use super::error::{Error, not_text};
use crate::http::{
    json::{self, RawValue},
    path,
};

/// Who writes when the request does not say.
pub(super) const DEFAULT_ACTOR: Actor = Actor::fixed("api");

/// The namespace a raw path part stands for.
pub(super) fn namespace_from_path(part: &str) -> Result<Namespace, Error> {
    namespace(path::decode(part)?)
}

/// The key the rest of a raw path stands for.
pub(super) fn key_from_path(rest: &str) -> Result<Key, Error> {
    key(path::decode(rest)?)
}

pub(super) fn namespace(text: Cow<'_, str>) -> Result<Namespace, Error> {
    Namespace::new(bytes(text)).map_err(|error| Error::name("Namespace", error))
}

pub(super) fn key(text: Cow<'_, str>) -> Result<Key, Error> {
    Key::new(bytes(text)).map_err(|error| Error::name("Key", error))
}

/// The name in a member that `path` leads to, for the text of an error.
pub(super) fn name_from_member<T>(
    member: Option<&RawValue>,
    path: fmt::Arguments<'_>,
    check: impl FnOnce(Bytes) -> Result<T, NameError>,
) -> Result<T, Error> {
    let refuse = |what: &str| Error::Invalid(Cow::Owned(format!("{path} {what}")));
    let raw = member.ok_or_else(|| Error::Invalid(Cow::Owned(format!("Missing required field: {path}"))))?;
    let text = json::string(raw).map_err(|error| not_text(error, || refuse("must be a non-empty string")))?;
    check(bytes(text)).map_err(|error| match error {
        NameError::Empty => refuse("must be a non-empty string"),
        NameError::TooLong => refuse("too long"),
        NameError::Nul => refuse("must not contain NUL"),
    })
}

/// The actor a member names; absent, null and empty stand for the default.
pub(super) fn actor_from_member(member: Option<&RawValue>) -> Result<Actor, Error> {
    let Some(raw) = json::given(member) else { return Ok(DEFAULT_ACTOR) };
    let text = json::string(raw).map_err(|e| not_text(e, || Error::invalid("actor must be a string")))?;
    actor(&text)
}

/// The actor a text names; an empty one stands for the default.
pub(super) fn actor(text: &str) -> Result<Actor, Error> {
    match text {
        "" | "api" => Ok(DEFAULT_ACTOR),
        text => Actor::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|error| Error::name("actor", error)),
    }
}

/// The bytes of a text that may already be our own.
pub(super) fn bytes(text: Cow<'_, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => Bytes::copy_from_slice(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    }
}
