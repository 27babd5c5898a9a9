//! Numbers inside values: a number of JSON, or a string of JSON whose characters are one.

use std::borrow::Cow;

use bytes::Bytes;

/// No integer has a longer value, even if each of its characters is escaped: what is longer is not even read.
pub(crate) const LONGEST_INTEGER: usize = 6 * "-9223372036854775808".len() + 2;

#[cfg(test)]
mod tests;

/// The characters of a string, the text of anything else.
fn unquoted(value: &[u8]) -> Option<Cow<'_, str>> {
    match value {
        [b'"', within @ .., b'"'] if !within.contains(&b'\\') => std::str::from_utf8(within).ok().map(Cow::Borrowed),
        [b'"', ..] => serde_json::from_slice(value).ok().map(Cow::Owned),
        _ => std::str::from_utf8(value).ok().map(Cow::Borrowed),
    }
}

/// The integer that the text of a value is; see [`of_text`]. JSON has a number `-0`.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    if value == b"-0" { Some(0) } else { of_text(&unquoted(value)?) }
}

/// The integer that a text is: no fraction, no exponent, no leading zero, no plus.
pub(crate) fn of_text(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" && !text.starts_with('-') || digits.starts_with(|first: char| matches!(first, '1'..='9'));
    plain.then(|| text.parse().ok()).flatten()
}

/// The finite number that a value is.
pub(crate) fn float(value: &[u8]) -> Option<f64> {
    let text = unquoted(value)?;
    let starts = text.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit());
    starts.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// An integer as a value.
pub(crate) fn of_integer(number: i64) -> Bytes {
    number.to_string().into()
}

/// A number as a value: the shortest text that reads back as it; a whole one has no fraction.
pub(crate) fn of_float(number: f64) -> Bytes {
    // No text of JSON has a negative zero that anybody asked for.
    let number = if number == 0.0 { 0.0 } else { number };
    let plain = number == 0.0 || (1e-5..1e17).contains(&number.abs());
    if plain { number.to_string().into() } else { format!("{number:e}").into() }
}
