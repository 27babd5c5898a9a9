//! What members of a payload may be. A member that is missing is a 400, one of the wrong type or out of range a 422; type
//! comes before range.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::{
    Key, Name, NameError,
    pubsub::{Pattern, PatternError, Topic},
};

use super::error::Error;
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// Most elements of a list of keys or pairs.
pub(super) const MAX_ITEMS: usize = 10_000;

/// The payload of a command: the text of a JSON object, or nothing, which is one without members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a>(pub(super) Option<&'a RawValue>);

/// A member as it was found.
pub(super) type Member<'a> = Option<&'a RawValue>;

impl<'a> Payload<'a> {
    /// The members called `names`.
    pub(super) fn members<const N: usize>(self, names: &[&str; N]) -> Result<[Member<'a>; N], Error> {
        let Some(object) = self.0 else { return Ok([None; N]) };
        // It was found to be an object; what can still be wrong is the name of a member.
        json::members(object.get(), names).map_err(|_| Error::Malformed("a member's name is no text".to_owned()))
    }

    /// The key, for commands that name nothing else.
    pub(super) fn key(self) -> Result<Key, Error> {
        let [key] = self.members(&["key"])?;
        key_of(required(key, "key")?, "key")
    }
}

/// A member that must be there and not null.
pub(super) fn required<'a>(member: Member<'a>, field: &'static str) -> Result<&'a RawValue, Error> {
    json::given(member).ok_or(Error::Missing(field.into()))
}

/// A member that must be there and may be any JSON, null too.
pub(super) fn any<'a>(member: Member<'a>, field: &'static str) -> Result<&'a RawValue, Error> {
    member.ok_or(Error::Missing(field.into()))
}

/// The text of a member.
pub(super) fn text<'a>(raw: &'a RawValue, field: impl Into<Cow<'static, str>>) -> Result<Cow<'a, str>, Error> {
    json::string(raw).map_err(|_| Error::field(field, "must be a string"))
}

/// The text of a member that may be missing.
pub(super) fn optional_text<'a>(member: Member<'a>, field: &'static str) -> Result<Option<Cow<'a, str>>, Error> {
    json::given(member).map(|raw| text(raw, field)).transpose()
}

/// A flag; missing is `default`.
pub(super) fn flag(member: Member<'_>, field: &'static str, default: bool) -> Result<bool, Error> {
    match json::given(member) {
        None => Ok(default),
        Some(raw) => json::boolean(raw).ok_or(Error::field(field, "must be a boolean")),
    }
}

/// An integer from `least` to `most`, if there is one.
pub(super) fn integer(member: Member<'_>, field: &'static str, least: i64, most: i64) -> Result<Option<i64>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    let number = decimal(raw).ok_or(Error::field(field, "must be an integer"))?;
    let number = i64::try_from(number).ok().filter(|number| (least..=most).contains(number));
    number
        .map(Some)
        .ok_or_else(|| Error::Field { field: field.into(), rule: format!("must be between {least} and {most}").into() })
}

/// An integer from 0 that counts as `most` when it is larger.
pub(super) fn clamped(member: Member<'_>, field: &'static str, most: i64) -> Result<Option<i64>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    let number = decimal(raw).ok_or(Error::field(field, "must be an integer"))?;
    if number < 0 {
        return Err(Error::Field { field: field.into(), rule: format!("must be between 0 and {most}").into() });
    }
    Ok(Some(i64::try_from(number).unwrap_or(most).min(most)))
}

/// A JSON number without fraction and exponent; one beyond all bounds is as large as can be.
fn decimal(raw: &RawValue) -> Option<i128> {
    let text = raw.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if digits.len() < text.len() { i128::MIN } else { i128::MAX };
    plain.then(|| text.parse().unwrap_or(beyond))
}

/// The elements of an array of at most `most`.
pub(super) fn elements<'a>(
    raw: &'a RawValue,
    field: &'static str,
    kind: &'static str,
    most: usize,
) -> Result<Vec<&'a RawValue>, Error> {
    let elements = json::elements(raw.get(), most).map_err(|_| Error::field(field, kind))?;
    if elements.total > most {
        return Err(too_many(field, most));
    }
    Ok(elements.kept)
}

