//! Following rooms, which needs a connection that stays.

use manifold_engine::{Kind, Name, stream::StreamStart};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::Object,
    payload::{self, Payload},
    ws::Connection,
};

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Subscribe>(), line::<Unsubscribe>()];

/// `stream.subscribe`
#[derive(Debug)]
pub(super) struct Subscribe {
    room: Name,
    start: StreamStart,
}

impl Command for Subscribe {
    const NAME: &'static str = "stream.subscribe";
    const ROLE: Role = Role::ReadOnly;
    const NEEDS_SOCKET: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room, from, replay] = payload.members(&["room", "from_offset", "replay"])?;
        let room = payload::room(room)?;
        let from = payload::integer(from, "from_offset", i64::MIN, i64::MAX)?;
        let start = match (from, payload::flag(replay, "replay", false)?) {
            (None, false) => StreamStart::End,
            (None, true) | (Some(0), _) => StreamStart::First,
            (Some(offset @ 1..), _) => StreamStart::Offset(offset.unsigned_abs() - 1),
            (Some(last), _) => StreamStart::Last(last.unsigned_abs()),
        };
        Ok(Subscribe { room, start })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Subscribe { room, start } = self;
        let rooms = connection::<Self>(context)?.rooms();
        rooms.check_space(&room)?;
        let (engine, namespace) = (context.engine(), context.namespace());
        let follower = match engine.follow_stream(namespace, &room, start).await {
            Err(error) if matches!(error.kind(), Kind::NotFound) && context.caller.role >= Role::ReadWrite => {
                engine.create_stream(namespace, &room, context.synap.rooms).await?;
                engine.follow_stream(namespace, &room, start).await
            }
            found => found,
        };
        let follower = follower.map_err(Error::of(Thing::Room, room.as_bytes()))?;
        Object::new(out)
            .flag("subscribed", true)
            .name("room", room.as_bytes())
            .number("from_offset", follower.position() + 1)
            .close();
        rooms.follow(room, follower);
        Ok(Done::Subscribed)
    }
}

/// `stream.unsubscribe`
#[derive(Debug)]
pub(super) struct Unsubscribe(Name);

impl Command for Unsubscribe {
    const NAME: &'static str = "stream.unsubscribe";
    const ROLE: Role = Role::ReadOnly;
    const NEEDS_SOCKET: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [room] = payload.members(&["room"])?;
        payload::room(room).map(Unsubscribe)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let left = connection::<Self>(context)?.rooms().leave(&self.0);
        Object::new(out).flag("success", left).close();
        Ok(Done::Ok)
    }
}

/// The connection, which the table has made sure of.
fn connection<'a, C: Command>(context: &Context<'a>) -> Result<&'a Connection, Error> {
    context.socket.ok_or(Error::NeedsSocket(C::NAME))
}
