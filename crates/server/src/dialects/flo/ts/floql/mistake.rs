//! What is wrong with a query, and where.

use std::{borrow::Cow, fmt};

/// Why a query was refused. Shown as `FloQL error at byte 3: expected a value, found '}'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The byte, from 0, at which it begins.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) what: Cow<'static, str>,
    /// What would be right.
    pub(crate) expected: Cow<'static, str>,
}

impl Mistake {
    pub(crate) fn new(at: usize, what: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Mistake { at, what: what.into(), expected: expected.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FloQL error at byte {}: {}", self.at, self.what)
    }
}
