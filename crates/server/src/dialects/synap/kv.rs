//! Keys with a value.

use std::{collections::HashSet, time::Duration};

use foldhash::quality::RandomState;
use manifold_engine::{
    Actor, Key, Timestamp,
    kv::{self, Encoding, Entry, Expires, Increment, Incremented, Op, Put, Retime, Value, When},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    config::Compat,
    error::{Error, Thing},
    object::{self, Object},
    payload::{self, MAX_ITEMS, Payload},
};
use crate::http::json::{self, RawValue};

/// Who writes through this dialect, as the change feed says it.
pub(super) const ACTOR: Actor = Actor::fixed("synap");
/// A hundred years in seconds.
const MOST_TTL: i64 = 3_153_600_000;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[
    line::<Set>(),
    line::<Get>(),
    line::<Del>(),
    line::<Exists>(),
    line::<Incr>(),
    line::<Decr>(),
    line::<Expire>(),
    line::<Ttl>(),
    line::<MSet>(),
    line::<MGet>(),
    line::<Persist>(),
];

/// `kv.set`
#[derive(Debug)]
pub(super) struct Set {
    put: Put,
}

impl Command for Set {
    const NAME: &'static str = "kv.set";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, value, ttl, nx, xx] = payload.members(&["key", "value", "ttl", "nx", "xx"])?;
        let key = payload::key(key, "key")?;
        let value = json_value(payload::any(value, "value")?);
        let expires = match payload::integer(ttl, "ttl", 1, MOST_TTL)? {
            Some(seconds) => Expires::In(seconds_of(seconds)),
            None => Expires::Never,
        };
        let when = match (payload::flag(nx, "nx", false)?, payload::flag(xx, "xx", false)?) {
            (false, false) => When::Always,
            (true, false) => When::Absent,
            (false, true) => When::Present,
            (true, true) => return Err(Error::field("nx", "nx and xx are mutually exclusive")),
        };
        Ok(Set { put: Put { key, value, expires, when, actor: ACTOR } })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let key = self.put.key.clone();
        let done = context.engine().swap(context.namespace(), self.put).await;
        let done = done.map_err(Error::of(Thing::Key, key.as_bytes()))?;
        Object::new(out)
            .name("key", key.as_bytes())
            .flag("success", done.written.is_some())
            .value("previous", done.previous.as_ref().map(|entry| &entry.value))
            .close();
        Ok(Done::Ok)
    }
}

/// `kv.get`
#[derive(Debug)]
pub(super) struct Get(Key);

impl Command for Get {
    const NAME: &'static str = "kv.get";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        read_key(payload).map(Get)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let entry = find(context, &self.0)?;
        match context.shape {
            Compat::Document => Object::new(out)
                .flag("found", entry.is_some())
                .value("value", entry.as_ref().map(|entry| &entry.value))
                .number_or_null("ttl", entry.as_ref().and_then(|entry| seconds_left(context, entry)))
                .close(),
            Compat::Sdk => match &entry {
                Some(entry) => write_sdk_text(out, &entry.value),
                None => out.extend_from_slice(b"null"),
            },
        }
        Ok(Done::Ok)
    }
}

/// `kv.del`
#[derive(Debug)]
pub(super) struct Del {
    keys: Vec<Key>,
    /// One key, as published clients spell it and want it answered.
    single: bool,
}

impl Command for Del {
    const NAME: &'static str = "kv.del";
    const ALIASES: &'static [&'static str] = &["kv.delete"];
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [keys, key] = payload.members(&["keys", "key"])?;
        match (json::given(keys), json::given(key)) {
            (None, Some(key)) => Ok(Del { keys: vec![payload::key_of(key, "key")?], single: true }),
            (keys, _) => Ok(Del { keys: payload::keys(keys, "keys")?, single: false }),
        }
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let delete =
            |key| Op::Delete(context.namespace().clone(), kv::Delete { key, when: When::Always, actor: ACTOR });
        let done = context.engine().batch(self.keys.into_iter().map(delete).collect()).await?;
        let deleted = done.it.iter().flatten().count();
        match self.single {
            true => Object::new(out).flag("deleted", deleted > 0).close(),
            false => Object::new(out).number("deleted", deleted as u64).close(),
        }
        Ok(Done::Ok)
    }
}

/// `kv.exists`
#[derive(Debug)]
pub(super) struct Exists(Key);

