//! Percent signs: decoding, and which bytes need none.

use std::borrow::Cow;

use super::{BadUrl, MALFORMED};

/// The bytes that stand for themselves in some part of an address: letters, digits and `-._~` in every part, and others.
#[derive(Debug)]
pub(super) struct Plain([bool; 256]);

impl Plain {
    /// Those that are plain everywhere, and these.
    pub(super) const fn and(others: &[u8]) -> Self {
        let mut plain = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            plain[others[at] as usize] = true;
            at += 1;
        }
        Plain(plain)
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Appends bytes, those that are not plain as `%XX`.
    pub(super) fn write(&self, bytes: &[u8], out: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        for byte in bytes {
            if self.has(*byte) {
                out.push(char::from(*byte));
            } else {
                let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
                out.extend(['%', char::from(high), char::from(low)]);
            }
        }
    }
}

/// Refuses a percent sign that is not followed by two hexadecimal digits.
pub(super) fn check(text: &str) -> Result<(), BadUrl> {
    Escapes::of(text).try_for_each(|byte| byte.map(|_| ()))
}

/// The bytes that a text stands for.
pub(super) fn decode(text: &str) -> Result<Cow<'_, [u8]>, BadUrl> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let decoded: Result<Vec<u8>, BadUrl> = Escapes::of(text).map(|byte| byte.map(Byte::value)).collect();
    decoded.map(Cow::Owned)
}

/// A byte that a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Byte {
    /// It stood there as it is.
    Plain(u8),
    /// It was `%XX`.
    Escaped(u8),
}

impl Byte {
    pub(super) fn value(self) -> u8 {
        match self {
            Byte::Plain(byte) | Byte::Escaped(byte) => byte,
        }
    }
}

/// The bytes that a text stands for, one after the other. What follows an error means nothing.
#[derive(Debug)]
pub(super) struct Escapes<'a>(&'a [u8]);

impl<'a> Escapes<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Escapes(text.as_bytes())
    }
}

impl Iterator for Escapes<'_> {
    type Item = Result<Byte, BadUrl>;

    fn next(&mut self) -> Option<Self::Item> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        if *byte != b'%' {
            return Some(Ok(Byte::Plain(*byte)));
        }
        let Some(([high, low], rest)) = rest.split_first_chunk() else { return Some(Err(MALFORMED)) };
        self.0 = rest;
        let value = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low);
        Some(value.map(Byte::Escaped).ok_or(MALFORMED))
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
