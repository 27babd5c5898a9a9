//! Names: measurements, tags with their values, fields.

use std::{borrow::Cow, collections::HashSet, ops::Range};

/// What is an ordinary character in a name though it ends others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Names of tags and fields, values of tags.
    Nothing,
    /// Measurements.
    EqualSign,
}

impl Allowed {
    /// Whether the byte ends a name, unless a backslash stands before it.
    fn ends(self, byte: u8) -> bool {
        matches!(byte, b',' | b' ') || byte == b'=' && self == Allowed::Nothing
    }
}

/// A name in a body, still escaped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) start: usize,
    pub(super) end: usize,
    allowed: Allowed,
    /// Whether anything in it is escaped.
    escaped: bool,
}

impl Name {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }
    /// As it stands there.
    pub(super) fn text<'a>(&self, body: &'a [u8]) -> &'a str {
        std::str::from_utf8(&body[self.start..self.end]).expect("checked when it was read")
    }
    /// What it says, without the backslashes that escape.
    pub(super) fn unescaped<'a>(&self, body: &'a [u8]) -> Cow<'a, str> {
        let raw = self.text(body);
        if !self.escaped {
            return Cow::Borrowed(raw);
        }
        let escapes = |next: &char| u8::try_from(*next).is_ok_and(|next| self.allowed.ends(next));
        let mut text = String::with_capacity(raw.len());
        let mut characters = raw.chars().peekable();
        while let Some(character) = characters.next() {
            if character != '\\' || !characters.peek().is_some_and(escapes) {
                text.push(character);
            }
        }
        Cow::Owned(text)
    }
}

/// The name that begins at `start` and ends at the end of `line` at the latest. A backslash escapes what would end the
/// name, and nothing else: so it never escapes another backslash.
pub(super) fn scan(line: &[u8], start: usize, allowed: Allowed) -> Name {
    let (mut end, mut escaped) = (start, false);
    while let Some(&byte) = line.get(end) {
        if byte == b'\\' && line.get(end + 1).is_some_and(|next| allowed.ends(*next)) {
            escaped = true;
            end += 2;
        } else if allowed.ends(byte) {
            break;
        } else {
            end += 1;
        }
    }
    Name { start, end, allowed, escaped }
}

/// Control characters have no place outside of strings.
pub(super) fn has_control(raw: &[u8]) -> bool {
    raw.iter().any(u8::is_ascii_control)
}

/// Up to so many names are compared one by one.
const FEW: usize = 16;

/// The first of `keys` that is the same as one before it. Two names are the same when they are written the same: what
/// must be escaped has one spelling only, and what need not be has no other.
pub(super) fn first_repeated(body: &[u8], keys: &[Name]) -> Option<Range<usize>> {
    let raw = |key: &Name| &body[key.start..key.end];
    let repeated = if keys.len() <= FEW {
        (1..keys.len()).find(|at| keys[..*at].iter().any(|before| raw(before) == raw(&keys[*at])))
    } else {
        let mut seen = HashSet::with_capacity(keys.len());
        (0..keys.len()).find(|at| !seen.insert(raw(&keys[*at])))
    };
    repeated.map(|at| keys[at].start..keys[at].end)
}
