//! Hashes: what changes one.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::{
    Key,
    types::{Added, Field, FieldWhen},
};

use super::element::{self, refused};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line, spellings},
        error::Error,
        object::Object,
        payload::{self, Payload},
    },
    http::json::{self, RawValue},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] =
    &[line::<Set>(), line::<SetNx>(), line::<MSet>(), line::<Del>(), line::<IncrBy>(), line::<IncrByFloat>()];

spellings! { SetOne, ReadWrite:
    Set = "hash.set" (FieldWhen::Always);
    SetNx = "hash.setnx" (FieldWhen::Absent);
}

/// Sets one field.
#[derive(Debug)]
struct SetOne {
    key: Key,
    field: Bytes,
    value: Bytes,
    when: FieldWhen,
}

impl SetOne {
    fn read(payload: Payload<'_>, when: FieldWhen) -> Result<Self, Error> {
        let [key, field, value] = payload.members(&["key", "field", "value"])?;
        let key = payload::key(key, "key")?;
        let field = element::name(field, "field")?;
        Ok(SetOne { key, field, value: element::value(payload::any(value, "value")?), when })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let SetOne { key, field, value, when } = self;
        let fields = vec![(field.clone(), value)];
        let created = context.engine().hash_set(context.namespace(), &key, fields, when).await;
        let created = created.map_err(refused(&key))?;
        Object::new(out)
            .flag("success", true)
            .flag("created", created > 0)
            .name("field", &field)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `hash.mset`
#[derive(Debug)]
struct MSet {
    key: Key,
    fields: Vec<Field>,
}

impl Command for MSet {
    const NAME: &'static str = "hash.mset";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, fields] = payload.members(&["key", "fields"])?;
        let key = payload::key(key, "key")?;
        Ok(MSet { key, fields: read_fields(payload::required(fields, "fields")?)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let MSet { key, fields } = self;
        let done = context.engine().hash_set(context.namespace(), &key, fields, FieldWhen::Always).await;
        done.map_err(refused(&key))?;
        Object::new(out).flag("success", true).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// Fields with values, as an object or as an array of objects.
fn read_fields(raw: &RawValue) -> Result<Vec<Field>, Error> {
    if !raw.get().starts_with('{') {
        let items = element::array(Some(raw), "fields", "must be an object or an array")?;
        return items.into_iter().enumerate().map(|(at, item)| read_item(item, at)).collect();
    }
    let entries = json::entries(raw.get(), element::MOST).map_err(|_| Error::field("fields", "must be an object"))?;
    element::check_count(entries.total, "fields")?;
    let entry = |(name, value): (String, &RawValue)| Ok((element::name_from(&name, "fields")?, element::value(value)));
    entries.kept.into_iter().map(entry).collect()
}

fn read_item(raw: &RawValue, at: usize) -> Result<Field, Error> {
    let named = |member: &str| Cow::<'static, str>::from(format!("fields[{at}]{member}"));
    let members = json::members(raw.get(), &["field", "value"]);
    let [field, value] = members.map_err(|_| Error::field(named(""), "must be an object"))?;
    let field = json::given(field).ok_or(Error::MissingInItem("field"))?;
    let value = value.ok_or(Error::MissingInItem("value"))?;
    Ok((element::name_of(field, named(".field"))?, element::value(value)))
}

/// `hash.del`
#[derive(Debug)]
struct Del {
    key: Key,
    fields: Vec<Bytes>,
}

impl Command for Del {
    const NAME: &'static str = "hash.del";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, fields, field] = payload.members(&["key", "fields", "field"])?;
        let key = payload::key(key, "key")?;
        let fields = match (json::given(fields), json::given(field)) {
            (None, Some(field)) => vec![element::name_of(field, "field")?],
            (fields, _) => element::names(fields, "fields")?,
        };
        Ok(Del { key, fields })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let deleted = context.engine().hash_delete(context.namespace(), &self.key, &self.fields).await;
        let deleted = deleted.map_err(refused(&self.key))?;
        Object::new(out).number("deleted", deleted).name("key", self.key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `hash.incrby`
#[derive(Debug)]
struct IncrBy {
    key: Key,
    field: Bytes,
    by: i64,
}

impl Command for IncrBy {
    const NAME: &'static str = "hash.incrby";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, field, by] = payload.members(&["key", "field", "increment"])?;
        let key = payload::key(key, "key")?;
        let field = element::name(field, "field")?;
        Ok(IncrBy { key, field, by: element::integer(by, "increment")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let IncrBy { key, field, by } = self;
        let added = context.engine().hash_add(context.namespace(), &key, field, by).await;
        let sum = sum(added.map_err(refused(&key))?, "Field value is not a valid integer")?;
        Object::new(out).signed("value", sum).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `hash.incrbyfloat`
#[derive(Debug)]
struct IncrByFloat {
    key: Key,
    field: Bytes,
    by: f64,
}

impl Command for IncrByFloat {
    const NAME: &'static str = "hash.incrbyfloat";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, field, by] = payload.members(&["key", "field", "increment"])?;
        let key = payload::key(key, "key")?;
        let field = element::name(field, "field")?;
        Ok(IncrByFloat { key, field, by: element::float(by, "increment")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let IncrByFloat { key, field, by } = self;
        let added = context.engine().hash_add_float(context.namespace(), &key, field, by).await;
        let sum = sum(added.map_err(refused(&key))?, "Field value is not a valid float")?;
        Object::new(out).float("value", sum).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

fn sum<N>(added: Added<N>, other: &'static str) -> Result<N, Error> {
    match added {
        Added::To(sum) => Ok(sum),
        Added::NotANumber => Err(Error::Payload(other.to_owned())),
        Added::Overflow => Err(Error::overflow()),
    }
}
