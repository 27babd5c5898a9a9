//! Several values at once.

use std::collections::HashSet;

use foldhash::quality::RandomState;
use manifold_engine::{
    self as engine, Cut, Key, Kind,
    kv::{Expires, Op, Outcome, Put, Value, When},
};

use super::{ACTOR, json_value};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done},
        error::Error,
        object::{self, Object},
        payload::{self, MAX_ITEMS, Payload},
    },
    http::json::{self, RawValue},
};

/// Keys with the values they shall have.
type Pairs = Vec<(Key, Value)>;

/// `kv.mset`
#[derive(Debug)]
pub(super) struct MSet(Pairs);

impl Command for MSet {
    const NAME: &'static str = "kv.mset";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [pairs] = payload.members(&["pairs"])?;
        read_pairs(payload::required(pairs, "pairs")?).map(MSet)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let (keys, done) = write(context, self.0, When::Always).await;
        done.map_err(Error::of_keys(&keys))?;
        Object::new(out).flag("success", true).close();
        Ok(Done::Ok)
    }
}

/// `kv.msetnx`: all values, unless one of the keys is there, whatever it holds.
#[derive(Debug)]
pub(super) struct MSetNx(Pairs);

impl Command for MSetNx {
    const NAME: &'static str = "kv.msetnx";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [pairs, key, value] = payload.members(&["pairs", "key", "value"])?;
        match (json::given(pairs), json::given(key), value) {
            (Some(pairs), ..) => read_pairs(pairs).map(MSetNx),
            (None, Some(key), Some(value)) => Ok(MSetNx(vec![(payload::key_of(key, "key")?, json_value(value))])),
            (None, ..) => Err(Error::no_form()),
        }
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let (_, done) = write(context, self.0, When::Absent).await;
        let written = match done {
            Ok(_) => true,
            Err(error) if matches!(error.kind(), Kind::Conflict { .. } | Kind::WrongType { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        Object::new(out).flag("success", written).close();
        Ok(Done::Ok)
    }
}

/// Writes values, or none of them; also the keys in the order an error counts them.
async fn write(context: &Context<'_>, pairs: Pairs, when: When) -> (Vec<Key>, engine::Result<Cut<Vec<Outcome>>>) {
    // Of a key that is named twice only the last value is written: it is one write.
    let mut named: HashSet<Key, RandomState> = HashSet::default();
    let mut pairs: Pairs = pairs.into_iter().rev().filter(|(key, _)| named.insert(key.clone())).collect();
    pairs.reverse();
    let keys: Vec<Key> = pairs.iter().map(|(key, _)| key.clone()).collect();
    let put = |(key, value)| {
        let put = Put { key, value, expires: Expires::Never, when, actor: ACTOR };
        Op::Put(context.namespace().clone(), put)
    };
    let done = context.engine().batch(pairs.into_iter().map(put).collect()).await;
    if done.is_ok() {
        context.synap.metrics.values.sets.add(keys.len() as u64);
    }
    (keys, done)
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
        found.iter().for_each(|entry| context.synap.metrics.values.looked(entry.is_some()));
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

/// Pairs as an array of objects or arrays, or as one object.
fn read_pairs(raw: &RawValue) -> Result<Pairs, Error> {
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
