//! Rooms as a whole, in the form of published clients.

use manifold_engine::{Name, stream::StreamRetention};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::Object,
    payload::{self, Payload},
};

/// Most events that a room may be told to keep.
const MOST_KEPT: i64 = 1_000_000_000;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Create>(), line::<GetOrCreate>(), line::<Delete>()];

/// `stream.create`
#[derive(Debug)]
pub(super) struct Create(NewRoom);

impl Command for Create {
    const NAME: &'static str = "stream.create";
    const ALIASES: &'static [&'static str] = &["stream.create_room"];
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        NewRoom::read(payload).map(Create)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Create(NewRoom { room, .. }) = &self;
        if !self.0.create(context).await? {
            return Err(Error::RoomExists(room.as_bytes().to_vec()));
        }
        Object::new(out).flag("success", true).name("room", room.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `stream.get_or_create`
#[derive(Debug)]
pub(super) struct GetOrCreate(NewRoom);

impl Command for GetOrCreate {
    const NAME: &'static str = "stream.get_or_create";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        NewRoom::read(payload).map(GetOrCreate)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let created = self.0.create(context).await?;
        Object::new(out).flag("success", true).name("room", self.0.room.as_bytes()).flag("created", created).close();
        Ok(Done::Ok)
    }
}

/// `stream.delete`
#[derive(Debug)]
pub(super) struct Delete(Name);

impl Command for Delete {
    const NAME: &'static str = "stream.delete";
    const ALIASES: &'static [&'static str] = &["stream.delete_room"];
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room] = payload.members(&["room"])?;
        payload::room(room).map(Delete)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Delete(room) = self;
        if !context.engine().delete_stream(context.namespace(), &room).await? {
            return Err(Error::Absent(Thing::Room, room.as_bytes().to_vec()));
        }
        Object::new(out).flag("success", true).name("deleted", room.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// A room that is to be there, and how many events it keeps when it is new.
#[derive(Debug)]
struct NewRoom {
    room: Name,
    max_events: Option<u64>,
}

impl NewRoom {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room, max_events] = payload.members(&["room", "max_events"])?;
        let room = payload::room(room)?;
        let max_events = payload::integer(max_events, "max_events", 1, MOST_KEPT)?;
        Ok(NewRoom { room, max_events: max_events.map(i64::unsigned_abs) })
    }

    /// Whether it is new.
    async fn create(&self, context: &Context<'_>) -> Result<bool, Error> {
        let rooms = context.synap.rooms;
        let keep = StreamRetention { records: self.max_events.or(rooms.records), ..rooms };
        Ok(context.engine().create_stream(context.namespace(), &self.room, keep).await?)
    }
}
