//! How what comes unasked is spelled.

use std::sync::Arc;

use manifold_engine::{Name, pubsub::Message, stream::Record};

use super::super::{
    envelope,
    error::{Error, Thing},
    object::Object,
    stream,
};

/// An event of a room.
pub(super) fn event(room: &Name, record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + record.payload.len());
    let object = Object::new(&mut out).text("type", "event");
    stream::event_members(object, record).name("room", room.as_bytes()).close();
    out
}

/// A message of a topic.
pub(super) fn message(message: Arc<Message>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + message.payload.len());
    let object = Object::new(&mut out)
        .text("type", "message")
        .name("topic", message.topic.as_bytes())
        .with("message", |out| out.extend_from_slice(&message.payload));
    let object = match message.headers.is_empty() {
        true => object,
        false => object.with("metadata", |out| out.extend_from_slice(&message.headers)),
    };
    object.close();
    out
}

/// Why something does not come.
pub(super) fn refusal(error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    envelope::write_error(&mut out, None, error);
    out
}

/// Events are gone that should have come.
pub(super) fn missed(room: &Name, expected: u64, oldest: u64) -> Vec<u8> {
    let room = room.as_bytes().to_vec();
    refusal(&Error::OffsetGone { room, requested: expected + 1, oldest: oldest + 1 })
}

/// The room is gone.
pub(super) fn room_gone(room: &Name) -> Vec<u8> {
    refusal(&Error::Absent(Thing::Room, room.as_bytes().to_vec()))
}
