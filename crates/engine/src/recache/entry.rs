//! The bytes of an entry as a member of a queue: `{"url":"...","dimension_id":1}`, without white space. Other programs
//! compare them byte by byte, and entries that are due at one moment are ordered by them.

use std::cmp::Ordering;

use super::{DimensionId, Entry};

#[cfg(test)]
mod tests;

impl Entry {
    /// Appends its bytes as a member of a queue.
    pub fn write_member(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"url":""#);
        write_escaped(out, &self.url);
        out.extend_from_slice(br#"","dimension_id":"#);
        out.extend_from_slice(self.dimension.to_string().as_bytes());
        out.push(b'}');
    }

    /// Its bytes as a member of a queue.
    pub fn member(&self) -> Vec<u8> {
        let mut member = Vec::with_capacity(self.url.len() + 32);
        self.write_member(&mut member);
        member
    }

    /// The order of [`Entry::member`], without making it.
    pub(super) fn cmp_member(&self, other: &Entry) -> Ordering {
        let same = common(self.url.as_bytes(), other.url.as_bytes());
        if same == self.url.len() && same == other.url.len() {
            return cmp_decimal(self.dimension, other.dimension);
        }
        // The characters that differ may begin with equal bytes.
        let from = (0..=same).rev().find(|at| self.url.is_char_boundary(*at)).unwrap_or(0);
        next(&self.url[from..]).cmp(next(&other.url[from..]))
    }
}

/// How many bytes both begin with.
fn common(a: &[u8], b: &[u8]) -> usize {
    const PIECE: usize = 16;
    let pieces = a.chunks_exact(PIECE).zip(b.chunks_exact(PIECE)).take_while(|(a, b)| a == b).count();
    let known = pieces * PIECE;
    known + a[known..].iter().zip(&b[known..]).take_while(|(a, b)| a == b).count()
}

/// What stands in a member for the next character, or behind the address for none. None of them begins with another.
fn next(text: &str) -> &[u8] {
    match text.chars().next() {
        None => b"\"",
        Some(found) => escape(found).unwrap_or(&text.as_bytes()[..found.len_utf8()]),
    }
}

/// The order of decimals with a brace behind, which comes after all digits.
fn cmp_decimal(DimensionId(a): DimensionId, DimensionId(b): DimensionId) -> Ordering {
    let digits = |number: u64| number.checked_ilog10().unwrap_or(0);
    let (of_a, of_b) = (digits(a), digits(b));
    let shorter = of_a.min(of_b);
    let first = |number: u64, digits: u32| number / 10u64.pow(digits - shorter);
    first(a, of_a).cmp(&first(b, of_b)).then(of_b.cmp(&of_a))
}

/// Text as it stands in a member: what HTML could misread is escaped, all else that JSON allows is as it is. Control
/// characters are not part of addresses in normal form.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut plain = 0;
    for (at, found) in text.char_indices() {
        let Some(escaped) = escape(found) else { continue };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + found.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
}

/// What is written instead of a character.
fn escape(found: char) -> Option<&'static [u8]> {
    Some(match found {
        '&' => br"\u0026",
        '<' => br"\u003c",
        '>' => br"\u003e",
        '\u{2028}' => br"\u2028",
        '\u{2029}' => br"\u2029",
        '"' => br#"\""#,
        '\\' => br"\\",
        _ => return None,
    })
}
