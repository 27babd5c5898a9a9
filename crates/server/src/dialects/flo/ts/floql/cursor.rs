//! A place in the text of a query, and the tokens that can follow it. White space is free between tokens.

use super::mistake::Mistake;

/// A place in a text. Every reader skips white space first, and moves only when it finds what it reads.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// The byte at which the next token begins.
    pub(super) fn at(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
        self.at
    }

    /// The first byte of the next token.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.at();
        self.rest().bytes().next()
    }

    /// Passes `token` if it is next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        self.at();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Passes `token`, or says that it was `expected`.
    pub(super) fn expect(&mut self, token: &str, expected: &'static str) -> Result<(), Mistake> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// What stands here is not what was expected.
    pub(super) fn unexpected(&mut self, expected: &'static str) -> Mistake {
        let at = self.at();
        let what = match self.rest().chars().next() {
            Some(found) => format!("expected {expected}, found '{}'", found.escape_debug()),
            None => format!("expected {expected}, found the end"),
        };
        Mistake::new(at, what, expected)
    }

    /// The characters from here on that `belong`; perhaps none.
    pub(super) fn run(&mut self, belong: impl Fn(char) -> bool) -> &'a str {
        self.at();
        let rest = self.rest();
        let end = rest.find(|c| !belong(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A word of letters, digits and `_` that does not begin with a digit; empty when there is none.
    pub(super) fn word(&mut self) -> &'a str {
        if self.peek().is_some_and(|b| b.is_ascii_digit()) {
            ""
        } else {
            self.run(|c| is_start(c) || c.is_ascii_digit())
        }
    }

    /// A name, quoted or bare.
    pub(super) fn name(&mut self, expected: &'static str) -> Result<String, Mistake> {
        if let Some(name) = self.quoted()? {
            return Ok(name);
        }
        let start = self.at();
        if !self.rest().starts_with(is_start) {
            return Err(self.unexpected(expected));
        }
        self.run(|c| is_start(c) || c.is_ascii_digit() || matches!(c, '.' | '-' | '/' | ':'));
        Ok(self.text[start..self.at].to_owned())
    }

    /// What stands between quotes, if a quote is next. A backslash stands for itself, except before the same quote and
    /// before another backslash.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Mistake> {
        let start = self.at();
        let mut rest = self.rest().chars();
        let Some(quote @ ('"' | '\'')) = rest.next() else { return Ok(None) };
        let mut found = String::new();
        loop {
            match rest.next() {
                None => return Err(Mistake::new(start, "unterminated quote", format!("a closing {quote}"))),
                Some(end) if end == quote => break,
                Some('\\') if rest.as_str().starts_with([quote, '\\']) => found.extend(rest.next()),
                Some(other) => found.push(other),
            }
        }
        self.at = self.text.len() - rest.as_str().len();
        Ok(Some(found))
    }

    /// What follows, white space included.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// What a bare name may begin with.
fn is_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}
