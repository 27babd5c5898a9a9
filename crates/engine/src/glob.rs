//! Patterns over names, as shells have them.

use std::{fmt, str::Chars};

use regex::bytes::{Regex, RegexBuilder};

use crate::{Error, Kind, Result};

#[cfg(test)]
mod tests;

/// Bytes a compiled pattern may take.
const COMPILED_BYTES: usize = 4 << 20;
/// Bytes it may take more while it is used, which speed it up: it is one of many that are kept for long.
const CACHE_BYTES: usize = 64 << 10;

/// Matches a whole name or not, in time linear in its length: `*` stands for any bytes, `?` for one character, `[ab]`
/// for one of those, `[a-z]` for one of a range, `[^ab]` for any other one; `\` takes its meaning from what follows. A
/// `[` that nothing closes, or that has nothing inside, stands for itself.
#[derive(Clone)]
pub struct Glob {
    regex: Regex,
    source: Box<str>,
    prefix: Box<[u8]>,
}

/// One part of a glob.
enum Part {
    /// A character that stands for itself.
    Itself(char),
    /// Something else, as a regular expression.
    Pattern(String),
}

impl Glob {
    /// The pattern that `source` spells. `Invalid` when it is too large once compiled.
    pub fn new(source: &str) -> Result<Glob> {
        let parts = parts(source);
        let prefix = parts.iter().map_while(|part| match part {
            Part::Itself(character) => Some(*character),
            Part::Pattern(_) => None,
        });
        let prefix: String = prefix.collect();
        let whole: String = parts.iter().map(Part::regex).collect();
        let mut builder = RegexBuilder::new(&format!("\\A{whole}\\z"));
        let built = builder.size_limit(COMPILED_BYTES).dfa_size_limit(CACHE_BYTES).build();
        let regex = built.map_err(|_| Error::new(Kind::Invalid, "the pattern is too large"))?;
        Ok(Glob { regex, source: source.into(), prefix: prefix.into_bytes().into() })
    }
    /// Whether it matches all of `name`.
    pub fn matches(&self, name: &[u8]) -> bool {
        self.regex.is_match(name)
    }
    /// What every name that it matches begins with.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

fn parts(source: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = source.chars();
    while let Some(character) = rest.next() {
        parts.push(match character {
            '*' => Part::Pattern("(?s-u:.)*".to_owned()),
            '?' => Part::Pattern("(?s:.)".to_owned()),
            '[' => match class(rest.clone()) {
                Some((class, behind)) => {
                    rest = behind;
                    Part::Pattern(class)
                }
                None => Part::Itself('['),
            },
            '\\' => Part::Itself(rest.next().unwrap_or('\\')),
            other => Part::Itself(other),
        });
    }
    parts
}

/// The characters up to the `]`, and what comes behind it.
fn class(mut rest: Chars<'_>) -> Option<(String, Chars<'_>)> {
    let mut class = "[".to_owned();
    if let Some(behind) = rest.as_str().strip_prefix('^') {
        rest = behind.chars();
        class.push('^');
    }
    let empty = class.len();
    loop {
        let first = match rest.next()? {
            ']' if class.len() == empty => return None,
            ']' => break,
            '\\' => rest.next()?,
            other => other,
        };
        let mut range = rest.clone();
        let last = match (range.next(), range.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                rest = range;
                last
            }
            _ => first,
        };
        class.push_str(&escaped(first.min(last)));
        class.push('-');
        class.push_str(&escaped(first.max(last)));
    }
    class.push(']');
    Some((class, rest))
}

fn escaped(character: char) -> String {
    regex::escape(character.encode_utf8(&mut [0; 4]))
}

impl Part {
    fn regex(&self) -> String {
        match self {
            Part::Itself(character) => escaped(*character),
            Part::Pattern(pattern) => pattern.clone(),
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Glob").field(&self.source).finish()
    }
}
