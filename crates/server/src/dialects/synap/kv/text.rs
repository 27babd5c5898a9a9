//! Parts of texts. A value that is no string has the text that published clients see of it.

use bytes::Bytes;
use manifold_engine::{
    self as engine, Key, Kind,
    kv::{Edit, TextChange},
};

use super::{ACTOR, find, json_value, refused};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done},
        error::Error,
        object::Object,
        payload::{self, Member, Payload},
    },
    http::json,
};

/// Longest text that an edit may come to.
const MOST_BYTES: usize = 10 << 20;

/// `kv.append`
#[derive(Debug)]
pub(super) struct Append(Edit);

impl Command for Append {
    const NAME: &'static str = "kv.append";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, value] = payload.members(&["key", "value"])?;
        let key = payload::key(key, "key")?;
        Ok(Append(edit(key, TextChange::Append(text(value)?))))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        run(self.0, context, out).await
    }
}

/// `kv.setrange`
#[derive(Debug)]
pub(super) struct SetRange(Edit);

impl Command for SetRange {
    const NAME: &'static str = "kv.setrange";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, offset, value] = payload.members(&["key", "offset", "value"])?;
        let key = payload::key(key, "key")?;
        let offset = position(offset, "offset", 0)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(SetRange(edit(key, TextChange::Overwrite { offset, with: text(value)? })))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        run(self.0, context, out).await
    }
}

/// `kv.getrange`
#[derive(Debug)]
pub(super) struct GetRange {
    key: Key,
    start: i64,
    end: i64,
}

impl Command for GetRange {
    const NAME: &'static str = "kv.getrange";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, start, end] = payload.members(&["key", "start", "end"])?;
        let key = payload::key(key, "key")?;
        let start = position(start, "start", i64::MIN)?;
        Ok(GetRange { key, start, end: position(end, "end", i64::MIN)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        match find(context, &self.key)? {
            None => out.extend_from_slice(b"null"),
            Some(entry) => {
                let text = entry.value.text().map_err(not_kept(&self.key))?;
                let part = std::str::from_utf8(part(&text, self.start, self.end)).map_err(|_| not_utf8())?;
                json::write_str(out, part);
            }
        }
        Ok(Done::Ok)
    }
}

/// `kv.strlen`
#[derive(Debug)]
pub(super) struct StrLen(Key);

impl Command for StrLen {
    const NAME: &'static str = "kv.strlen";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(StrLen)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let text = find(context, &self.0)?.map(|entry| entry.value.text()).transpose();
        let text = text.map_err(not_kept(&self.0))?.unwrap_or_default();
        Object::new(out).number("length", text.len() as u64).close();
        Ok(Done::Ok)
    }
}

fn edit(key: Key, change: TextChange) -> Edit {
    Edit { key, change, max_bytes: MOST_BYTES, actor: ACTOR }
}

async fn run(edit: Edit, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
    let key = edit.key.clone();
    let length = context.engine().edit(context.namespace(), edit).await.map_err(not_kept(&key))?;
    context.synap.metrics.values.sets.inc();
    Object::new(out).number("length", length).close();
    Ok(Done::Ok)
}

/// The text of a member that may be any JSON.
fn text(value: Member<'_>) -> Result<Bytes, Error> {
    let value = json_value(payload::any(value, "value")?);
    value.text().map_err(|_| Error::field("value", "must be a string"))
}

fn position(member: Member<'_>, field: &'static str, least: i64) -> Result<i64, Error> {
    payload::integer(member, field, least, i64::MAX)?.ok_or(Error::Missing(field.into()))
}

/// The bytes from `start` to `end`, both inclusive, negative ones counted from the end.
fn part(text: &[u8], start: i64, end: i64) -> &[u8] {
    let len = text.len() as i64;
    let from_start = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
    let start = from_start(start).clamp(0, len) as usize;
    let end = from_start(end).saturating_add(1).clamp(0, len) as usize;
    text.get(start..end).unwrap_or_default()
}

/// The refusal of a verb about the text of a key.
fn not_kept(key: &Key) -> impl Fn(engine::Error) -> Error {
    let key = key.clone();
    move |error| match error.kind() {
        Kind::Invalid => not_utf8(),
        Kind::TooLarge => Error::TooLarge(MOST_BYTES),
        _ => refused(&key)(error),
    }
}

fn not_utf8() -> Error {
    Error::Payload("Result is not valid UTF-8".to_owned())
}
