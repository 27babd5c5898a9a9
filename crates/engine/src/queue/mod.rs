//! Queues: messages by priority and age, leased to one consumer at a time, back after a lease that ran out, set aside
//! after too many. Memory holds the order of a queue, rows hold the truth; a queue is read at its first touch.
//!
//! A queue belongs to a namespace. Its messages have dense numbers from 1 that are never given out again, not even when
//! the queue is deleted and made anew. At every instant `enqueued = ready + leased + dead + acked + purged`.

use std::time::Duration;

use bytes::Bytes;

use crate::{NameError, Timestamp, kv::Value};

mod create;
mod dead;
mod dequeue;
mod due;
mod enqueue;
mod export;
mod holders;
mod letters;
mod line;
mod load;
mod look;
mod order;
mod pack;
mod purge;
mod registry;
mod restore;
pub(crate) mod rows;
mod settle;
mod state;
mod step;
mod verbs;

#[cfg(test)]
mod tests;

pub(crate) use due::ring;
pub(crate) use export::export;
pub(crate) use look::exists;
pub(crate) use registry::Queues;
pub(crate) use restore::{begin, fill, row_key};

/// The name of a queue: 1 to 255 bytes without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName(Bytes);

/// How a queue treats its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Most ready messages, delayed ones included, at which more are refused with `Busy`; `None` = no bound. Messages
    /// that return always fit.
    pub max_depth: Option<u64>,
    /// Deliveries after which a message that is not acknowledged becomes a dead letter, at least 1; a message may bring
    /// its own.
    pub max_attempts: u32,
    /// Dead letters kept; the oldest goes when there are more. `None` = no bound.
    pub max_dead: Option<u64>,
    /// Messages that one [`Consumer::Named`] may hold at a time; `None` = no bound. Dead letters have the same bound of
    /// their own. Who held what is forgotten by a restart.
    pub max_held: Option<u64>,
    /// How long a deduplication key outlives its message, counted from the enqueue.
    pub dedup_window: Duration,
    /// How long a lease lasts that names no time.
    pub lease: Duration,
    /// The priority of a message that names none: the queue only remembers it.
    pub default_priority: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_depth: None,
            max_attempts: 5,
            max_dead: None,
            max_held: None,
            dedup_window: Duration::from_secs(300),
            lease: Duration::from_secs(30),
            default_priority: 0,
        }
    }
}

/// Some of the settings of a queue: those that somebody names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Named {
    /// [`Settings::max_depth`].
    pub max_depth: Option<u64>,
    /// [`Settings::max_attempts`].
    pub max_attempts: Option<u32>,
    /// [`Settings::max_held`]; `Some(None)` names that there is no bound.
    pub max_held: Option<Option<u64>>,
    /// [`Settings::lease`].
    pub lease: Option<Duration>,
    /// [`Settings::default_priority`].
    pub default_priority: Option<i64>,
}

impl Named {
    /// `base` with what is named in its place.
    #[must_use]
    pub fn over(self, base: Settings) -> Settings {
        Settings {
            max_depth: self.max_depth.or(base.max_depth),
            max_attempts: self.max_attempts.unwrap_or(base.max_attempts),
            max_held: self.max_held.unwrap_or(base.max_held),
            lease: self.lease.unwrap_or(base.lease),
            default_priority: self.default_priority.unwrap_or(base.default_priority),
            ..base
        }
    }
}

/// Adds a message; an absent queue is made.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// What the message says.
    pub payload: Value,
    /// Opaque to the engine, given back with the message; counts towards its size.
    pub headers: Bytes,
    /// Higher goes first; `None` = the queue's default, or that of `settings` where nobody configured the queue.
    pub priority: Option<i64>,
    /// Invisible for that long.
    pub delay: Duration,
    /// With the key of an earlier message that is still in the queue, or was enqueued within the window: nothing is added.
    pub dedup_key: Option<Bytes>,
    /// Deliveries this message gets, at least 1; `None` = as the queue says when it matters, or as `settings` say where
    /// nobody configured the queue.
    pub max_attempts: Option<u32>,
    /// The settings of the queue if this message makes it. Where nobody configured the queue, the window of this
    /// message's key is theirs too.
    pub settings: Settings,
}

/// What an enqueue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// The message's number, or that of the earlier message with the same key.
    pub sequence: u64,
    /// Whether nothing was added.
    pub deduplicated: bool,
    /// 1-based place among the visible messages at that moment (1 = the next one out); `None` for a message that is
    /// delayed or was not added, and in a queue of more than 1,024 priorities.
    pub position: Option<u64>,
}

/// Leases messages, in order of priority and age.
#[derive(Debug, Clone, Copy)]
pub struct Dequeue {
    /// Most messages, at least 1.
    pub count: usize,
    /// Stops before the payloads pass so many bytes, but takes at least one message.
    pub max_bytes: usize,
    /// How long the lease lasts; `None` = as the queue says.
    pub lease: Option<Duration>,
    /// How long to wait for a first message; zero = not at all. Waiters are served in order.
    pub wait: Duration,
    /// Who asks, as far as it is known.
    pub consumer: Option<Consumer>,
}

/// What consumers of a queue take from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Messages that wait to be delivered.
    Messages,
    /// Dead letters.
    Letters,
}

/// A number that tells consumers from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// Where it comes from: several may be behind it, so they are only counted.
    Origin(u64),
    /// The name it gave itself: it is held to [`Settings::max_held`].
    Named(u64),
}

