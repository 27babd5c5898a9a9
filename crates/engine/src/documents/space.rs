//! Whose documents a verb is about.

/// A set of documents that callers may name; empty = the one without a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Space(String);

/// The name is taken by rows that are no documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the space is reserved")]
pub struct Reserved;

impl Space {
    /// Rows of query results: never listed, counted, found or deleted by a verb about documents.
    pub(crate) const RESERVED: &str = "__qcache__";

    /// Any other name.
    pub fn new(name: impl Into<String>) -> Result<Space, Reserved> {
        let name = name.into();
        if name == Space::RESERVED { Err(Reserved) } else { Ok(Space(name)) }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a verb looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// In all spaces that callers may name.
    All,
    /// In this one.
    Space(Space),
}
