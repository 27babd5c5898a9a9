//! Rooms: streams whose offsets are one higher.

use super::{Route, error};
use crate::together::{
    model::{Name, Record, Span, Stream, Value, World},
    spell::part,
    want::{Want, quoted},
};

#[derive(Debug, Clone)]
pub enum Room {
    Create(Name),
    Delete(Name),
    Publish { room: Name, kind: String, data: String, metadata: Vec<(String, String)> },
    History { room: Name, from: u64, limit: usize },
}

impl Room {
    pub(super) fn text(&self) -> (&'static str, String) {
        let room = |room: &Name| format!(r#""room":{}"#, quoted(&room.name));
        match self {
            Room::Create(name) => ("stream.create", room(name)),
            Room::Delete(name) => ("stream.delete", room(name)),
            Room::Publish { room: name, .. } => ("stream.publish", format!("{},{}", room(name), self.published())),
            Room::History { room: name, from, limit } => {
                ("stream.history", format!(r#"{},"from_offset":{from},"limit":{limit}"#, room(name)))
            }
        }
    }

    fn published(&self) -> String {
        let Room::Publish { kind, data, metadata, .. } = self else { return String::new() };
        let metadata: Vec<String> =
            metadata.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
        format!(r#""event_type":{},"data":{data},"metadata":{{{}}}"#, quoted(kind), metadata.join(","))
    }

    pub(super) fn route(&self) -> Option<Route> {
        match self {
            Room::Publish { room, .. } => {
                let target = format!("/stream/{}/publish", part(&room.name));
                Some(Route { method: "POST", target, body: Some(format!("{{{}}}", self.published())) })
            }
            Room::Delete(room) => {
                Some(Route { method: "DELETE", target: format!("/stream/{}", part(&room.name)), body: None })
            }
            Room::Create(_) | Room::History { .. } => None,
        }
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Want {
        match self {
            Room::Create(room) if world.streams.contains_key(room) => error(409, "ROOM_EXISTS"),
            Room::Create(room) => {
                world.streams.insert(room.clone(), Stream::default());
                Want::new(200).member("success", true).member("room", quoted(&room.name))
            }
            Room::Delete(room) => match world.streams.remove(room) {
                Some(_) => Want::new(200).member("success", true).member("deleted", quoted(&room.name)),
                None => error(404, "ROOM_NOT_FOUND"),
            },
            Room::Publish { room, kind, data, metadata } => {
                let stream = world.streams.entry(room.clone()).or_default();
                stream.records.push(Record {
                    payload: Value::Json(data.clone()),
                    kind: Some(kind.clone()),
                    headers: metadata.clone(),
                    at: now,
                });
                Want::new(200).member("offset", stream.end())
            }
            Room::History { room, from, limit } => match world.streams.get(room) {
                None => error(404, "ROOM_NOT_FOUND"),
                Some(stream) => {
                    let (oldest, newest) = oldest_and_newest(stream);
                    let want = Want::new(200).member("events", events(stream, *from, *limit));
                    want.member("oldest_offset", oldest).member("newest_offset", newest)
                }
            },
        }
    }
}

/// The events from an offset on, as this dialect shows them.
pub fn events(stream: &Stream, from: u64, limit: usize) -> String {
    let first = from.saturating_sub(1).max(stream.first);
    let event = |offset: u64| {
        let record = stream.record(offset);
        let kind = quoted(record.kind.as_deref().unwrap_or("message"));
        format!(r#"{{"offset":{},"event_type":{kind},"data":{}}}"#, offset + 1, record.payload.body())
    };
    let events: Vec<String> = (first..stream.end().max(first)).take(limit).map(event).collect();
    super::list(&events)
}

pub fn oldest_and_newest(stream: &Stream) -> (u64, u64) {
    match stream.end() {
        0 => (0, 0),
        end => (stream.first + 1, end),
    }
}
