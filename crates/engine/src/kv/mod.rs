//! Keys with a value, a version, an actor and perhaps a deadline.

use std::time::Duration;

use bytes::Bytes;

use crate::{Actor, Key, Namespace, Timestamp};

mod batch;
mod change;
mod delete;
mod expire;
mod export;
mod forget;
mod history;
mod increment;
mod put;
mod read;
mod restore;
pub(crate) mod row;
mod slot;
mod swap;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use batch::batch;
pub(crate) use delete::delete;
pub(crate) use expire::expire;
pub(crate) use export::export;
pub(crate) use forget::Forget;
pub(crate) use history::history;
pub(crate) use increment::increment;
pub(crate) use put::put;
pub(crate) use read::{get, get_many, get_or_wait, get_typed, list};
pub(crate) use restore::restore_floor;
pub(crate) use row::{FIRST_COLLECTION, Head, Stored, is_live_value, write};
pub(crate) use slot::{Slot, Was};
pub(crate) use swap::swap;
pub(crate) use text::edit;
pub use walk::{Scan, TreeScan};

/// What the bytes of a value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON text, kept byte for byte.
    Json,
    /// Any bytes.
    Binary,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What the bytes are.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Bytes,
}

/// A live key.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its value; empty bytes when the read asked for keys only.
    pub value: Value,
    /// Counts writes of the key, from 1; deletes and expiries count too.
    pub version: u64,
    /// Who wrote it last.
    pub actor: Actor,
    /// When.
    pub updated_at: Timestamp,
    /// From then on it is absent.
    pub expires_at: Option<Timestamp>,
    /// The feed's number of the change that wrote it.
    pub seq: u64,
}

/// A value that a key has or had.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The version that the write produced.
    pub version: u64,
    /// What it wrote.
    pub value: Value,
    /// When.
    pub updated_at: Timestamp,
}

/// The condition of a write, decided together with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// None.
    Always,
    /// The key must not be live.
    Absent,
    /// The key must be live.
    Present,
    /// The key must be live at this version.
    Version(u64),
}

/// The deadline a put gives its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// None; an earlier one is cleared.
    Never,
    /// At this instant.
    At(Timestamp),
    /// That long after the commit.
    In(Duration),
    /// The deadline the live key has now.
    Keep,
}

/// Writes a value. Refused with `Conflict` when the condition fails, `WrongType` when the key holds a collection.
#[derive(Debug, Clone)]
pub struct Put {
    /// Its key.
    pub key: Key,
    /// Its value.
    pub value: Value,
    /// Its deadline.
    pub expires: Expires,
    /// Its condition.
    pub when: When,
    /// Who writes.
    pub actor: Actor,
}

/// Removes a key.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Its key.
    pub key: Key,
    /// Its condition. `Absent` on an absent key is a no-op, on a live one a conflict.
    pub when: When,
    /// Who deletes.
    pub actor: Actor,
}

/// What a write met, and what it wrote.
#[derive(Debug, Clone, Default)]
pub struct Swapped {
    /// The value the key held before; none when it was absent, or held a collection.
    pub previous: Option<Value>,
    /// What was written; none when the condition failed.
    pub written: Option<Changed>,
}

/// Adds to the integer that a key holds. The key keeps its deadline.
#[derive(Debug, Clone)]
pub struct Increment {
    /// Its key.
    pub key: Key,
    /// What is added.
    pub by: i64,
    /// Who writes.
    pub actor: Actor,
}

/// What adding came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incremented {
    /// The key holds this now.
    To(i64),
    /// The key holds something else; nothing was changed.
    NotAnInteger,
    /// The sum is no 64-bit integer; nothing was changed.
    Overflow,
}

/// Changes a part of the text that a key's value stands for, which is a JSON string from then on. The key keeps its
/// deadline.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Its key; an absent one has an empty text.
    pub key: Key,
    /// What is changed.
    pub change: TextChange,
    /// Longest text it may come to.
    pub max_bytes: usize,
    /// Who writes.
    pub actor: Actor,
}

/// A change of a text.
#[derive(Debug, Clone)]
pub enum TextChange {
    /// These bytes come behind it.
    Append(Bytes),
    /// Bytes in the place of others.
    Overwrite {
        /// Where they begin; what is missing up to there is filled with NULs.
        offset: usize,
        /// The bytes; none change nothing.
        with: Bytes,
    },
}

/// One operation of a batch.
#[derive(Debug, Clone)]
pub enum Op {
    /// A put.
    Put(Namespace, Put),
    /// A delete.
    Delete(Namespace, Delete),
}

/// What a delete, or one operation of a batch, did: `None` = a delete of an absent key, which changes nothing.
pub type Outcome = Option<Changed>;

/// A change that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// The version it produced.
    pub version: u64,
    /// Its number in the feed.
    pub seq: u64,
}

/// What to list: live keys of one namespace in byte order.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// Only keys that start with these bytes.
    pub prefix: Bytes,
    /// Only keys greater than this one.
    pub after: Option<Bytes>,
    /// Most entries of the page, at least 1.
    pub limit: usize,
    /// The page ends before it passes this many bytes of values, but holds at least one entry.
    pub max_bytes: usize,
    /// Leave the values out.
    pub keys_only: bool,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// Entries in byte order of their keys.
    pub entries: Vec<Entry>,
    /// Whether live keys follow (go on with `after` = the last key).
    pub more: bool,
}
