//! Names are bytes without NUL, valid once they exist.

use std::fmt;

use bytes::Bytes;

#[cfg(test)]
mod tests;

/// Why a name was refused; each dialect has its own sentence for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No byte at all.
    #[error("must not be empty")]
    Empty,
    /// More bytes than the name may have.
    #[error("too long")]
    TooLong,
    /// A NUL byte in it.
    #[error("must not contain NUL")]
    Nul,
}

/// 1 to 1,024 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(Bytes);

/// 1 to 4,096 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Bytes);

/// The name of a stream, of a group of its consumers, or of a consumer: 1 to 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Bytes);

/// Who made a change: free text, 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor(Bytes);

fn checked(bytes: Bytes, max: usize) -> Result<Bytes, NameError> {
    match bytes.len() {
        0 => Err(NameError::Empty),
        n if n > max => Err(NameError::TooLong),
        _ if bytes.contains(&0) => Err(NameError::Nul),
        _ => Ok(bytes),
    }
}

impl Namespace {
    /// Longest namespace in bytes.
    pub const MAX: usize = 1024;
    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        checked(bytes.into(), Self::MAX).map(Namespace)
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The tenant a namespace belongs to: what follows `tenant:` up to the next `/` or the end; empty for any other.
    pub fn tenant(&self) -> &[u8] {
        let Some(rest) = self.0.strip_prefix(b"tenant:") else { return b"" };
        rest.split(|b| *b == b'/').next().unwrap_or_default()
    }
    /// Whether `self` is `root` or lies below it (`root` followed by `/`); everything lies below the empty root.
    pub fn is_within(&self, root: &[u8]) -> bool {
        root.is_empty() || self.0.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

impl Key {
    /// Longest key in bytes.
    pub const MAX: usize = 4096;
    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        checked(bytes.into(), Self::MAX).map(Key)
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Name {
    /// Longest name in bytes.
    pub const MAX: usize = 255;
    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        checked(bytes.into(), Self::MAX).map(Name)
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Actor {
    /// Longest actor in bytes.
    pub const MAX: usize = 256;
    /// Checks the rule above. NUL is allowed: an actor is part of no key.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(NameError::Empty),
            n if n > Self::MAX => Err(NameError::TooLong),
            _ => Ok(Actor(bytes)),
        }
    }
    /// An actor known to be valid when it is compiled.
    pub const fn fixed(name: &'static str) -> Self {
        assert!(!name.is_empty() && name.len() <= Self::MAX);
        Actor(Bytes::from_static(name.as_bytes()))
    }
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// For messages: bytes that are not UTF-8 are replaced.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

/// For messages: bytes that are not UTF-8 are replaced.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

/// For messages: bytes that are not UTF-8 are replaced.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}
