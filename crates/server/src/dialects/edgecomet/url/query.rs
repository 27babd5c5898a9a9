//! Queries.

use std::borrow::Cow;

use super::{
    BadUrl, MALFORMED,
    escape::{self, Plain},
};
use crate::dialects::edgecomet::hosts::Patterns;

/// What a query that was taken apart has as it is, apart from `=`, `&` and the `+` that is a space.
static WRITTEN: Plain = Plain::and(b"");

/// What follows the question mark.
#[derive(Debug)]
pub(super) struct Query<'a> {
    /// Without the question mark.
    pub(super) raw: &'a str,
    /// Whether the address ends with its only question mark, which stays.
    bare: bool,
}

/// A name and a value, decoded.
type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl<'a> Query<'a> {
    /// What comes before the query, and the query.
    pub(super) fn split(text: &'a str) -> (&'a str, Self) {
        let (before, raw) = text.split_once('?').unwrap_or((text, ""));
        (before, Query { raw, bare: raw.is_empty() && text.ends_with('?') })
    }

    /// Appends its normal form: sorted by names, without what one of `strip` fits. A query that cannot be decoded stays
    /// as it is, unless there is something to strip: then only what can be decoded stays.
    pub(super) fn write(&self, strip: &Patterns, out: &mut String) {
        let start = out.len();
        out.push('?');
        let pieces = self.raw.split('&').filter(|piece| !piece.is_empty());
        let decoded: Result<Vec<Pair<'_>>, BadUrl> = if strip.is_empty() {
            pieces.map(pair).collect()
        } else {
            Ok(pieces.filter_map(|piece| pair(piece).ok()).filter(|pair| !is_stripped(pair, strip)).collect())
        };
        match decoded {
            Ok(mut pairs) => {
                pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
                write_pairs(&pairs, out);
            }
            Err(_) => out.push_str(self.raw),
        }
        if out.len() == start + 1 && !self.bare {
            out.truncate(start);
        }
    }
}

fn is_stripped((name, _): &Pair<'_>, strip: &Patterns) -> bool {
    strip.matches(&String::from_utf8_lossy(name))
}

fn pair(piece: &str) -> Result<Pair<'_>, BadUrl> {
    if piece.contains(';') {
        return Err(MALFORMED);
    }
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    Ok((decode(name)?, decode(value)?))
}

/// Where `+` is a space.
fn decode(text: &str) -> Result<Cow<'_, [u8]>, BadUrl> {
    if memchr::memchr(b'+', text.as_bytes()).is_none() {
        return escape::decode(text);
    }
    escape::decode(&text.replace('+', " ")).map(|decoded| Cow::Owned(decoded.into_owned()))
}

fn write_pairs(pairs: &[Pair<'_>], out: &mut String) {
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        write(name, out);
        if !value.is_empty() {
            out.push('=');
            write(value, out);
        }
    }
}

fn write(bytes: &[u8], out: &mut String) {
    for (index, word) in bytes.split(|byte| *byte == b' ').enumerate() {
        if index > 0 {
            out.push('+');
        }
        WRITTEN.write(word, out);
    }
}
