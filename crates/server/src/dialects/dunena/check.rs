//! The rules for what requests bring: keys, values, times to live, tags, namespaces. One that is broken is its text.

use std::borrow::Cow;

use manifold_engine::cache::{Glob, Ttl};

use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// A rule that was broken, as clients read it.
pub(super) type Broken = Cow<'static, str>;

/// Longest key, in characters.
const KEY_CHARS: usize = 512;
/// Longest value, in bytes.
const VALUE_BYTES: usize = 4 << 20;
/// Longest namespace, in bytes.
const NAMESPACE_BYTES: usize = 512;
/// Longest pattern, in characters.
const PATTERN_CHARS: usize = 1024;
/// Times beyond this one end with it: 2^53 - 1.
const MOST_MS: u64 = json::MAX_INTEGER as u64;

/// [KEY] of a text.
pub(super) fn key(key: &str) -> Result<(), Broken> {
    let printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let length = if printable { key.len() } else { key.chars().count() };
    match length {
        0 => Err("Key must not be empty".into()),
        1..=KEY_CHARS if printable => Ok(()),
        1..=KEY_CHARS => Err("Key contains invalid characters".into()),
        _ => Err("Key exceeds max length (512)".into()),
    }
}

/// [KEY] of a member.
pub(super) fn key_member(member: Option<&RawValue>) -> Result<Cow<'_, str>, Broken> {
    let text = string(member).ok_or("Key must be a string")?;
    key(&text)?;
    Ok(text)
}

/// [VALUE].
pub(super) fn value(member: Option<&RawValue>) -> Result<Cow<'_, str>, Broken> {
    let value = string(member).ok_or("Value must be a string")?;
    if value_fits(value.len()) { Ok(value) } else { Err("Value exceeds max size (4194304 bytes)".into()) }
}

/// Whether a value may have so many bytes.
pub(super) fn value_fits(bytes: usize) -> bool {
    bytes <= VALUE_BYTES
}

/// [TTL]: milliseconds, if any are given.
pub(super) fn ttl(member: Option<&RawValue>) -> Result<Option<u64>, Broken> {
    milliseconds(member, "TTL must be a non-negative integer (ms)")
}

/// [TTL] of a cached value.
pub(super) fn time_to_live(member: Option<&RawValue>) -> Result<Ttl, Broken> {
    ttl(member).map(lifetime)
}

/// How long a cached value lives: 0 = never expires, and nothing = as the configuration says.
pub(super) fn lifetime(ttl_ms: Option<u64>) -> Ttl {
    ttl_ms.map_or(Ttl::Default, |ms| if ms == 0 { Ttl::Never } else { Ttl::Millis(ms) })
}

/// A number of milliseconds, else this text.
pub(super) fn milliseconds(member: Option<&RawValue>, broken: &'static str) -> Result<Option<u64>, Broken> {
    let Some(member) = json::given(member) else { return Ok(None) };
    natural(member).map(Some).ok_or_else(|| broken.into())
}

/// A number without a fraction that is not negative, however it is spelled; those beyond 2^53 - 1 are that.
pub(super) fn natural(member: &RawValue) -> Option<u64> {
    let text = member.get();
    if text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    integral(member).filter(|number| *number >= 0.0).map(|number| (number as u64).min(MOST_MS))
}

/// The same, if it is not 0.
pub(super) fn positive_member(member: &RawValue) -> Option<u64> {
    natural(member).filter(|number| *number > 0)
}

/// A number without a fraction, however it is spelled.
pub(super) fn integral(member: &RawValue) -> Option<f64> {
    let text = member.get();
    // All other types of JSON begin with something else.
    let number: f64 = text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| text.parse().ok())??;
    (number.is_finite() && number.fract() == 0.0).then_some(number)
}

/// An integer of a query: digits and nothing else. One that is too large for the type is its largest.
pub(super) fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().unwrap_or(u64::MAX))
}

/// [TAGS], each once, in the order given.
pub(super) fn tags(member: Option<&RawValue>) -> Result<Option<Vec<String>>, Broken> {
    let Some(member) = json::given(member) else { return Ok(None) };
    strings(member).map(|tags| Some(distinct(tags))).ok_or_else(|| "tags must be an array of strings".into())
}

/// The texts of an array of strings; none for anything else.
pub(super) fn strings(member: &RawValue) -> Option<Vec<String>> {
    serde_json::from_str(member.get()).ok()
}

/// Each text once, where it came first.
pub(super) fn distinct(texts: Vec<String>) -> Vec<String> {
    let mut seen =
        std::collections::HashSet::with_capacity_and_hasher(texts.len(), foldhash::quality::RandomState::default());
    let first: Vec<bool> = texts.iter().map(|text| seen.insert(text.as_str())).collect();
    drop(seen);
    texts.into_iter().zip(first).filter_map(|(text, first)| first.then_some(text)).collect()
}

/// [NS] of a member: empty for the default one.
pub(super) fn namespace_member(member: Option<&RawValue>) -> Result<Cow<'_, str>, Broken> {
    let Some(member) = json::given(member) else { return Ok(Cow::Borrowed("")) };
    let name = string(Some(member)).ok_or("Namespace must be a string")?;
    namespace(&name)?;
    Ok(name)
}

/// [NS] of a text.
pub(super) fn namespace(name: &str) -> Result<(), Broken> {
    if name.len() > NAMESPACE_BYTES {
        return Err("Namespace exceeds max length (512)".into());
    }
    let control = name.bytes().any(|byte| byte < b' ' || byte == 0x7F);
    if control { Err("Namespace contains invalid characters".into()) } else { Ok(()) }
}

/// A pattern over keys: all of them when there is none.
pub(super) fn pattern(text: Option<&str>) -> Result<Glob, Broken> {
    let text = text.unwrap_or("*");
    let too_long = text.chars().nth(PATTERN_CHARS).is_some();
    if too_long { Err("pattern exceeds max length (1024)".into()) } else { Ok(Glob::new(text)) }
}

/// An integer of at least 1 in a query, if one is given.
pub(super) fn positive(text: Option<&str>, broken: &'static str) -> Result<Option<u64>, Broken> {
    let Some(text) = text else { return Ok(None) };
    digits(text).filter(|number| *number > 0).map(Some).ok_or_else(|| broken.into())
}

/// The text of a member that is a string.
pub(super) fn string(member: Option<&RawValue>) -> Option<Cow<'_, str>> {
    member.and_then(|member| json::string(member).ok())
}

/// The boolean of a member; none when there is no member, an error when it is something else.
pub(super) fn boolean(member: Option<&RawValue>, broken: &'static str) -> Result<Option<bool>, Broken> {
    let Some(member) = json::given(member) else { return Ok(None) };
    json::boolean(member).map(Some).ok_or_else(|| broken.into())
}
