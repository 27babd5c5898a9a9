//! Collections: hashes, lists, sets and sorted sets, in the same key space as values. The row of a key says what it
//! holds; of a collection it holds only the card: id, number of elements, bytes, deadline. Elements are rows of their
//! own under the id, which is never given out again. So whatever a collection holds, to delete or rename it, or to let
//! it expire, is to write one row: it is invisible from that commit on, and a worker removes its elements later.
//!
//! Nothing has to be in memory to use a collection. Readers read one durable cut of the rows; a writer decides under
//! the key's lock. Only where in its order an element is, deep inside a long list or sorted set, is found with an
//! index, which is counted when it is first asked for and dropped when nobody asks any more.
//!
//! A collection that becomes empty ceases to exist. Collections have no versions and are not in the change feed.

use std::fmt;

use bytes::Bytes;

pub use crate::json::canonical;
use crate::{Error, Key, Kind, Result, live::Live};

mod algebra;
pub(crate) mod card;
mod collections;
mod export;
mod gone;
mod hash;
mod index;
mod list;
mod look;
mod many;
mod ordered;
mod place;
mod restore;
mod scores;
mod set;
mod slots;
mod step;
mod verbs;
mod whole;
mod written;
mod zset;

#[cfg(test)]
mod tests;

pub use algebra::{Aggregate, Combine, ScoreCombine};
pub(crate) use card::Card;
pub(crate) use collections::{Collections, Traces};
pub(crate) use export::export;
pub(crate) use gone::Sweep;
pub use hash::{Added, Field, FieldPage, FieldWhen};
pub use list::{Equal, Insert, Inserted, PushTo, Side, Sought};
pub(crate) use look::{Room, Rows};
pub(crate) use ordered::Idle;
pub(crate) use place::{expire, remove_if_due};
pub(crate) use restore::{restore, row_key};
pub use whole::{KeyCounts, KeyInfo, KeyPage, Moved, Replace, TypeCount};
pub(crate) use whole::{live_collection, stored_bytes};
pub use zset::{Direction, MemberWhen, Moves, ScoreAdd, ScoreRange, Scored, ScoresAdded};

/// Longest name of an element in bytes: a field of a hash, a member of a set or sorted set.
pub const NAME_MAX: usize = 32 << 10;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyType {
    /// A value.
    String,
    /// Fields with a value each.
    Hash,
    /// Values in the order they were put in.
    List,
    /// Members.
    Set,
    /// Members with a score each, in the order of scores, then of their bytes.
    SortedSet,
}

/// For messages.
impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyType::String => "string",
            KeyType::Hash => "hash",
            KeyType::List => "list",
            KeyType::Set => "set",
            KeyType::SortedSet => "sorted set",
        })
    }
}

pub(crate) fn wrong_type(key: &Key, actual: KeyType, expected: KeyType) -> Error {
    Error::new(Kind::WrongType { actual, expected }, format!("key {key} holds a {actual}, not a {expected}"))
}

/// Refuses names that are too long to be part of a row's key.
fn check_names<'a>(names: impl IntoIterator<Item = &'a Bytes>) -> Result<()> {
    for name in names {
        if name.len() > NAME_MAX {
            let size = name.len();
            return Err(Error::new(Kind::TooLarge, format!("a name of {size} bytes is over the limit of {NAME_MAX}")));
        }
    }
    Ok(())
}

/// Refuses values over the limit.
fn check_values<'a>(live: &Live, values: impl IntoIterator<Item = &'a Bytes>) -> Result<()> {
    let limit = live.limits.value_bytes;
    for value in values {
        if value.len() > limit {
            let size = value.len();
            return Err(Error::new(Kind::TooLarge, format!("a value of {size} bytes is over the limit of {limit}")));
        }
    }
    Ok(())
}