impl Command for Exists {
    const NAME: &'static str = "kv.exists";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        read_key(payload).map(Exists)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let exists = find(context, &self.0)?.is_some();
        Object::new(out).flag("exists", exists).close();
        Ok(Done::Ok)
    }
}

/// `kv.incr`
#[derive(Debug)]
pub(super) struct Incr(Increment);

impl Command for Incr {
    const NAME: &'static str = "kv.incr";
    const ALIASES: &'static [&'static str] = &["kv.incrby"];
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let (key, by) = read_amount(payload)?;
        Ok(Incr(Increment { key, by, actor: ACTOR }))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let key = self.0.key.clone();
        let done = context.engine().increment(context.namespace(), self.0).await;
        match done.map_err(Error::of(Thing::Key, key.as_bytes()))? {
            Incremented::To(sum) => Object::new(out).signed("value", sum).close(),
            Incremented::Overflow => return Err(Error::overflow()),
            Incremented::NotAnInteger => {
                let key = String::from_utf8_lossy(key.as_bytes());
                return Err(Error::Payload(format!("Value of key '{key}' is not an integer")));
            }
        }
        Ok(Done::Ok)
    }
}

/// `kv.decr`
#[derive(Debug)]
pub(super) struct Decr(Incr);

impl Command for Decr {
    const NAME: &'static str = "kv.decr";
    const ALIASES: &'static [&'static str] = &["kv.decrby"];
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let (key, amount) = read_amount(payload)?;
        let by = amount.checked_neg().ok_or_else(Error::overflow)?;
        Ok(Decr(Incr(Increment { key, by, actor: ACTOR })))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        self.0.run(context, out).await
    }
}

/// `kv.expire`
#[derive(Debug)]
pub(super) struct Expire {
    key: Key,
    seconds: i64,
}

impl Command for Expire {
    const NAME: &'static str = "kv.expire";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, ttl] = payload.members(&["key", "ttl"])?;
        let key = payload::key(key, "key")?;
        let ttl = payload::required(ttl, "ttl")?;
        let seconds = payload::integer(Some(ttl), "ttl", 0, MOST_TTL)?.ok_or(Error::Missing("ttl".into()))?;
        Ok(Expire { key, seconds })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Expire { key, seconds } = self;
        let (engine, namespace) = (context.engine(), context.namespace());
        let changed = if seconds == 0 {
            let delete = kv::Delete { key: key.clone(), when: When::Always, actor: ACTOR };
            engine.delete(namespace, delete).await.map(|done| done.it.is_some())
        } else {
            let retime = Retime { key: key.clone(), expires: Expires::In(seconds_of(seconds)), actor: ACTOR };
            engine.retime(namespace, retime).await.map(|entry| entry.is_some())
        };
        let changed = changed.map_err(Error::of(Thing::Key, key.as_bytes()))?;
        Object::new(out)
            .flag("success", changed)
            .flag("result", changed)
            .name("key", key.as_bytes())
            .number_or_null("ttl", changed.then_some(seconds.unsigned_abs()))
            .close();
        Ok(Done::Ok)
    }
}

/// `kv.persist`
#[derive(Debug)]
pub(super) struct Persist(Key);

impl Command for Persist {
    const NAME: &'static str = "kv.persist";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        read_key(payload).map(Persist)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let retime = Retime { key: self.0.clone(), expires: Expires::Never, actor: ACTOR };
        let done = context.engine().retime(context.namespace(), retime).await;
        let changed = done.map_err(Error::of(Thing::Key, self.0.as_bytes()))?.is_some();
        Object::new(out).name("key", self.0.as_bytes()).flag("result", changed).flag("success", changed).close();
        Ok(Done::Ok)
    }
}

/// `kv.ttl`
#[derive(Debug)]
pub(super) struct Ttl(Key);

impl Command for Ttl {
    const NAME: &'static str = "kv.ttl";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        read_key(payload).map(Ttl)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let absent = || Error::Absent(Thing::Key, self.0.as_bytes().to_vec());
        let entry = find(context, &self.0)?.ok_or_else(absent)?;
        Object::new(out).number_or_null("ttl", seconds_left(context, &entry)).close();
        Ok(Done::Ok)
    }
}

/// `kv.mset`
#[derive(Debug)]
pub(super) struct MSet(Vec<(Key, Value)>);

