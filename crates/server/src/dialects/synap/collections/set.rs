//! Sets.

use bytes::Bytes;
use manifold_engine::Key;

use super::element::{self, absent, refused};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] = &[
    line::<Add>(),
    line::<Rem>(),
    line::<IsMember>(),
    line::<Members>(),
    line::<Card>(),
    line::<Pop>(),
    line::<RandMember>(),
    line::<Move>(),
];

/// A set and members, as a payload names them.
#[derive(Debug)]
struct Named {
    key: Key,
    members: Vec<Bytes>,
}

impl Named {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, members] = payload.members(&["key", "members"])?;
        let key = payload::key(key, "key")?;
        Ok(Named { key, members: element::set_members(members, "members")? })
    }
}

/// `set.add`
#[derive(Debug)]
struct Add(Named);

impl Command for Add {
    const NAME: &'static str = "set.add";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Named::read(payload).map(Add)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Named { key, members } = self.0;
        let added = context.engine().set_add(context.namespace(), &key, &members).await.map_err(refused(&key))?;
        Object::new(out).number("added", added).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `set.rem`
#[derive(Debug)]
struct Rem(Named);

impl Command for Rem {
    const NAME: &'static str = "set.rem";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Named::read(payload).map(Rem)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Named { key, members } = self.0;
        let removed = context.engine().set_remove(context.namespace(), &key, &members).await;
        let removed = removed.map_err(refused(&key))?;
        Object::new(out).number("removed", removed).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `set.ismember`
#[derive(Debug)]
struct IsMember {
    key: Key,
    member: Bytes,
}

impl Command for IsMember {
    const NAME: &'static str = "set.ismember";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, member] = payload.members(&["key", "member"])?;
        let key = payload::key(key, "key")?;
        Ok(IsMember { key, member: element::set_member(payload::any(member, "member")?, "member")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let IsMember { key, member } = self;
        let found = context.engine().set_has(context.namespace(), &key, &[member]).map_err(refused(&key))?;
        Object::new(out).flag("is_member", found.contains(&true)).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `set.members`
#[derive(Debug)]
struct Members(Key);

impl Command for Members {
    const NAME: &'static str = "set.members";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Members)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let found = context.engine().set_members(context.namespace(), &self.0).await;
        write_members(&self.0, found.map_err(refused(&self.0))?, out)
    }
}

/// `set.card`
#[derive(Debug)]
struct Card(Key);

impl Command for Card {
    const NAME: &'static str = "set.card";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Card)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let found = context.engine().set_len(context.namespace(), &self.0).map_err(refused(&self.0))?;
        let size = found.ok_or_else(|| absent(&self.0))?;
        // Published clients read it by three names.
        Object::new(out)
            .number("cardinality", size)
            .number("size", size)
            .number("count", size)
            .name("key", self.0.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// So many members of a set, as a payload asks for them.
#[derive(Debug)]
struct Share {
    key: Key,
    count: u64,
}

impl Share {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, count] = payload.members(&["key", "count"])?;
        let key = payload::key(key, "key")?;
        Ok(Share { key, count: element::count(count)? })
    }
}

/// `set.pop`
#[derive(Debug)]
struct Pop(Share);

impl Command for Pop {
    const NAME: &'static str = "set.pop";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Share::read(payload).map(Pop)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Share { key, count } = self.0;
        let popped = context.engine().set_pop(context.namespace(), &key, count).await;
        write_members(&key, popped.map_err(refused(&key))?, out)
    }
}

/// `set.randmember`
#[derive(Debug)]
struct RandMember(Share);

impl Command for RandMember {
    const NAME: &'static str = "set.randmember";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Share::read(payload).map(RandMember)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Share { key, count } = self.0;
        let drawn = context.engine().set_draw(context.namespace(), &key, count).await;
        write_members(&key, drawn.map_err(refused(&key))?, out)
    }
}

/// `set.move`
#[derive(Debug)]
struct Move {
    /// From the first to the second.
    keys: [Key; 2],
    member: Bytes,
}

impl Command for Move {
    const NAME: &'static str = "set.move";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [source, destination, member] = payload.members(&["source", "destination", "member"])?;
        let keys = [payload::key(source, "source")?, payload::key(destination, "destination")?];
        Ok(Move { keys, member: element::set_member(payload::any(member, "member")?, "member")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let [source, destination] = &self.keys;
        let moved = context.engine().set_move(context.namespace(), source, destination, &self.member).await;
        Object::new(out).flag("moved", moved.map_err(Error::of_keys(&self.keys))?).close();
        Ok(Done::Ok)
    }
}

fn write_members(key: &Key, found: Option<Vec<Bytes>>, out: &mut Vec<u8>) -> Result<Done, Error> {
    let members = found.ok_or_else(|| absent(key))?;
    Object::new(out).jsons("members", members.iter().map(Some)).name("key", key.as_bytes()).close();
    Ok(Done::Ok)
}
