//! What little is known of JSON here: what strings say, and when two texts are the same: strings by their content,
//! anything else by its text without the white space between its parts. Numbers are texts: `1` and `1.0` differ.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// The one text of all that are the same as `text`, which must be JSON; it is never longer. A half of a surrogate pair
/// stands for no character and stays as it is spelled, in lower case.
pub fn canonical(text: &[u8]) -> Cow<'_, [u8]> {
    match text {
        [b'"', ..] if text.contains(&b'\\') => Cow::Owned(respelled(text)),
        [b'"', ..] => Cow::Borrowed(text),
        _ if text.iter().any(|byte| is_space(*byte)) => Cow::Owned(squeezed(text)),
        _ => Cow::Borrowed(text),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Without the white space outside strings.
fn squeezed(text: &[u8]) -> Vec<u8> {
    let (mut in_string, mut escaped) = (false, false);
    let stays = |byte: &u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        in_string || !is_space(*byte)
    };
    text.iter().copied().filter(stays).collect()
}

/// A string with only the escapes that must be.
fn respelled(text: &[u8]) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(text.len());
    for piece in Pieces(text) {
        match piece {
            Piece::Itself(byte) => spelled.push(byte),
            Piece::Escaped(character, unit) => spell(&mut spelled, character, unit),
        }
    }
    spelled
}

/// What a string says, given what is between its quotation marks; none when it escapes half of a surrogate pair.
pub(crate) fn unescaped(inner: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(inner.len());
    for piece in Pieces(inner) {
        match piece {
            Piece::Itself(byte) => text.push(byte),
            Piece::Escaped(character, _) => text.extend(character?.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some(text)
}

/// The string that says this.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut string = Vec::with_capacity(text.len() + 2);
    string.push(b'"');
    text.chars().for_each(|character| spell(&mut string, Some(character), character.into()));
    string.push(b'"');
    string
}

/// A piece of a string.
enum Piece {
    /// A byte that stands for itself.
    Itself(u8),
    /// What an escape stands for: a character, if it is not half of a pair, and the number it spells.
    Escaped(Option<char>, u32),
}

/// The pieces of a string.
struct Pieces<'a>(&'a [u8]);

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (byte, behind) = self.0.split_first()?;
        self.0 = behind;
        if *byte != b'\\' {
            return Some(Piece::Itself(*byte));
        }
        let (unit, behind) = escape(behind);
        self.0 = behind;
        if let (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, behind))) = (unit, next_escape(behind)) {
            self.0 = behind;
            return Some(Piece::Escaped(char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), unit));
        }
        Some(Piece::Escaped(char::from_u32(unit), unit))
    }
}

/// What an escape stands for, without its backslash, and what is behind it.
fn escape(text: &[u8]) -> (u32, &[u8]) {
    match text {
        [b'u', a, b, c, d, behind @ ..] => {
            let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default();
            ([a, b, c, d].into_iter().fold(0, |unit, byte| unit << 4 | digit(byte)), behind)
        }
        [b'b', behind @ ..] => (0x08, behind),
        [b't', behind @ ..] => (0x09, behind),
        [b'n', behind @ ..] => (0x0a, behind),
        [b'f', behind @ ..] => (0x0c, behind),
        [b'r', behind @ ..] => (0x0d, behind),
        [itself, behind @ ..] => (u32::from(*itself), behind),
        [] => (u32::from(b'\\'), text),
    }
}

fn next_escape(text: &[u8]) -> Option<(u32, &[u8])> {
    text.strip_prefix(b"\\").map(escape)
}

fn spell(out: &mut Vec<u8>, character: Option<char>, unit: u32) {
    match character {
        Some(mark @ ('"' | '\\')) => out.extend([b'\\', mark as u8]),
        Some('\u{8}') => out.extend(b"\\b"),
        Some('\t') => out.extend(b"\\t"),
        Some('\n') => out.extend(b"\\n"),
        Some('\u{c}') => out.extend(b"\\f"),
        Some('\r') => out.extend(b"\\r"),
        Some(character @ ' '..) => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        Some(_) | None => out.extend(format!("\\u{unit:04x}").into_bytes()),
    }
}