impl Command for MSet {
    const NAME: &'static str = "kv.mset";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [pairs] = payload.members(&["pairs"])?;
        read_pairs(payload::required(pairs, "pairs")?).map(MSet)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        // Of a key that is named twice only the last value is written: it is one write.
        let mut named: HashSet<Key, RandomState> = HashSet::default();
        let mut pairs: Vec<_> = self.0.into_iter().rev().filter(|(key, _)| named.insert(key.clone())).collect();
        pairs.reverse();
        let put = |(key, value)| {
            let put = Put { key, value, expires: Expires::Never, when: When::Always, actor: ACTOR };
            Op::Put(context.namespace().clone(), put)
        };
        context.engine().batch(pairs.into_iter().map(put).collect()).await?;
        Object::new(out).flag("success", true).close();
        Ok(Done::Ok)
    }
}

/// `kv.mget`
#[derive(Debug)]
pub(super) struct MGet(Vec<Key>);

impl Command for MGet {
    const NAME: &'static str = "kv.mget";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [keys] = payload.members(&["keys"])?;
        payload::keys(keys, "keys").map(MGet)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let wanted: Vec<_> = self.0.into_iter().map(|key| (context.namespace().clone(), key)).collect();
        let found = context.engine().get_many(&wanted)?.it;
        Object::new(out)
            .with("values", |out| {
                json::write_array(out, &found, |out, entry| match entry {
                    Some(entry) => object::write_value(out, &entry.value),
                    None => out.extend_from_slice(b"null"),
                });
            })
            .close();
        Ok(Done::Ok)
    }
}

fn read_key(payload: Payload<'_>) -> Result<Key, Error> {
    let [key] = payload.members(&["key"])?;
    payload::key(key, "key")
}

fn read_amount(payload: Payload<'_>) -> Result<(Key, i64), Error> {
    let [key, amount] = payload.members(&["key", "amount"])?;
    let key = payload::key(key, "key")?;
    Ok((key, payload::integer(amount, "amount", i64::MIN, i64::MAX)?.unwrap_or(1)))
}

/// Pairs as an array of objects or arrays, or as one object.
fn read_pairs(raw: &RawValue) -> Result<Vec<(Key, Value)>, Error> {
    if raw.get().starts_with('{') {
        let entries = json::entries(raw.get(), MAX_ITEMS).map_err(|_| Error::field("pairs", "must be an array"))?;
        if entries.total > MAX_ITEMS {
            return Err(payload::too_many("pairs", MAX_ITEMS));
        }
        let pair = |(key, value): &(String, &RawValue)| Ok((payload::key_from(key, "pairs")?, json_value(value)));
        return entries.kept.iter().map(pair).collect();
    }
    let pairs = payload::elements(raw, "pairs", "must be an array", MAX_ITEMS)?;
    pairs.iter().enumerate().map(|(at, pair)| read_pair(pair, at)).collect()
}

fn read_pair(raw: &RawValue, at: usize) -> Result<(Key, Value), Error> {
    let malformed = || Error::field("pairs", "each pair must have 'key' and 'value'");
    let (key, value) = if raw.get().starts_with('[') {
        let pair = json::elements(raw.get(), 3).map_err(|_| malformed())?;
        let [key, value] = pair.kept[..] else { return Err(malformed()) };
        (key, value)
    } else {
        let [key, value] = json::members(raw.get(), &["key", "value"]).map_err(|_| malformed())?;
        (json::given(key).ok_or_else(malformed)?, value.ok_or_else(malformed)?)
    };
    Ok((payload::key_of(key, format!("pairs[{at}].key"))?, json_value(value)))
}

fn find(context: &Context<'_>, key: &Key) -> Result<Option<Entry>, Error> {
    Ok(context.engine().get(context.namespace(), key)?.it)
}

/// The value that is stored: its own text.
pub(super) fn json_value(raw: &RawValue) -> Value {
    Value { encoding: Encoding::Json, bytes: payload::bytes(raw.get()) }
}

fn seconds_of(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

/// Seconds until a key expires, rounded up; none when it does not.
fn seconds_left(context: &Context<'_>, entry: &Entry) -> Option<u64> {
    let Timestamp(at) = entry.expires_at?;
    Some(at.saturating_sub(context.engine().now().0).div_ceil(1000))
}

/// Appends a value as published clients want it: a string as it is, anything else as a string of its text.
fn write_sdk_text(out: &mut Vec<u8>, value: &Value) {
    let mut text = Vec::new();
    object::write_value(&mut text, value);
    if text.starts_with(b"\"") {
        out.extend_from_slice(&text);
    } else {
        json::write_bytes_as_str(out, &text);
    }
}
