//! Numbers inside values: decimal digits, bare or between quotation marks, as a JSON text has them.

use bytes::Bytes;

#[cfg(test)]
mod tests;

fn unquoted(value: &[u8]) -> Option<&str> {
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    std::str::from_utf8(value).ok()
}

/// The integer that a value is: no fraction, no exponent, no leading zero, no plus.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    let text = unquoted(value)?;
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
