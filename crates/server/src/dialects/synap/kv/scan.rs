//! Which keys there are, and how many.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use manifold_engine::{Glob, Key, types::KeyPage};

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

const DEFAULT_COUNT: i64 = 100;
const MOST: i64 = 10_000;

/// `kv.scan`
#[derive(Debug)]
pub(super) struct Scan {
    prefix: Bytes,
    after: Option<Bytes>,
    limit: usize,
    /// Asked for as published clients do, who want to be told how many there are.
    counted: bool,
}

impl Command for Scan {
    const NAME: &'static str = "kv.scan";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [prefix, cursor, count, limit] = payload.members(&["prefix", "cursor", "count", "limit"])?;
        let prefix = read_prefix(prefix)?;
        let after = match payload::optional_text(cursor, "cursor")? {
            Some(text) if !text.is_empty() => Some(decode(&text)?),
            _ => None,
        };
        let count = payload::integer(count, "count", 1, MOST)?;
        let sdk = payload::integer(limit, "limit", 1, MOST)?;
        let limit = count.or(sdk).unwrap_or(DEFAULT_COUNT);
        Ok(Scan { prefix, after, limit: limit.unsigned_abs() as usize, counted: sdk.is_some() })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Scan { prefix, after, limit, counted } = self;
        let page = KeyPage { prefix, after, limit };
        let (found, more) = context.engine().key_page(context.namespace(), &page)?;
        let last = found.last().filter(|_| more);
        let object = Object::new(out).names("keys", found.iter().map(|(key, _)| key.as_bytes()));
        let object = match last {
            Some((key, _)) => object.text("cursor", &URL_SAFE_NO_PAD.encode(key.as_bytes())),
            None => object.null("cursor"),
        };
        let object = object.flag("has_more", more);
        let object = if counted { object.number("count", found.len() as u64) } else { object };
        object.close();
        Ok(Done::Ok)
    }
}

/// `kv.keys`
#[derive(Debug)]
pub(super) struct Keys {
    prefix: Bytes,
    pattern: Option<Glob>,
}

impl Command for Keys {
    const NAME: &'static str = "kv.keys";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [pattern, prefix] = payload.members(&["pattern", "prefix"])?;
        let pattern = payload::optional_text(pattern, "pattern")?.map(|text| read_glob(&text)).transpose()?;
        Ok(Keys { pattern, prefix: read_prefix(prefix)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let found = context.engine().key_names(context.namespace(), self.prefix, self.pattern).await?;
        Object::new(out).names("keys", found.iter().map(Key::as_bytes)).number("count", found.len() as u64).close();
        Ok(Done::Ok)
    }
}

/// `kv.dbsize`
#[derive(Debug)]
pub(super) struct DbSize;

impl Command for DbSize {
    const NAME: &'static str = "kv.dbsize";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(DbSize)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let size = context.engine().key_total(context.namespace())?;
        Object::new(out).number("size", size).close();
        Ok(Done::Ok)
    }
}

/// `kv.stats`
#[derive(Debug)]
pub(super) struct Stats;

impl Command for Stats {
    const NAME: &'static str = "kv.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let total = context.engine().key_total(context.namespace())?;
        let values = &context.synap.metrics.values;
        let (hits, misses) = (values.hits.get(), values.misses.get());
        let gets = hits + misses;
        let hit_rate = if gets == 0 { 0.0 } else { hits as f64 / gets as f64 };
        Object::new(out)
            .number("total_keys", total)
            .number("total_memory_bytes", context.engine().stats().key_bytes)
            .with("operations", |out| {
                let object = Object::new(out).number("gets", gets).number("sets", values.sets.get());
                object.number("dels", values.dels.get()).number("hits", hits).number("misses", misses).close();
            })
            .with("hit_rate", |out| json::write_f64(out, hit_rate))
            .close();
        Ok(Done::Ok)
    }
}

fn read_prefix(member: Member<'_>) -> Result<Bytes, Error> {
    Ok(payload::optional_text(member, "prefix")?.map_or_else(Bytes::new, |text| payload::bytes(&text)))
}

fn read_glob(text: &str) -> Result<Glob, Error> {
    if text.len() > Key::MAX {
        return Err(payload::too_long("pattern", Key::MAX));
    }
    Glob::new(text).map_err(|_| Error::field("pattern", "is too large"))
}

/// The key that a page ended with.
fn decode(cursor: &str) -> Result<Bytes, Error> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|key| Key::new(key.clone()).is_ok());
    key.map(Bytes::from).ok_or(Error::field("cursor", "malformed cursor"))
}
