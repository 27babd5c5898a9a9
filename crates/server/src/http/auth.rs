//! The `Authorization` header, and secrets that are compared in constant time and never printed.

use std::fmt;

use hyper::{HeaderMap, header};
use serde::{Deserialize, Serialize, Serializer};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

#[cfg(test)]
mod tests;

/// What `Authorization` says.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// There is no such header.
    Missing,
    /// Several headers, another scheme, or an empty key.
    Malformed,
    /// The scheme that was asked for and this key.
    Key(&'a [u8]),
}

/// Reads the header, where `scheme` should be: in any case, then one or more spaces, the key; spaces at the end do not
/// belong to it.
pub fn key<'a>(headers: &'a HeaderMap, scheme: &str) -> Credential<'a> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Credential::Missing };
    let Some((found, rest)) = value.as_bytes().split_at_checked(scheme.len()) else {
        return Credential::Malformed;
    };
    let key = rest.trim_ascii();
    let right = found.eq_ignore_ascii_case(scheme.as_bytes()) && rest.starts_with(b" ");
    if values.next().is_some() || !right || key.is_empty() {
        return Credential::Malformed;
    }
    Credential::Key(key)
}

/// Which of `keys` the candidate is. Every key is compared every time, and each comparison takes as long as the
/// candidate is, whatever the outcome; an empty key matches nothing.
pub fn matching(candidate: &[u8], keys: &[&[u8]]) -> Option<usize> {
    let mut found = u64::MAX;
    for (index, key) in keys.iter().enumerate().rev() {
        let usable = !key.len().ct_eq(&0);
        found.conditional_assign(&(index as u64), equal(key, candidate) & usable);
    }
    usize::try_from(found).ok().filter(|index| *index < keys.len())
}

/// Slices of other lengths differ at once in `subtle`; comparing the candidate with itself instead keeps the time the
/// same and the length of the key unknown.
fn equal(key: &[u8], candidate: &[u8]) -> Choice {
    let same_length = key.len().ct_eq(&candidate.len());
    let other = if key.len() == candidate.len() { key } else { candidate };
    same_length & other.ct_eq(candidate)
}

/// A configured secret. It prints and serialises as stars, so that it cannot leak through a log line or an error.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the few places that must hand it on.
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// An empty secret is one that is not set: it matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mask())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.mask())
    }
}

impl Secret {
    fn mask(&self) -> &'static str {
        if self.is_empty() { "" } else { "***" }
    }
}
