//! Streams: records in the order of their commits, numbered densely from 0, read by offset, by time, by followers that
//! stay and by groups of consumers that share the work.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{Name, Timestamp};

mod append;
mod export;
mod follow;
mod group;
mod manage;
mod open;
mod read;
mod restore;
mod ring;
pub(crate) mod row;
mod seal;
mod state;
mod trim;
mod upkeep;
mod verbs;

#[cfg(test)]
mod tests;

pub use append::HEADERS_MAX;
pub(crate) use export::export;
pub use follow::StreamFollower;
pub(crate) use open::Streams;
pub(crate) use restore::{append as restore_records, begin, group, pending, row_key};
pub(crate) use trim::trim_aged;
pub(crate) use upkeep::{Idle, Seal, Show, Surplus, Sweep};

/// A record to append.
#[derive(Debug, Clone, Default)]
pub struct NewRecord {
    /// What kind of event it is; empty where nobody asks. At most 255 bytes.
    pub kind: Bytes,
    /// Pairs of name and text, kept in order.
    pub headers: Vec<(String, String)>,
    /// Any bytes.
    pub payload: Bytes,
}

/// A record as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the stream.
    pub offset: u64,
    /// When it was appended; never decreases along a stream.
    pub at: Timestamp,
    /// What kind of event it is.
    pub kind: Bytes,
    /// Pairs of name and text.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub payload: Bytes,
}

/// How much of a stream is kept: the oldest records go, in the background, when any bound is passed. The default keeps
/// everything until somebody trims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamRetention {
    /// By age.
    pub age: Option<Duration>,
    /// By number.
    pub records: Option<u64>,
    /// By size of the stored records.
    pub bytes: Option<u64>,
}

/// Appends records to a stream as one change of state, or none. The stream is created when it is absent.
#[derive(Debug, Clone)]
pub struct Append {
    /// To which stream.
    pub stream: Name,
    /// 1 to 1,000 records.
    pub records: Vec<NewRecord>,
    /// The retention of a stream that this call creates; a stream that exists keeps its own.
    pub create: StreamRetention,
}

/// What was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub first: u64,
    /// Offset of the last one.
    pub last: u64,
    /// The time they all have.
    pub at: Timestamp,
    /// Which life of the name this is; see [`StreamInfo::generation`].
    pub generation: u64,
    /// Followers that are there to see them.
    pub followers: usize,
}

/// Where a read or a follower starts. Below the first record kept it starts at that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamStart {
    /// The first record kept.
    First,
    /// The next record to come.
    End,
    /// This offset.
    Offset(u64),
    /// The last so many records.
    Last(u64),
    /// The first record at or after this instant.
    Since(Timestamp),
}

/// A page to read.
#[derive(Debug, Clone)]
pub struct StreamRead {
    /// From where.
    pub start: StreamStart,
    /// Most records, at least 1.
    pub limit: usize,
    /// The page ends before it passes this many bytes of records, but holds at least one.
    pub max_bytes: usize,
    /// With no record there, wait this long for one, and for the stream itself.
    pub wait: Option<Duration>,
}

/// A page of a stream.
#[derive(Debug, Clone)]
pub struct StreamPage {
    /// In the order of their offsets.
    pub records: Vec<Arc<Record>>,
    /// Where to go on: after the last record given, or where the next one is waited for.
    pub next: u64,
    /// The first offset kept; equal to `end` when nothing is.
    pub first: u64,
    /// The offset of the next record to come: last offset + 1.
    pub end: u64,
    /// Which life of the name this is; see [`StreamInfo::generation`].
    pub generation: u64,
}

/// What a stream stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: Name,
    /// The first offset kept, which is also how many records were dropped; equal to `end` when nothing is kept.
    pub first: u64,
    /// The offset of the next record to come, which is also how many were ever appended.
    pub end: u64,
    /// Bytes of the stored records, about.
    pub bytes: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Unlike that of any stream before: tells a stream from one of the same name that was deleted.
    pub generation: u64,
    /// How much of it is kept.
    pub retention: StreamRetention,
    /// Names of its groups, sorted.
    pub groups: Vec<Name>,
    /// Followers there are.
    pub followers: usize,
}

/// What to drop from the start of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamTrim {
    /// All but the last so many records.
    MaxLen(u64),
    /// Records below this offset.
    BeforeOffset(u64),
    /// Records older than this.
    MaxAge(Duration),
}

/// What a trim did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamTrimmed {
    /// Records dropped.
    pub trimmed: u64,
    /// The first offset kept now.
    pub first: u64,
}

/// What a follower is given next.
#[derive(Debug, Clone)]
pub enum StreamStep {
    /// At least one record, in order, right after the ones before.
    Records(Vec<Arc<Record>>),
    /// Records the follower had not been given are gone; it goes on at `first`.
    Dropped {
        /// The offset that should have come.
        expected: u64,
        /// The first offset kept.
        first: u64,
    },
    /// The stream was deleted: nothing will ever come.
    Deleted,
}

/// Which records a consumer wants of a group.
#[derive(Debug, Clone)]
pub struct GroupRead {
    /// The group; created when it is absent.
    pub group: Name,
    /// Who reads.
    pub consumer: Name,
    /// Where a group that this call creates starts.
    pub start: StreamStart,
    /// Most records, at least 1.
    pub limit: usize,
    /// They end before they pass this many bytes, but are at least one.
    pub max_bytes: usize,
    /// What is not acknowledged by then is delivered again.
    pub ack_timeout: Duration,
    /// With no record there, wait this long for one.
    pub wait: Option<Duration>,
}

/// A record that was delivered to a consumer.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The record.
    pub record: Arc<Record>,
    /// How often the group was given it, this time included.
    pub deliveries: u32,
    /// It comes again when it is not acknowledged by then.
    pub deadline: Timestamp,
}

/// What an acknowledgement, or its opposite, met: the offsets that were pending, and those that were not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Were pending, and are done with (ack) or will be delivered again (nack). Each once, ascending.
    pub settled: Vec<u64>,
    /// Were not pending: never delivered, acknowledged already, dead, or trimmed. Each once, ascending.
    pub not_found: Vec<u64>,
}

/// What a group stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub name: Name,
    /// The offset of the next record that was never delivered.
    pub position: u64,
    /// Records delivered and neither acknowledged nor dead.
    pub pending: u64,
    /// Records given up after [`MAX_DELIVERIES`].
    pub dead: u64,
    /// Records never delivered.
    pub lag: u64,
    /// Names of the consumers that joined or read, sorted.
    pub consumers: Vec<Name>,
}

/// A record that was delivered so often and never acknowledged is dead for the group.
pub const MAX_DELIVERIES: u32 = 10;
/// Most records of one append.
pub const MAX_APPEND: usize = 1000;
