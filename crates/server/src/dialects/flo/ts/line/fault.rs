//! What is wrong with a line.

use std::{borrow::Cow, ops::Range};

/// A bad line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the body the physical line begins.
    pub line: usize,
    /// Where the failing token is; empty when something is missing there.
    pub token: Range<usize>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what its text says")]
pub enum Reason {
    MissingMeasurement,
    MissingTagKey,
    MissingTagValue,
    EqualSignInTagValue,
    DuplicateTag,
    MissingFields,
    MissingFieldKey,
    MissingFieldValue,
    InvalidValue,
    ValueOutOfRange,
    UnterminatedString,
    TextAfterQuote,
    InvalidTime,
    TimeOutOfRange,
    TextAfterTime,
    ControlCharacter,
    InvalidUtf8,
    LineTooLong,
    /// There are as many series as there may be.
    TooManySeries(u64),
}

/// Bytes of a client's text that are repeated to it.
pub(in crate::dialects::flo::ts) const EXCERPT: usize = 200;

impl Reason {
    /// A sentence about `token`.
    pub fn text(self, token: &[u8]) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Reason::MissingMeasurement => "missing measurement",
            Reason::MissingTagKey => "missing tag key",
            Reason::MissingTagValue => "missing tag value",
            Reason::EqualSignInTagValue => "unescaped '=' in tag value",
            Reason::DuplicateTag => return about("duplicate tag key", token),
            Reason::MissingFields => "missing fields",
            Reason::MissingFieldKey => "missing field key",
            Reason::MissingFieldValue => "missing field value",
            Reason::InvalidValue => return about("invalid field value", token),
            Reason::ValueOutOfRange => return about("value out of range", token),
            Reason::UnterminatedString => "unterminated string",
            Reason::TextAfterQuote => "text after closing quote",
            Reason::InvalidTime => return about("invalid timestamp", token),
            Reason::TimeOutOfRange => "timestamp out of range",
            Reason::TextAfterTime => "text after timestamp",
            Reason::ControlCharacter => "control character",
            Reason::InvalidUtf8 => "invalid UTF-8",
            Reason::LineTooLong => "line too long",
            Reason::TooManySeries(limit) => return format!("series limit of {limit} reached").into(),
        })
    }
}

fn about(what: &str, token: &[u8]) -> Cow<'static, str> {
    format!("{what} \"{}\"", excerpt(token)).into()
}

/// The first [`EXCERPT`] bytes, not cutting a character in two.
pub(in crate::dialects::flo::ts) fn excerpt(text: &[u8]) -> Cow<'_, str> {
    let Some(cut) = text.get(..EXCERPT).filter(|cut| cut.len() < text.len()) else {
        return String::from_utf8_lossy(text);
    };
    // A character has at most three bytes after its first.
    let split = (0..4).map(|back| EXCERPT - back).find(|end| text[*end] & 0xC0 != 0x80).unwrap_or(EXCERPT);
    String::from_utf8_lossy(&cut[..split])
}
