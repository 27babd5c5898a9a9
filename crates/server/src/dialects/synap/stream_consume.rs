//! Events as published clients read them: what an event says is an array of the bytes of its JSON text.

use manifold_engine::{
    Name, Timestamp,
    stream::{Record, StreamPage, StreamRead, StreamStart},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::{self, Object},
    payload::{self, Payload},
    stream::{DEFAULT_LIMIT, MOST_EVENTS, TYPE_HEADER, event_id, event_type, write_data},
};
use crate::http::json;

/// Bytes of events at which a page ends early; each becomes up to four in the answer, and `next_offset` leads on.
const PAGE_BYTES: usize = 8 << 20;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Consume>()];

/// `stream.consume`
#[derive(Debug)]
pub(super) struct Consume {
    room: Name,
    /// 0 = the oldest event there is.
    from: u64,
    limit: usize,
}

impl Command for Consume {
    const NAME: &'static str = "stream.consume";
    const ALIASES: &'static [&'static str] = &["stream.read"];
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room, subscriber, from, limit] = payload.members(&["room", "subscriber_id", "from_offset", "limit"])?;
        let room = payload::room(room)?;
        // Where a subscriber stands is its own affair; its name is only checked.
        payload::optional_text(subscriber, "subscriber_id")?;
        let from = payload::integer(from, "from_offset", 0, i64::MAX)?.unwrap_or(0);
        let limit = payload::integer(limit, "limit", 1, MOST_EVENTS)?.unwrap_or(DEFAULT_LIMIT);
        Ok(Consume { room, from: from.unsigned_abs(), limit: limit.unsigned_abs() as usize })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Consume { room, from, limit } = self;
        let start = from.checked_sub(1).map_or(StreamStart::First, StreamStart::Offset);
        let read = StreamRead { start, limit, max_bytes: PAGE_BYTES, wait: None };
        let page = context.engine().read_stream(context.namespace(), &room, read).await;
        let StreamPage { records, next, first, generation, .. } =
            page.map_err(Error::of(Thing::Room, room.as_bytes()))?;
        if from > 0 && from <= first {
            return Err(Error::OffsetGone { room: room.as_bytes().to_vec(), requested: from, oldest: first + 1 });
        }
        context.synap.metrics.consumed(generation, records.len() as u64);
        let mut data = Vec::new();
        let mut write = |out: &mut Vec<u8>, record: &Record| {
            data.clear();
            write_data(&mut data, record);
            write_event(out, &room, generation, record, &data);
        };
        Object::new(out)
            .with("events", |out| json::write_array(out, &records, |out, record| write(out, record)))
            .number("next_offset", next + 1)
            .close();
        Ok(Done::Ok)
    }
}

/// Appends an event; `data` is the text of what it says.
fn write_event(out: &mut Vec<u8>, room: &Name, generation: u64, record: &Record, data: &[u8]) {
    let Timestamp(at) = record.at;
    Object::new(out)
        .text("id", &event_id(generation, record.offset))
        .number("offset", record.offset + 1)
        .name("room", room.as_bytes())
        .name("event", event_type(record))
        .with("data", |out| object::write_bytes(out, data))
        .number("timestamp", at / 1000)
        .with("metadata", |out| {
            let pairs = record.headers.iter().filter(|(name, _)| name != TYPE_HEADER);
            pairs.fold(Object::new(out), |object, (name, text)| object.text(name, text)).close();
        })
        .close();
}
