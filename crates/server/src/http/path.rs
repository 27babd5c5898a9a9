//! Raw paths: routes are matched on the text as it was sent; each captured part is then percent-decoded exactly once.

use std::borrow::Cow;

/// A `%` that is not followed by two hexadecimal digits, or bytes that are no UTF-8 after decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEncoding;

/// Decodes one part of a path; `+` is a plus sign.
pub fn decode(part: &str) -> Result<Cow<'_, str>, BadEncoding> {
    let Some(first) = memchr::memchr(b'%', part.as_bytes()) else { return Ok(Cow::Borrowed(part)) };
    let mut decoded = Vec::with_capacity(part.len());
    decoded.extend_from_slice(&part.as_bytes()[..first]);
    let mut rest = &part.as_bytes()[first..];
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, rest @ ..] => {
                decoded.push(hex(*high)? << 4 | hex(*low)?);
                rest
            }
            [b'%', ..] => return Err(BadEncoding),
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| BadEncoding)
}

fn hex(digit: u8) -> Result<u8, BadEncoding> {
    (digit as char).to_digit(16).map(|value| value as u8).ok_or(BadEncoding)
}

#[cfg(test)]
mod tests;
