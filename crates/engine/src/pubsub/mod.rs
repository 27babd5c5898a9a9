//! Publish and subscribe: a message goes to whoever is subscribed to its topic at that moment, at most once, and is
//! nowhere else. Nothing here is durable or waits for the disk.
//!
//! A topic is a text of segments between dots. A subscriber has patterns: `*` stands for one segment, `*` inside a
//! segment for any text, `#` at the end for zero or more segments. A subscriber that several patterns match gets a
//! message once. One that does not keep up is dropped: nobody waits for it.

use std::time::Duration;

use bytes::Bytes;

use crate::Timestamp;

pub(crate) mod glob;
mod held;
mod hub;
mod outlet;
mod pattern;
mod subscriber;
mod subscribers;
mod topics;
pub(crate) mod tree;
mod verbs;

#[cfg(test)]
mod tests;

use held::Held;
pub(crate) use hub::PubSub;
pub use pattern::{Pattern, PatternError, Topic};
pub use subscriber::Subscriber;

/// A registration that is not renewed is forgotten after this time.
pub const REGISTRATION: Duration = Duration::from_secs(3600);
/// A topic without an exact subscription is listed so long after its last message.
pub const TOPIC_MEMORY: Duration = Duration::from_secs(24 * 3600);
/// Most topics remembered for their last message; the one that was quiet for longest is forgotten.
pub const TOPICS_REMEMBERED: usize = 10_000;
/// Most patterns of one subscriber.
pub const MAX_PATTERNS: usize = 10_000;
/// Most bytes of the patterns of all subscribers and registrations together, each with 128 more.
pub const MAX_PATTERN_BYTES: usize = if cfg!(test) { 4 << 20 } else { 256 << 20 };
/// What a pattern takes beside its text, about: its places in a set and in the tree.
pub(crate) const PATTERN_BYTES: usize = 128;
/// Most registrations at one time.
pub const MAX_REGISTRATIONS: usize = 100_000;
/// A subscriber is dropped rather than that more bytes than this wait for it, unless they are one message.
pub const MAX_WAITING_BYTES: usize = 64 << 20;
/// Most bytes of messages that wait for any subscriber, each message counted once. When they would be more, those are
/// dropped for whom most waits.
pub const MAX_WAITING_BYTES_OF_ALL: usize = 256 << 20;

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Where to; taken literally.
    pub topic: Topic,
    /// Any bytes.
    pub payload: Bytes,
    /// Opaque to the engine, handed on with the message.
    pub headers: Bytes,
}

/// A message as subscribers get it.
#[derive(Debug)]
pub struct Message {
    /// Unlike that of any other message of this run, and most likely of any other run.
    pub id: u64,
    /// Where it was published.
    pub topic: Topic,
    /// Its bytes.
    pub payload: Bytes,
    /// What came with it.
    pub headers: Bytes,
    /// When it was published.
    pub at: Timestamp,
    /// Its part of the bytes that wait.
    held: Held,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub id: u64,
    /// Subscribers it was handed to.
    pub notified: usize,
    /// Subscribers and registrations whose patterns match its topic.
    pub matched: usize,
}

/// What a subscriber meets next.
#[derive(Debug, Clone)]
pub enum Step {
    /// A message.
    Message(std::sync::Arc<Message>),
    /// The subscriber did not keep up and was dropped; nothing more comes.
    Slow,
}

/// What is known of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicInfo {
    /// Subscribers and registrations that match it.
    pub subscribers: usize,
    /// Messages since it is known.
    pub messages: u64,
    /// Since when it is known.
    pub created_at: Timestamp,
}

/// What there is, and what happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Topics that are listed.
    pub topics: usize,
    /// Subscribers with a pattern; registrations are none.
    pub subscribers: usize,
    /// Patterns with a wildcard, those of registrations included.
    pub wildcards: usize,
    /// Messages published.
    pub published_total: u64,
    /// Messages handed to subscribers.
    pub delivered_total: u64,
    /// Subscribers dropped because they did not keep up.
    pub slow_total: u64,
}
