//! Lists: what reads one.

use std::num::NonZeroI64;

use manifold_engine::{
    Key,
    types::{Side, Sought},
};

use super::element::{self, absent, refused};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] =
    &[line::<Range>(), line::<Len>(), line::<Index>(), line::<Pos>()];

/// `list.range`
#[derive(Debug)]
struct Range {
    key: Key,
    start: i64,
    stop: i64,
}

impl Command for Range {
    const NAME: &'static str = "list.range";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, start, stop] = payload.members(&["key", "start", "stop"])?;
        let key = payload::key(key, "key")?;
        let (start, stop) = element::ranks([start, stop])?;
        Ok(Range { key, start, stop })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Range { key, start, stop } = self;
        let found = context.engine().list_range(context.namespace(), &key, start, stop).await;
        let values = found.map_err(refused(&key))?.ok_or_else(|| absent(&key))?;
        Object::new(out).jsons("values", values.iter().map(Some)).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.len`
#[derive(Debug)]
struct Len(Key);

impl Command for Len {
    const NAME: &'static str = "list.len";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Len)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let length = context.engine().list_len(context.namespace(), &self.0).map_err(refused(&self.0))?;
        Object::new(out).number("length", length).name("key", self.0.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.index`
#[derive(Debug)]
struct Index {
    key: Key,
    index: i64,
}

impl Command for Index {
    const NAME: &'static str = "list.index";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, index] = payload.members(&["key", "index"])?;
        let key = payload::key(key, "key")?;
        Ok(Index { key, index: element::integer(index, "index")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Index { key, index } = self;
        let found = context.engine().list_index(context.namespace(), &key, index).await;
        let value = found.map_err(refused(&key))?.ok_or(Error::IndexOutOfRange)?;
        Object::new(out).json_or_null("value", Some(&value)).signed("index", index).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `list.pos`
#[derive(Debug)]
struct Pos {
    key: Key,
    element: Sought,
    /// The first, the second … of those that are equal; from the end when it is negative.
    rank: NonZeroI64,
}

impl Command for Pos {
    const NAME: &'static str = "list.pos";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, element, rank] = payload.members(&["key", "element", "rank"])?;
        let key = payload::key(key, "key")?;
        let element = Sought::Json(element::value(payload::any(element, "element")?));
        let rank = payload::integer(rank, "rank", i64::MIN, i64::MAX)?.unwrap_or(1);
        let rank = NonZeroI64::new(rank).ok_or(Error::field("rank", "must not be 0"))?;
        Ok(Pos { key, element, rank })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Pos { key, element, rank } = self;
        let side = if rank.is_positive() { Side::Left } else { Side::Right };
        let nth = rank.unsigned_abs().get();
        let position = context.engine().list_find(context.namespace(), &key, &element, nth, side).await;
        let position = position.map_err(refused(&key))?;
        Object::new(out).number_or_null("position", position).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}
