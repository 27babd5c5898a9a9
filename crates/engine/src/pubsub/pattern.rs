//! Topics, and patterns over them.

use std::fmt;

use bytes::Bytes;

use crate::{NameError, pubsub::glob};

/// A topic: 1 to 1,024 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Bytes);

/// What somebody subscribes to: 1 to 1,024 bytes; `#` only as the whole last segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Bytes);

/// Why a pattern was refused; each dialect has its own sentence for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no name at all.
    #[error("{0}")]
    Name(NameError),
    /// `#` stands for what follows, so nothing may.
    #[error("'#' must be the last segment")]
    Hash,
}

/// A segment of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    /// This text.
    Exact(&'a [u8]),
    /// Any one segment.
    Any,
    /// One segment that matches this glob.
    Glob(&'a [u8]),
    /// Zero or more segments; the last one of its pattern.
    Rest,
}

impl Topic {
    /// Longest topic in bytes.
    pub const MAX: usize = 1024;
    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        sized(bytes.into()).map(Topic)
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    pub(crate) fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'.')
    }
}

impl Pattern {
    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, PatternError> {
        let bytes = sized(bytes.into()).map_err(PatternError::Name)?;
        let hashes = bytes.iter().filter(|byte| **byte == b'#').count();
        match hashes {
            0 => Ok(Pattern(bytes)),
            1 if *bytes == *b"#" || bytes.ends_with(b".#") => Ok(Pattern(bytes)),
            _ => Err(PatternError::Hash),
        }
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The one topic it means, if it has no wildcard.
    pub fn exact(&self) -> Option<Topic> {
        let wild = self.0.iter().any(|byte| matches!(byte, b'*' | b'#'));
        (!wild).then(|| Topic(self.0.clone()))
    }
    /// Whether it means this topic.
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut rest = topic.segments();
        for segment in self.segments() {
            let matched = match segment {
                Segment::Rest => return true,
                Segment::Any => rest.next().is_some(),
                Segment::Exact(text) => rest.next() == Some(text),
                Segment::Glob(text) => rest.next().is_some_and(|found| glob::matches(text, found)),
            };
            if !matched {
                return false;
            }
        }
        rest.next().is_none()
    }
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.0.split(|byte| *byte == b'.').map(|segment| match segment {
            b"#" => Segment::Rest,
            b"*" => Segment::Any,
            text if text.contains(&b'*') => Segment::Glob(text),
            text => Segment::Exact(text),
        })
    }
}

fn sized(bytes: Bytes) -> Result<Bytes, NameError> {
    match bytes.len() {
        0 => Err(NameError::Empty),
        n if n > Topic::MAX => Err(NameError::TooLong),
        _ => Ok(bytes),
    }
}

/// For messages: bytes that are not UTF-8 are replaced.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}
