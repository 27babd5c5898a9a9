//! Rooms: streams whose offsets begin at 1.

use bytes::Bytes;
use manifold_engine::{
    Name, Timestamp,
    kv::{Encoding, Value},
    stream::{Append, HEADERS_MAX, NewRecord, Record, StreamInfo, StreamPage, StreamRead, StreamStart},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::{self, Object},
    payload::{self, Payload},
};
use crate::http::json;

/// Longest type of an event in bytes.
const TYPE_BYTES: usize = 255;
/// The type of an event that another dialect wrote without one.
const DEFAULT_TYPE: &[u8] = b"message";
/// The header that is no metadata.
pub(super) const TYPE_HEADER: &str = "event_type";
pub(super) const DEFAULT_LIMIT: i64 = 100;
pub(super) const MOST_EVENTS: i64 = 10_000;
/// Bytes of events at which a page ends early; the next offset leads on.
const PAGE_BYTES: usize = 32 << 20;
/// Rooms read from the engine at once for a list of all.
const LIST_PAGE: usize = 1000;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Publish>(), line::<History>(), line::<Rooms>(), line::<Stats>()];

/// `stream.publish`
#[derive(Debug)]
pub(super) struct Publish {
    room: Name,
    record: NewRecord,
    /// Asked for as published clients do, who want to be told the room.
    sdk: bool,
}

impl Command for Publish {
    const NAME: &'static str = "stream.publish";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room, event_type, event, data, metadata] =
            payload.members(&["room", "event_type", "event", "data", "metadata"])?;
        let room = payload::room(room)?;
        let sdk = json::given(event_type).is_none() && json::given(event).is_some();
        let kind = kind(payload::required(json::given(event_type).or(event), "event_type")?)?;
        let data = payload::any(data, "data")?;
        let headers = payload::strings(metadata, "metadata")?.and_then(json::string_members).unwrap_or_default();
        if headers.iter().any(|(name, _)| name == TYPE_HEADER) {
            return Err(Error::field("metadata", "must not contain event_type"));
        }
        if headers.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>() > HEADERS_MAX {
            return Err(payload::too_long("metadata", HEADERS_MAX));
        }
        Ok(Publish { room, record: NewRecord { kind, headers, payload: payload::bytes(data.get()) }, sdk })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Publish { room, record, sdk } = self;
        let append = Append { stream: room.clone(), records: vec![record], create: context.synap.rooms };
        let done = context.engine().append(context.namespace(), append).await?;
        let object = Object::new(out)
            .text("event_id", &event_id(done.generation, done.first))
            .number("offset", done.first + 1)
            .number("subscribers_notified", done.followers as u64);
        let object = if sdk { object.name("room", room.as_bytes()) } else { object };
        object.close();
        Ok(Done::Ok)
    }
}

/// `stream.history`
#[derive(Debug)]
pub(super) struct History {
    room: Name,
    from: StreamStart,
    /// The last offset wanted.
    to: Option<i64>,
    limit: usize,
}

impl Command for History {
    const NAME: &'static str = "stream.history";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room, from, to, limit] = payload.members(&["room", "from_offset", "to_offset", "limit"])?;
        let room = payload::room(room)?;
        let from = match payload::integer(from, "from_offset", i64::MIN, i64::MAX)? {
            None | Some(0) => StreamStart::First,
            Some(offset @ 1..) => StreamStart::Offset(offset.unsigned_abs() - 1),
            Some(last) => StreamStart::Last(last.unsigned_abs()),
        };
        let to = payload::integer(to, "to_offset", i64::MIN, i64::MAX)?;
        let limit = payload::integer(limit, "limit", 1, MOST_EVENTS)?.unwrap_or(DEFAULT_LIMIT);
        Ok(History { room, from, to, limit: limit.unsigned_abs() as usize })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let History { room, from, to, limit } = self;
        let read = StreamRead { start: from, limit, max_bytes: PAGE_BYTES, wait: None };
        let page = context.engine().read_stream(context.namespace(), &room, read).await;
        let StreamPage { records, first, end, generation, .. } =
            page.map_err(Error::of(Thing::Room, room.as_bytes()))?;
        let wanted = records.iter().filter(|record| to.is_none_or(|to| i128::from(record.offset) < i128::from(to)));
        let wanted: Vec<_> = wanted.collect();
        context.synap.metrics.consumed(generation, wanted.len() as u64);
        let (oldest, newest) = bounds(first, end);
        Object::new(out)
            .with("events", |out| json::write_array(out, wanted, |out, record| write_event(out, record)))
            .number("oldest_offset", oldest)
            .number("newest_offset", newest)
            .close();
        Ok(Done::Ok)
    }
}