/// More than `most` items.
pub(super) fn too_many(field: &'static str, most: usize) -> Error {
    Error::Field { field: field.into(), rule: format!("must contain at most {most} items").into() }
}

/// More than `most` bytes.
pub(super) fn too_long(field: impl Into<Cow<'static, str>>, most: usize) -> Error {
    Error::Field { field: field.into(), rule: format!("must be at most {most} bytes").into() }
}

/// A key that must be there.
pub(super) fn key(member: Member<'_>, field: &'static str) -> Result<Key, Error> {
    key_of(required(member, field)?, field)
}

/// A key.
pub(super) fn key_of(raw: &RawValue, field: impl Into<Cow<'static, str>>) -> Result<Key, Error> {
    let field = field.into();
    let text = text(raw, field.clone())?;
    key_from(&text, field)
}

/// A text as a key.
pub(super) fn key_from(text: &str, field: impl Into<Cow<'static, str>>) -> Result<Key, Error> {
    Key::new(bytes(text)).map_err(|error| name_rule(error, field, Key::MAX))
}

/// Keys that must be there.
pub(super) fn keys(member: Member<'_>, field: &'static str) -> Result<Vec<Key>, Error> {
    let found = elements(required(member, field)?, field, "must be an array of strings", MAX_ITEMS)?;
    found.iter().enumerate().map(|(at, raw)| key_of(raw, format!("{field}[{at}]"))).collect()
}

/// The name of a room that must be there.
pub(super) fn room(member: Member<'_>) -> Result<Name, Error> {
    let text = text(required(member, "room")?, "room")?;
    Name::new(bytes(&text)).map_err(|error| name_rule(error, "room", Name::MAX))
}

/// A topic that must be there.
pub(super) fn topic(member: Member<'_>) -> Result<Topic, Error> {
    let text = text(required(member, "topic")?, "topic")?;
    topic_from(&text)
}

/// A text as a topic.
pub(super) fn topic_from(text: &str) -> Result<Topic, Error> {
    Topic::new(bytes(text)).map_err(|error| name_rule(error, "topic", Topic::MAX))
}

/// A pattern over topics.
pub(super) fn pattern(raw: &RawValue, field: impl Into<Cow<'static, str>>) -> Result<Pattern, Error> {
    let field = field.into();
    let text = text(raw, field.clone())?;
    pattern_from(&text, field)
}

/// A text as a pattern over topics.
pub(super) fn pattern_from(text: &str, field: impl Into<Cow<'static, str>>) -> Result<Pattern, Error> {
    Pattern::new(bytes(text)).map_err(|error| match error {
        PatternError::Name(error) => name_rule(error, field, Topic::MAX),
        PatternError::Hash => Error::field(field, "'#' must be the last segment"),
    })
}

/// The bytes of a text that is neither empty nor longer than `most` bytes.
pub(super) fn short(text: &str, field: &'static str, most: usize) -> Result<Bytes, Error> {
    match text.len() {
        0 => Err(Error::field(field, "must not be empty")),
        len if len > most => Err(too_long(field, most)),
        _ => Ok(bytes(text)),
    }
}

/// What an object of strings says, if there is one, as it was sent.
pub(super) fn strings<'a>(member: Member<'a>, field: &'static str) -> Result<Option<&'a RawValue>, Error> {
    let Some(raw) = json::given(member) else { return Ok(None) };
    json::string_members(raw).map(|_| Some(raw)).ok_or(Error::field(field, "must be an object of strings"))
}

/// Why a text is no name of at most `most` bytes.
pub(super) fn name_rule(error: NameError, field: impl Into<Cow<'static, str>>, most: usize) -> Error {
    match error {
        NameError::Empty => Error::field(field, "must not be empty"),
        NameError::Nul => Error::field(field, "must not contain NUL"),
        NameError::TooLong => too_long(field, most),
    }
}

/// The bytes of a text, on their own.
pub(super) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
