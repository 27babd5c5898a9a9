//! Patterns of `*` (any run) and `?` (one byte); everything else stands for itself.
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
                Some(byte) if *byte == b'?' || *byte == key[at] => {
                    at += 1;
                    of += 1;
                }
                _ => {
                    let Some((from, star)) = retry else { return false };
                    retry = Some((from + 1, star));
                    (at, of) = (from + 1, star + 1);
                }
            }
        }
        pattern[of..].iter().all(|byte| *byte == b'*')
    }
}
