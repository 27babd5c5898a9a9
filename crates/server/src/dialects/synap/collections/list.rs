//! Lists: what changes one. Elements are compared as members of sets are: by what they say, not how they are spelled.

use bytes::Bytes;
use manifold_engine::{
    Key,
    types::{Equal, Insert, Inserted, PushTo, Side, Sought},
};

use super::element::{self, absent, refused};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line, spellings},
        error::Error,
        object::Object,
        payload::{self, Payload},
    },
    http::json,
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] = &[
    line::<LPush>(),
    line::<RPush>(),
    line::<LPushX>(),
    line::<RPushX>(),
    line::<LPop>(),
    line::<RPop>(),
    line::<RPopLPush>(),
    line::<Set>(),
    line::<Trim>(),
    line::<Rem>(),
    line::<InsertAt>(),
];

spellings! { Push, ReadWrite:
    LPush = "list.lpush" (Side::Left, PushTo::Any);
    RPush = "list.rpush" (Side::Right, PushTo::Any);
    LPushX = "list.lpushx" (Side::Left, PushTo::Existing);
    RPushX = "list.rpushx" (Side::Right, PushTo::Existing);
}

spellings! { Pop, ReadWrite:
    LPop = "list.lpop" (Side::Left);
    RPop = "list.rpop" (Side::Right);
}

/// Puts values in at an end, one after the other.
#[derive(Debug)]
struct Push {
    key: Key,
    values: Vec<Bytes>,
    side: Side,
    to: PushTo,
}

impl Push {
    fn read(payload: Payload<'_>, side: Side, to: PushTo) -> Result<Self, Error> {
        let [key, values] = payload.members(&["key", "values"])?;
        let key = payload::key(key, "key")?;
        Ok(Push { key, values: element::values(values, "values")?, side, to })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Push { key, values, side, to } = self;
        let length = context.engine().list_push(context.namespace(), &key, side, &values, to).await;
        let length = length.map_err(refused(&key))?;
        Object::new(out).number("length", length).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// Takes elements out at an end.
#[derive(Debug)]
struct Pop {
    key: Key,
    count: u64,
    side: Side,
}

impl Pop {
    fn read(payload: Payload<'_>, side: Side) -> Result<Self, Error> {
        let [key, count] = payload.members(&["key", "count"])?;
        let key = payload::key(key, "key")?;
        Ok(Pop { key, count: element::count(count)?, side })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Pop { key, count, side } = self;
        let popped = context.engine().list_pop(context.namespace(), &key, side, count).await;
        let values = popped.map_err(refused(&key))?.ok_or_else(|| absent(&key))?;
        Object::new(out).jsons("values", values.iter().map(Some)).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.rpoplpush`
#[derive(Debug)]
struct RPopLPush {
    source: Key,
    destination: Key,
}

impl Command for RPopLPush {
    const NAME: &'static str = "list.rpoplpush";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [source, destination] = payload.members(&["source", "destination"])?;
        let source = payload::key(source, "source")?;
        Ok(RPopLPush { source, destination: payload::key(destination, "destination")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let keys = [self.source, self.destination];
        let (from, to) = ((&keys[0], Side::Right), (&keys[1], Side::Left));
        let moved = context.engine().list_move(context.namespace(), from, to).await;
        let moved = moved.map_err(Error::of_keys(&keys))?;
        Object::new(out)
            .json_or_null("value", moved.as_ref())
            .name("source", keys[0].as_bytes())
            .name("destination", keys[1].as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `list.set`
#[derive(Debug)]
struct Set {
    key: Key,
    index: i64,
    value: Bytes,
}

impl Command for Set {
    const NAME: &'static str = "list.set";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, index, value] = payload.members(&["key", "index", "value"])?;
        let key = payload::key(key, "key")?;
        let index = element::integer(index, "index")?;
        Ok(Set { key, index, value: element::value(payload::any(value, "value")?) })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Set { key, index, value } = self;
        let replaced = context.engine().list_set(context.namespace(), &key, index, value).await;
        if !replaced.map_err(refused(&key))? {
            return Err(Error::IndexOutOfRange);
        }
        Object::new(out).flag("success", true).signed("index", index).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.trim`
#[derive(Debug)]
struct Trim {
    key: Key,
    start: i64,
    stop: i64,
}

impl Command for Trim {
    const NAME: &'static str = "list.trim";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, start, stop] = payload.members(&["key", "start", "stop"])?;
        let key = payload::key(key, "key")?;
        let start = element::integer(start, "start")?;
        Ok(Trim { key, start, stop: element::integer(stop, "stop")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Trim { key, start, stop } = self;
        let trimmed = context.engine().list_trim(context.namespace(), &key, start, stop).await;
        trimmed.map_err(refused(&key))?;
        Object::new(out).flag("success", true).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.rem`
#[derive(Debug)]
struct Rem {
    key: Key,
    which: Equal,
    value: Sought,
}

impl Command for Rem {
    const NAME: &'static str = "list.rem";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, count, value] = payload.members(&["key", "count", "value"])?;
        let key = payload::key(key, "key")?;
        let which = match element::integer(count, "count")? {
            0 => Equal::All,
            count @ 1.. => Equal::Some(count.unsigned_abs(), Side::Left),
            count => Equal::Some(count.unsigned_abs(), Side::Right),
        };
        Ok(Rem { key, which, value: Sought::Json(element::value(payload::any(value, "value")?)) })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Rem { key, which, value } = self;
        let removed = context.engine().list_remove(context.namespace(), &key, &value, which).await;
        let removed = removed.map_err(refused(&key))?;
        Object::new(out).number("removed", removed).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.insert`
#[derive(Debug)]
struct InsertAt {
    key: Key,
    insert: Insert,
}

impl Command for InsertAt {
    const NAME: &'static str = "list.insert";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, position, before, pivot, value] =
            payload.members(&["key", "position", "before", "pivot", "value"])?;
        let key = payload::key(key, "key")?;
        let side = match (json::given(position), json::given(before)) {
            (None, Some(_)) if payload::flag(before, "before", true)? => Side::Left,
            (None, Some(_)) => Side::Right,
            _ => read_position(&payload::text(payload::required(position, "position")?, "position")?)?,
        };
        let pivot = Sought::Json(element::value(payload::any(pivot, "pivot")?));
        Ok(InsertAt { key, insert: Insert { side, pivot, value: element::value(payload::any(value, "value")?) } })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let inserted = context.engine().list_insert(context.namespace(), &self.key, &self.insert).await;
        let object = Object::new(out);
        let object = match inserted.map_err(refused(&self.key))? {
            Inserted::Length(length) => object.number("length", length),
            Inserted::NoPivot => object.signed("length", -1),
            Inserted::NoList => object.number("length", 0),
        };
        object.name("key", self.key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// On which side of the pivot.
fn read_position(text: &str) -> Result<Side, Error> {
    if text.eq_ignore_ascii_case("before") {
        Ok(Side::Left)
    } else if text.eq_ignore_ascii_case("after") {
        Ok(Side::Right)
    } else {
        Err(Error::field("position", "must be 'before' or 'after'"))
    }
}