/// `stream.rooms`
#[derive(Debug)]
pub(super) struct Rooms;

impl Command for Rooms {
    const NAME: &'static str = "stream.rooms";
    const ALIASES: &'static [&'static str] = &["stream.list", "stream.list_rooms"];
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Rooms)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let rooms = all(context).await?;
        let names = rooms.iter().map(|room| room.name.as_bytes());
        Object::new(out).names("rooms", names).number("count", rooms.len() as u64).close();
        Ok(Done::Ok)
    }
}

/// `stream.stats`
#[derive(Debug)]
pub(super) struct Stats(Name);

impl Command for Stats {
    const NAME: &'static str = "stream.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room] = payload.members(&["room"])?;
        payload::room(room).map(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let info = context.engine().stream_info(context.namespace(), &self.0).await;
        let info = info.map_err(Error::of(Thing::Room, self.0.as_bytes()))?;
        let StreamInfo { first, end, created_at: Timestamp(created_at), generation, followers, .. } = info;
        let (oldest, newest) = bounds(first, end);
        Object::new(out)
            .name("room", self.0.as_bytes())
            .name("name", self.0.as_bytes())
            .number("message_count", end - first)
            .number("min_offset", oldest)
            .number("max_offset", newest)
            .number("subscriber_count", followers as u64)
            .number("total_published", end)
            .number("total_consumed", context.synap.metrics.consumed_of(generation))
            .number("dropped", first)
            .number("created_at", created_at)
            .number("generation", generation)
            .close();
        Ok(Done::Ok)
    }
}

/// All rooms, sorted by name.
pub(super) async fn all(context: &Context<'_>) -> Result<Vec<StreamInfo>, Error> {
    let mut found: Vec<StreamInfo> = Vec::new();
    loop {
        let last = found.last().map(|info| &info.name);
        let page = context.engine().streams(context.namespace(), last, LIST_PAGE).await?;
        let more = page.len() == LIST_PAGE;
        found.extend(page);
        if !more {
            return Ok(found);
        }
    }
}

fn kind(raw: &json::RawValue) -> Result<Bytes, Error> {
    payload::short(&payload::text(raw, "event_type")?, "event_type", TYPE_BYTES)
}

/// The oldest and the newest offset; both 0 while the room was never used.
fn bounds(first: u64, end: u64) -> (u64, u64) {
    if end == 0 { (0, 0) } else { (first + 1, end) }
}

/// The id of an event: unlike any other, over all rooms that had this name.
pub(super) fn event_id(generation: u64, engine_offset: u64) -> String {
    format!("evt_{generation:x}_{:x}", engine_offset + 1)
}

/// The type of an event; what another dialect wrote may have it among its headers.
pub(super) fn event_type(record: &Record) -> &[u8] {
    let header = record.headers.iter().find(|(name, _)| name == TYPE_HEADER).map(|(_, text)| text.as_bytes());
    match header {
        _ if !record.kind.is_empty() => &record.kind,
        Some(text) if !text.is_empty() => text,
        _ => DEFAULT_TYPE,
    }
}

/// Appends what an event says.
pub(super) fn write_data(out: &mut Vec<u8>, record: &Record) {
    // What this dialect wrote is JSON text; what another one wrote may be.
    object::write_body(out, &Value { encoding: Encoding::Binary, bytes: record.payload.clone() });
}

fn write_event(out: &mut Vec<u8>, record: &Record) {
    event_members(Object::new(out), record).close();
}

/// Adds what every event has: its offset, its type and its data.
pub(super) fn event_members<'o>(object: Object<'o>, record: &Record) -> Object<'o> {
    object
        .number("offset", record.offset + 1)
        .name("event_type", event_type(record))
        .with("data", |out| write_data(out, record))
}
