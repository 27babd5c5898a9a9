//! What names of queues and ids of messages mean. A name that ends in `.dlq` means the dead letters of the queue before it.

use std::borrow::Cow;

use manifold_engine::{
    self as engine,
    queue::{Delivery, Held, QueueName, Shelf},
};

use super::{
    error::{Error, Thing},
    handed::Handed,
    payload::{self, Member},
};
use crate::http::json;

#[cfg(test)]
mod tests;

/// What a name ends with that means dead letters.
const LETTERS: &[u8] = b".dlq";
/// What ids of messages begin with.
const ID: &str = "msg_";

/// What a name means.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Queue(QueueName),
    /// Dead letters, of the queue that is named here.
    Letters(QueueName),
}

impl Target {
    /// The name that must be there, under either of its names.
    pub(super) fn read(queue: Member<'_>, name: Member<'_>) -> Result<Target, Error> {
        let raw = json::given(queue).or(json::given(name)).ok_or(Error::Missing("queue".into()))?;
        let name = payload::bytes(&payload::text(raw, "queue")?);
        // The bound is one of the queue's name: whatever a queue is called, its dead letters can be asked for.
        Ok(match name.strip_suffix(LETTERS) {
            None => Target::Queue(queue_name(name)?),
            Some(before) => Target::Letters(queue_name(name.slice_ref(before))?),
        })
    }

    /// A name that must mean a queue: dead letters come from nowhere else.
    pub(super) fn queue(self) -> Result<QueueName, Error> {
        match self {
            Target::Queue(queue) => Ok(queue),
            Target::Letters(_) => Err(Error::field("queue", "names ending in .dlq are reserved")),
        }
    }

    /// As the client says it.
    pub(super) fn name(&self) -> Cow<'_, [u8]> {
        match self {
            Target::Queue(queue) => Cow::Borrowed(queue.as_bytes()),
            Target::Letters(queue) => Cow::Owned(letters_of(queue)),
        }
    }

    /// What was taken from it.
    pub(super) fn handed(&self, delivery: &Delivery) -> Handed {
        let (queue, shelf) = match self {
            Target::Queue(queue) => (queue, Shelf::Messages),
            Target::Letters(queue) => (queue, Shelf::Letters),
        };
        let held = Held { sequence: delivery.message.sequence, lease: Some(delivery.lease) };
        Handed { queue: queue.clone(), shelf, held }
    }

    /// The refusal of a verb about it.
    pub(super) fn refused(&self) -> impl Fn(engine::Error) -> Error {
        move |error| Error::of(Thing::Queue, &self.name())(error)
    }
}

/// What the dead letters of a queue are called.
pub(super) fn letters_of(queue: &QueueName) -> Vec<u8> {
    [queue.as_bytes(), LETTERS].concat()
}

fn queue_name(name: impl Into<bytes::Bytes>) -> Result<QueueName, Error> {
    QueueName::new(name).map_err(|error| payload::name_rule(error, "queue", QueueName::MAX))
}

/// A message as a client names it.
#[derive(Debug)]
pub(super) struct MessageId(String);

impl MessageId {
    pub(super) fn read(member: Member<'_>) -> Result<MessageId, Error> {
        let text = payload::text(payload::required(member, "message_id")?, "message_id")?;
        Ok(MessageId(text.into_owned()))
    }

    /// None is held when the text is no id of ours.
    pub(super) fn held(&self) -> Vec<Held> {
        let sequence = self.0.strip_prefix(ID).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let sequence = sequence.and_then(|hex| u64::from_str_radix(hex, 16).ok()).filter(|found| id(*found) == self.0);
        sequence.into_iter().map(|sequence| Held { sequence, lease: None }).collect()
    }

    pub(super) fn not_found(self, target: &Target) -> Error {
        Error::NoMessage { queue: target.name().into_owned(), id: self.0 }
    }
}

/// The id of a message.
pub(super) fn id(sequence: u64) -> String {
    format!("{ID}{sequence:x}")
}
