//! In which characters a page is written. Hardly a page is not in UTF-8; of other encodings only the most frequent one
//! is read, and of the rest what is ASCII.

use hyper::{HeaderMap, header::CONTENT_TYPE};

#[cfg(test)]
mod tests;

/// Names of windows-1252, which is what is meant by Latin 1 (WHATWG Encoding).
const WINDOWS_1252: [&str; 9] =
    ["windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1", "us-ascii"];
/// What the bytes from 0x80 to 0x9f are there; those without a meaning stay what they are.
const WINDOWS_1252_MIDDLE: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// In which characters a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Windows1252,
    /// Nothing said, or something that is not known.
    Unknown,
}

/// What is declared for a body: by its mark, by the header, or by a document itself, the first of them that says
/// anything.
pub(super) fn declared(headers: &HeaderMap, in_document: Option<&[u8]>, body: &[u8]) -> Charset {
    if body.starts_with(b"\xef\xbb\xbf") {
        return Charset::Utf8;
    }
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let media = String::from_utf8_lossy(media);
    let in_document = in_document.map(String::from_utf8_lossy);
    parameter(&media).or(in_document.as_deref()).map_or(Charset::Unknown, named)
}

/// The parameter `charset` of a media type.
pub(super) fn parameter(media: &str) -> Option<&str> {
    media.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

fn named(name: &str) -> Charset {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "utf-8" | "utf8" => Charset::Utf8,
        name if WINDOWS_1252.contains(&name) => Charset::Windows1252,
        _ => Charset::Unknown,
    }
}

/// A text. Whatever is declared, what is well-formed UTF-8 with more than ASCII in it is that: by chance it is none.
pub(super) fn decode(charset: &Charset, text: &[u8]) -> String {
    match (std::str::from_utf8(text), charset) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Charset::Windows1252) => text.iter().map(|byte| windows_1252(*byte)).collect(),
        (Err(_), Charset::Utf8 | Charset::Unknown) => String::from_utf8_lossy(text).into_owned(),
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252_MIDDLE[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
