//! Cuts the text of a query into words, symbols and quoted things, as one of several databases would. It only has to find
//! where literals, quoted names and comments begin and end; what databases would refuse need not be noticed.

use memchr::{memchr, memchr2, memmem};

/// How a database, with its settings, reads text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lexis {
    /// A backslash takes the meaning of what follows in '...'.
    backslash_in_single: bool,
    /// The same in "...".
    backslash_in_double: bool,
    /// E'...' has backslashes whatever the settings, and so has what continues it on another line.
    escape_strings: bool,
    dollar_quotes: bool,
    backticks: bool,
    brackets: bool,
    hash_comments: bool,
    /// `--` begins a comment only before white space.
    dashes_need_space: bool,
    lines_end_at_return: bool,
    nested_comments: bool,
    /// What stands in `/*! */` is code for some servers.
    executable_comments: bool,
    /// A variable may be called: `$a(...)` is one token up to the parenthesis, whatever is in it.
    called_variables: bool,
}

const STANDARD: Lexis = Lexis {
    backslash_in_single: false,
    backslash_in_double: false,
    escape_strings: false,
    dollar_quotes: false,
    backticks: false,
    brackets: false,
    hash_comments: false,
    dashes_need_space: false,
    lines_end_at_return: false,
    nested_comments: false,
    executable_comments: false,
    called_variables: false,
};

const POSTGRESQL: Lexis =
    Lexis { escape_strings: true, dollar_quotes: true, lines_end_at_return: true, nested_comments: true, ..STANDARD };

const MYSQL: Lexis =
    Lexis { backticks: true, hash_comments: true, dashes_need_space: true, executable_comments: true, ..STANDARD };

const UNKNOWN: Lexis =
    Lexis { dollar_quotes: true, backticks: true, nested_comments: true, executable_comments: true, ..STANDARD };

impl Lexis {
    /// With `standard_conforming_strings` on and off.
    pub(super) const POSTGRESQL: [Lexis; 2] = [POSTGRESQL, Lexis { backslash_in_single: true, ..POSTGRESQL }];

    /// As it comes, with `ANSI_QUOTES`, and with `NO_BACKSLASH_ESCAPES`.
    pub(super) const MYSQL: [Lexis; 3] = [
        Lexis { backslash_in_single: true, backslash_in_double: true, ..MYSQL },
        Lexis { backslash_in_single: true, ..MYSQL },
        MYSQL,
    ];

    /// What the contract says of a database that is not known, with and without backslashes, of which it says nothing.
    pub(super) const ANY: [Lexis; 2] =
        [UNKNOWN, Lexis { backslash_in_single: true, backslash_in_double: true, ..UNKNOWN }];

    /// Has no settings about this.
    pub(super) const SQLITE: [Lexis; 1] =
        [Lexis { backticks: true, brackets: true, called_variables: true, ..STANDARD }];
}

/// Whether all databases read the text alike.
pub(super) fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'\\' | b'#' | b'-' | b'/' | b'$' | b'[' | b'`' | b'@' | b':'))
}

/// A piece of a query that is no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Letters, digits, and whatever else names are made of.
    Word {
        text: &'t str,
        /// Every server of this kind sees it.
        certain: bool,
    },
    /// The end of a statement.
    Semicolon,
    /// Any other ASCII character.
    Symbol(u8),
    /// A literal, a quoted name, a variable.
    Quoted,
    /// Something that versions of one database read in different ways, or that nobody writes who means well.
    Opaque,
}

