//! Patterns of `*` (any run) and `?` (one character; one byte of what is no UTF-8); everything else stands for itself.
//!
//! [`crate::Glob`] speaks another language, with classes and escapes, and compiles what it is given: that refuses long
//! patterns, and here none may be refused or cost more than pattern times key.

/// A pattern over whole keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: Vec<u8>,
    /// What matches has at least so many bytes.
    least: usize,
}

impl Glob {
    /// Any text is one.
    pub fn new(pattern: &str) -> Self {
        let mut text = pattern.as_bytes().to_vec();
        text.dedup_by(|later, earlier| *later == b'*' && *earlier == b'*');
        let least = text.iter().filter(|byte| **byte != b'*').count();
        Glob { text, least }
    }

    /// Whether a key matches. Takes at most pattern times key steps: of several stars only the last one passed is ever
    /// tried with more, because an earlier one could not match anything that it cannot.
    pub fn matches(&self, key: &[u8]) -> bool {
        if key.len() < self.least {
            return false;
        }
        let pattern = self.text.as_slice();
        let (mut at, mut of) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < key.len() {
            match pattern.get(of) {
                Some(b'*') => {
                    retry = Some((at, of));
                    of += 1;
                }
                Some(b'?') => {
                    at += character(&key[at..]);
                    of += 1;
                }
                Some(byte) if *byte == key[at] => {
                    at += 1;
                    of += 1;
                }
                _ => {
                    let Some((from, star)) = retry else { return false };
                    // In the middle of a character a `?` would take what is left of it for more characters.
                    let from = from + character(&key[from..]);
                    retry = Some((from, star));
                    (at, of) = (from, star + 1);
                }
            }
        }
        pattern[of..].iter().all(|byte| *byte == b'*')
    }
}

/// Bytes of the character that a text begins with; 1 when it begins with none.
fn character(text: &[u8]) -> usize {
    let length = match text.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => return 1,
    };
    let is_whole = text.get(..length).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok());
    if is_whole { length } else { 1 }
}
