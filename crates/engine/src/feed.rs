//! The change feed: every change of a key, whoever made it, numbered densely in commit order.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

mod follow;
mod gaps;
mod log;
mod read;
pub(crate) mod record;
mod recover;
mod ring;
mod trim;

#[cfg(test)]
mod tests;

pub use follow::Follower;
pub(crate) use log::{Feed, Herald};
pub(crate) use read::page;
pub(crate) use recover::{Recovered, recover};
pub(crate) use trim::Trim;

use crate::{Actor, Key, Namespace, Timestamp, kv::Value};

/// What happened to the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOp {
    /// It was written.
    Set(How),
    /// It was deleted.
    Delete,
    /// Its deadline passed (a deletion by the system's actor).
    Expire,
}

/// How a key came to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was given one.
    Put,
    /// The text it had became longer.
    Append,
    /// A part of the text it had was replaced.
    Overwrite,
    /// Something was added to the integer it had.
    Increment,
    /// It kept the one it had, with another deadline or without one.
    Retime,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub op: ChangeOp,
    /// Where.
    pub namespace: Namespace,
    /// To which key.
    pub key: Key,
    /// The value written; none for a deletion.
    pub value: Option<Value>,
    /// The version it produced.
    pub version: u64,
    /// By whom.
    pub actor: Actor,
    /// When; never decreases along the feed.
    pub at: Timestamp,
    /// The deadline the write set.
    pub expires_at: Option<Timestamp>,
    /// First and last number of the commit it belongs to.
    pub commit: (u64, u64),
    /// Number of the key's change before it; none when it is the first, or the one before was forgotten.
    pub previous: Option<u64>,
}

impl Change {
    /// What the change weighs in memory and on disk, roughly: its value, its names, and what every change costs.
    pub(crate) fn size_bytes(&self) -> usize {
        const EACH: usize = 64;
        let value = self.value.as_ref().map_or(0, |value| value.bytes.len());
        EACH + value + self.namespace.as_bytes().len() + self.key.as_bytes().len() + self.actor.as_bytes().len()
    }
}

/// Which changes a reader wants; all parts must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this tenant.
    pub tenant: Option<Bytes>,
    /// In this namespace or below it (`<tree>/…`).
    pub tree: Option<Bytes>,
    /// Of keys that start with this.
    pub prefix: Option<Bytes>,
    /// Not by this actor.
    pub not_actor: Option<Bytes>,
}

impl Filter {
    /// Whether a change passes.
    pub fn matches(&self, change: &Change) -> bool {
        let Filter { tenant, tree, prefix, not_actor } = self;
        tenant.as_ref().is_none_or(|t| change.namespace.tenant() == &t[..])
            && tree.as_ref().is_none_or(|t| change.namespace.is_within(t))
            && prefix.as_ref().is_none_or(|p| change.key.as_bytes().starts_with(p))
            && not_actor.as_ref().is_none_or(|a| change.actor.as_bytes() != &a[..])
    }
}

/// A page of the feed to read.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Only changes with a greater number.
    pub after: u64,
    /// Most changes, at least 1.
    pub limit: usize,
    /// The page ends before it passes this many bytes of stored records, but holds at least one.
    pub max_bytes: usize,
    /// Which ones.
    pub filter: Filter,
    /// With no match, wait this long for one. A page that is `reset` or `truncated` never waits.
    pub wait: Option<Duration>,
}

/// A page of the feed.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// Ascending by number.
    pub changes: Vec<Arc<Change>>,
    /// Go on after this: the last change of a full page, else the head.
    pub last_seq: u64,
    /// The newest number at the time of reading.
    pub head: u64,
    /// The oldest number kept; head + 1 when the feed is empty.
    pub oldest_seq: u64,
    /// `after` was beyond the head, or in a range skipped by a recovery: the reader's state may be of another history.
    pub reset: bool,
    /// Changes after `after` (> 0) are no longer kept.
    pub truncated: bool,
}

/// Where a follower starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the head: only what comes.
    Head,
    /// After this number: replay, then live, without gap or duplicate.
    After(u64),
}

/// What a follower is given next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Changes that match, in order; every matching change up to and including `upto` has been given.
    Changes {
        /// At least one, or none when only `upto` moved (a caught-up follower is told of progress at most when asked).
        changes: Vec<Arc<Change>>,
        /// The follower's position now.
        upto: u64,
        /// The newest number when it was read.
        head: u64,
    },
    /// Retention overtook the follower, or its start belongs to another history (beyond the head, or in a range that
    /// a recovery skipped). [`Follower::position`] says where it goes on: before the oldest change kept, at the head,
    /// or before the skipped range.
    Reset {
        /// The oldest number kept.
        oldest_seq: u64,
        /// The head.
        head: u64,
    },
}