/// The tokens of a text.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    lexis: &'t Lexis,
    /// Where the executable comment that is being read ends.
    executable_until: Option<usize>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, lexis: &'t Lexis) -> Self {
        Lexer { text, at: 0, lexis, executable_until: None }
    }

    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Goes on so many bytes, at most to the end.
    fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// Goes on behind what was found so many bytes from here; to the end when it was not found.
    fn skip_past(&mut self, found: Option<usize>, length: usize) {
        let rest = self.rest().len();
        self.skip(found.map_or(rest, |found| found + length));
    }

    fn line_comment(&mut self) {
        let end = match self.lexis.lines_end_at_return {
            true => memchr2(b'\n', b'\r', self.rest()),
            false => memchr(b'\n', self.rest()),
        };
        self.skip_past(end, 1);
    }

    /// Goes on behind a comment; a token when what stands in it may count.
    fn block_comment(&mut self) -> Option<Token<'t>> {
        let rest = self.rest();
        if self.lexis.executable_comments {
            let opening = [&b"/*!"[..], b"/*M!", b"/*+"].into_iter().find(|opening| rest.starts_with(opening));
            if let Some(opening) = opening {
                return self.special_comment(opening);
            }
        }
        if !self.lexis.nested_comments {
            self.skip(2);
            let end = memmem::find(self.rest(), b"*/");
            self.skip_past(end, 2);
            return None;
        }
        let mut depth = 0_usize;
        loop {
            match self.rest() {
                [] => return None,
                [b'/', b'*', ..] => {
                    depth += 1;
                    self.skip(2);
                }
                [b'*', b'/', ..] => {
                    depth -= 1;
                    self.skip(2);
                    if depth == 0 {
                        return None;
                    }
                }
                _ => self.skip(1),
            }
        }
    }

    /// A comment that a server may execute or take hints from. Only one of plain words is looked into.
    fn special_comment(&mut self, opening: &[u8]) -> Option<Token<'t>> {
        let rest = self.rest();
        let Some(end) = memmem::find(&rest[opening.len()..], b"*/") else {
            self.skip(rest.len());
            return Some(Token::Opaque);
        };
        let content = &rest[opening.len()..opening.len() + end];
        if opening.ends_with(b"+") {
            self.skip(opening.len() + end + 2);
            return content.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`')).then_some(Token::Opaque);
        }
        let words = |byte: &u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"_,.()=".contains(byte);
        if !content.iter().all(words) {
            self.skip(opening.len() + end + 2);
            return Some(Token::Opaque);
        }
        // The digits are the version from which on it is code.
        let version = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.executable_until = Some(self.at + opening.len() + end);
        self.skip(opening.len() + version);
        None
    }

    /// Goes on behind the closing quote; two of them stand for one.
    fn quoted(&mut self, quote: u8, backslash: bool) {
        self.skip(1);
        loop {
            let found = if backslash { memchr2(quote, b'\\', self.rest()) } else { memchr(quote, self.rest()) };
            self.skip_past(found, 0);
            match self.rest() {
                [] => return,
                [b'\\', ..] if backslash => self.skip(2),
                [_, next, ..] if *next == quote => self.skip(2),
                _ => return self.skip(1),
            }
        }
    }

    /// Goes on behind an E'...' and all that continues it: another '...' after at least one line break.
    fn escape_string(&mut self) {
        loop {
            self.quoted(b'\'', true);
            let after = self.at;
            let mut broken = false;
            loop {
                match self.rest() {
                    [b'\n' | b'\r', ..] => {
                        broken = true;
                        self.skip(1);
                    }
                    [byte, ..] if byte.is_ascii_whitespace() || *byte == 0x0B => self.skip(1),
                    [b'-', b'-', ..] => {
                        self.line_comment();
                        broken = true;
                    }
                    _ => break,
                }
            }
            if !broken || self.rest().first() != Some(&b'\'') {
                self.at = after;
                return;
            }
        }
    }

    /// Goes on behind what begins with a dollar sign.
    fn dollar(&mut self) -> Token<'t> {
        let before = self.at.checked_sub(1).map(|before| self.text.as_bytes()[before]);
        if before.is_some_and(is_of_word) {
            return self.symbol(Token::Opaque);
        }
        let rest = self.rest();
        let tag = rest[1..].iter().take_while(|byte| is_of_word(**byte) && **byte != b'$').count();
        let opens = rest.get(1 + tag) == Some(&b'$') && !rest[1].is_ascii_digit();
        if !opens {
            return self.symbol(Token::Symbol(b'$'));
        }
        let tag = &rest[..tag + 2];
        self.skip(tag.len());
        let end = memmem::find(self.rest(), tag);
        self.skip_past(end, tag.len());
        Token::Quoted
    }

    /// Goes on behind a variable.
    fn variable(&mut self, sign: u8) -> Token<'t> {
        self.skip(1);
        let begin = self.at;
        loop {
            match self.rest() {
                [b'(', ..] if self.at > begin => return self.symbol(Token::Opaque),
                [b':', b':', ..] => self.skip(2),
                [byte, ..] if is_of_word(*byte) => self.skip(1),
                _ if self.at > begin => return Token::Quoted,
                _ => return Token::Symbol(sign),
            }
        }
    }

    fn word(&mut self) -> Token<'t> {
        let length = self.rest().iter().take_while(|byte| is_of_word(**byte)).count();
        let text = &self.text[self.at..self.at + length];
        self.skip(length);
        let begins_with_digit = text.as_bytes()[0].is_ascii_digit();
        if begins_with_digit && text.contains('$') {
            // A number with a quote behind it, or not.
            return Token::Opaque;
        }
        if self.lexis.escape_strings && self.rest().first() == Some(&b'\'') {
            if text.eq_ignore_ascii_case("e") {
                self.escape_string();
                return Token::Quoted;
            }
            if begins_with_digit && text.ends_with(['e', 'E']) {
                return Token::Opaque;
            }
        }
        Token::Word { text, certain: self.executable_until.is_none() }
    }

    fn symbol(&mut self, token: Token<'t>) -> Token<'t> {
        self.skip(1);
        token
    }
}

impl<'t> Iterator for Lexer<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            if self.executable_until == Some(self.at) {
                self.executable_until = None;
                self.skip(2);
            }
            let lexis = self.lexis;
            let rest = self.rest();
            let token = match rest {
                [] => return None,
                [b'\0'..=b' ' | 0x7F, ..] => {
                    self.skip(1);
                    continue;
                }
                // A byte order mark is white space to some.
                [0xEF, 0xBB, 0xBF, ..] => {
                    self.skip(3);
                    continue;
                }
                [b'-', b'-', next @ ..] if !lexis.dashes_need_space || begins_with_space(next) => {
                    self.line_comment();
                    continue;
                }
                [b'#', ..] if lexis.hash_comments => {
                    self.line_comment();
                    continue;
                }
                [b'/', b'*', ..] => match self.block_comment() {
                    Some(token) => token,
                    None => continue,
                },
                [b'\'', ..] => {
                    self.quoted(b'\'', lexis.backslash_in_single);
                    Token::Quoted
                }
                [b'"', ..] => {
                    self.quoted(b'"', lexis.backslash_in_double);
                    Token::Quoted
                }
                [b'`', ..] if lexis.backticks => {
                    self.quoted(b'`', false);
                    Token::Quoted
                }
                [b'[', ..] if lexis.brackets => {
                    self.skip_past(memchr(b']', rest), 1);
                    Token::Quoted
                }
                [b'$', ..] if lexis.dollar_quotes => self.dollar(),
                [sign @ (b'$' | b'@' | b':' | b'#'), ..] if lexis.called_variables => self.variable(*sign),
                [b';', ..] => self.symbol(Token::Semicolon),
                [b'$', ..] => self.symbol(Token::Symbol(b'$')),
                [byte, ..] if is_of_word(*byte) => self.word(),
                [byte, ..] => self.symbol(Token::Symbol(*byte)),
            };
            return Some(token);
        }
    }
}

/// Also true at the end.
fn begins_with_space(text: &[u8]) -> bool {
    text.first().is_none_or(|byte| matches!(byte, b'\0'..=b' ' | 0x7F))
}

/// Names may hold any character beyond ASCII.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}