/// A message as it was delivered or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the queue.
    pub sequence: u64,
    /// What it says.
    pub payload: Value,
    /// What came with it.
    pub headers: Bytes,
    /// Higher goes first.
    pub priority: i64,
    /// Deliveries so far, this one included.
    pub attempts: u32,
    /// Deliveries it gets before it becomes a dead letter.
    pub max_attempts: u32,
    /// When it was enqueued.
    pub enqueued_at: Timestamp,
}

/// A message together with its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Tells this lease from every other one in the queue.
    pub lease: u64,
    /// From then on somebody else may get it.
    pub expires_at: Timestamp,
}

/// A message that the caller says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub sequence: u64,
    /// Only if it is held by this lease; `None` = by whichever.
    pub lease: Option<u64>,
}

/// What became of the messages a caller named. One named twice counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were done as asked.
    pub done: u64,
    /// How many of a nack became dead letters; not contained in `done`.
    pub dead: u64,
    /// Those that are unknown, not leased, or leased to somebody else; each once, as first named.
    pub not_found: Vec<u64>,
}

/// What becomes of dead letters that a caller holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterDeed {
    /// They are dealt with, and go.
    Ack,
    /// They are given up, and go.
    Discard,
    /// They stay dead letters, for whoever comes next.
    Return,
}

/// Which dead letters to throw away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgeLetters {
    /// All.
    All,
    /// Those that no consumer of dead letters holds.
    NotHeld,
}

/// Dead letters as a queue of their own. The totals outlive the queue whose letters they are, as the letters do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterStats {
    /// Letters that nobody holds.
    pub ready: u64,
    /// Letters that a consumer holds.
    pub leased: u64,
    /// Messages that became dead letters.
    pub arrived_total: u64,
    /// Deliveries.
    pub delivered_total: u64,
    /// Deliveries given back or given up, and leases that ran out.
    pub returned_total: u64,
    /// Letters acknowledged.
    pub acked_total: u64,
    /// Consumers that hold a letter or wait for one, counted as in [`Stats::consumers`].
    pub consumers: u64,
    /// When the oldest letter that nobody holds was enqueued as a message.
    pub oldest: Option<Timestamp>,
}

/// Gives leased messages back.
#[derive(Debug, Clone)]
pub struct Nack {
    /// Which.
    pub messages: Vec<Held>,
    /// Where to.
    pub to: NackTo,
}

/// Where a message goes that its consumer could not handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NackTo {
    /// To its old place, visible after this time; a message whose deliveries are used up becomes a dead letter.
    Ready(Duration),
    /// To its old place, and the delivery does not count: it never reached the consumer.
    Undelivered,
    /// To the dead letters.
    Dead,
}

/// Why a message is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its last lease ran out.
    Expired,
    /// Its consumer gave it back, or said so.
    Nack,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message; its attempts are those it had.
    pub message: Message,
    /// Since when it is dead.
    pub dead_at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Which dead letters to list, in the order they died.
#[derive(Debug, Clone, Copy)]
pub struct ListDead {
    /// Those after this one: the `dead_at` and the number of the last one seen.
    pub after: Option<(Timestamp, u64)>,
    /// Most letters of the page, at least 1.
    pub limit: usize,
    /// The page ends before its payloads pass this, but holds at least one letter.
    pub max_bytes: usize,
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadPage {
    /// In the order they died.
    pub letters: Vec<DeadLetter>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// What a queue holds and has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Messages that wait, delayed ones included.
    pub ready: u64,
    /// Those of them that are not visible yet.
    pub delayed: u64,
    /// Messages that a consumer holds.
    pub leased: u64,
    /// Dead letters, those that a consumer of dead letters holds too.
    pub dead: u64,
    /// Messages accepted.
    pub enqueued_total: u64,
    /// Number of the newest message there ever was; what is enqueued later has a higher one.
    pub last: u64,
    /// Messages acknowledged, those that were dead letters by then too.
    pub acked_total: u64,
    /// Messages that are gone unacknowledged: purges, dead letters beyond the bound or discarded.
    pub purged_total: u64,
    /// Deliveries.
    pub delivered_total: u64,
    /// Deliveries given back, and leases that ran out.
    pub returned_total: u64,
    /// Messages that became dead letters, each time.
    pub dead_total: u64,
    /// Calls that wait for a message now.
    pub waiting: u64,
    /// Consumers that hold a message or wait for one. Leases of before the start, and those of nobody with a number,
    /// count as one consumer.
    pub consumers: u64,
    /// When the oldest waiting message that is visible was enqueued.
    pub oldest: Option<Timestamp>,
    /// How it treats its messages.
    pub settings: Settings,
    /// What happened in it by itself.
    pub by_itself: ByItself,
}

/// What happened in a queue by itself since the engine started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByItself {
    /// Leases that ran out.
    pub expired: u64,
    /// Messages whose delay was over.
    pub promoted: u64,
}

/// What [`crate::Engine::queue_create`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The queue is new.
    New,
    /// It existed, made by a message, and has taken the settings over.
    Configured,
    /// It existed with these settings.
    Unchanged,
}

impl Consumer {
    pub(crate) fn number(self) -> u64 {
        let (Consumer::Origin(number) | Consumer::Named(number)) = self;
        number
    }
}

impl QueueName {
    /// Longest name in bytes.
    pub const MAX: usize = 255;

    /// Checks the rule above.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(NameError::Empty),
            n if n > Self::MAX => Err(NameError::TooLong),
            _ if bytes.contains(&0) => Err(NameError::Nul),
            _ => Ok(QueueName(bytes)),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// For messages: bytes that are not UTF-8 are replaced.
impl std::fmt::Display for QueueName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}
