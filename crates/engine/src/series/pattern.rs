//! Patterns over the values of tags.

use std::{fmt, sync::Arc};

use regex::{Regex, RegexBuilder};

#[cfg(test)]
mod tests;

/// Bytes a compiled pattern may take.
const COMPILED_BYTES: usize = 1 << 20;

/// Matches a whole text or not, in time linear in its length.
#[derive(Clone)]
pub struct Pattern {
    regex: Arc<Regex>,
    source: Arc<str>,
}

impl Pattern {
    /// A regular expression.
    ///
    /// # Errors
    /// What is wrong with it, in one line; also when it is too large once compiled.
    pub fn regex(source: &str) -> Result<Self, String> {
        // On its own first: `a)|(b` must not become right between parentheses that are ours.
        compile(source)?;
        let whole = compile(&format!("\\A(?s:{source})\\z"));
        // Right on its own, but not between parentheses: it ends in a comment, which a line feed closes.
        let whole = whole.or_else(|_| compile(&format!("\\A(?s:{source}\n)\\z")))?;
        Ok(Pattern { regex: whole.into(), source: source.into() })
    }
    /// A glob: `*` stands for any text, `?` for any character.
    ///
    /// # Errors
    /// As [`Pattern::regex`].
    pub fn glob(source: &str) -> Result<Self, String> {
        let mut regex = String::with_capacity(source.len() + 16);
        for character in source.chars() {
            match character {
                '*' => regex.push_str(".*"),
                '?' => regex.push('.'),
                other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            }
        }
        Pattern::regex(&regex)
    }
    /// Whether it matches all of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(source).size_limit(COMPILED_BYTES).dfa_size_limit(COMPILED_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        // The report draws the pattern over several lines; the last one says what is wrong.
        error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}
