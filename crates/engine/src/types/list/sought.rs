//! Elements that are looked for by what they are.

use bytes::Bytes;
use manifold_store::Row;

use crate::{Result, types::canonical};

/// What to look for in a list, and how elements are compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Elements of these bytes.
    Bytes(Bytes),
    /// Elements that are the same JSON as this one, however they are spelled: see [`canonical`].
    Json(Bytes),
}

/// A value that elements are compared with.
pub(super) enum Wanted {
    Bytes(Bytes),
    /// In its one spelling.
    Json(Vec<u8>),
}

impl Wanted {
    pub(super) fn new(sought: &Sought) -> Self {
        match sought {
            Sought::Bytes(bytes) => Wanted::Bytes(bytes.clone()),
            Sought::Json(text) => Wanted::Json(canonical(text).into_owned()),
        }
    }

    /// Reads an element only when its length allows it to be equal.
    pub(super) fn is(&self, row: &Row) -> Result<bool> {
        match self {
            Wanted::Bytes(bytes) => Ok(row.body_len() == bytes.len() && row.body()? == bytes),
            Wanted::Json(text) => Ok(row.body_len() >= text.len() && *canonical(&row.body()?) == **text),
        }
    }
}
