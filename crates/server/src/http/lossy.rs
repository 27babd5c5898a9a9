//! JSON texts as lenient parsers take them: bytes that are no UTF-8, and escapes of half a surrogate pair, are U+FFFD.

use std::borrow::Cow;

use memchr::memmem;

#[cfg(test)]
mod tests;

/// What stands for everything that is no text; as long as what it replaces.
const REPLACEMENT: &[u8] = b"\\ufffd";

/// Whether no string of a text escapes half of a surrogate pair.
pub fn is_sound(text: &str) -> bool {
    !escapes_surrogates(text) || without_halves(text.to_owned()) == text
}

/// The text of a body without its byte order mark, mended so that a strict parser takes it.
pub fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    // Whether it is text at all is seen many bytes at a time, where it is not only one by one.
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    if escapes_surrogates(&text) { Cow::Owned(without_halves(text.into_owned())) } else { text }
}

/// Nearly no text does, and looking for it is quick.
fn escapes_surrogates(text: &str) -> bool {
    let bytes = text.as_bytes();
    memmem::find_iter(bytes, b"\\u").any(|at| matches!(bytes.get(at + 2), Some(b'd' | b'D')))
}

/// Replaces each escape of a surrogate that is not half of a pair.
fn without_halves(text: String) -> String {
    let mut bytes = text.into_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        at += found;
        at += match escaped_unit(&bytes[at..]) {
            Some(0xD800..=0xDBFF) if matches!(escaped_unit(&bytes[at + 6..]), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                bytes[at..at + 6].copy_from_slice(REPLACEMENT);
                6
            }
            // The byte after a backslash belongs to it, whatever it is.
            _ => 2.min(bytes.len() - at),
        };
    }
    String::from_utf8(bytes).expect("escapes are ASCII, and ASCII took their place")
}

/// The unit that `\u` and four digits at the beginning stands for.
fn escaped_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}
