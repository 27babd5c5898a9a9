//! Hashes: what reads one. An absent one reads as one without fields.

use bytes::Bytes;
use manifold_engine::Key;

use super::element::{self, refused};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] =
    &[line::<Get>(), line::<MGet>(), line::<GetAll>(), line::<Keys>(), line::<Vals>(), line::<Len>(), line::<Exists>()];

/// A field of a hash, as a payload names it.
#[derive(Debug)]
struct Place {
    key: Key,
    field: Bytes,
}

impl Place {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, field] = payload.members(&["key", "field"])?;
        let key = payload::key(key, "key")?;
        Ok(Place { key, field: element::name(field, "field")? })
    }
}

/// `hash.get`
#[derive(Debug)]
struct Get(Place);

impl Command for Get {
    const NAME: &'static str = "hash.get";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Place::read(payload).map(Get)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Place { key, field } = self.0;
        let found = context.engine().hash_get(context.namespace(), &key, &[field]).map_err(refused(&key))?;
        let value = found.first().and_then(Option::as_ref);
        Object::new(out)
            .flag("found", value.is_some())
            .json_or_null("value", value)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `hash.exists`
#[derive(Debug)]
struct Exists(Place);

impl Command for Exists {
    const NAME: &'static str = "hash.exists";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Place::read(payload).map(Exists)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Place { key, field } = self.0;
        let exists = context.engine().hash_has(context.namespace(), &key, &field).map_err(refused(&key))?;
        Object::new(out).flag("exists", exists).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `hash.mget`
#[derive(Debug)]
struct MGet {
    key: Key,
    fields: Vec<Bytes>,
}

impl Command for MGet {
    const NAME: &'static str = "hash.mget";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, fields] = payload.members(&["key", "fields"])?;
        let key = payload::key(key, "key")?;
        Ok(MGet { key, fields: element::names(fields, "fields")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let found = context.engine().hash_get(context.namespace(), &self.key, &self.fields);
        let found = found.map_err(refused(&self.key))?;
        Object::new(out).jsons("values", found.iter().map(Option::as_ref)).name("key", self.key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `hash.getall`
#[derive(Debug)]
struct GetAll(Key);

impl Command for GetAll {
    const NAME: &'static str = "hash.getall";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(GetAll)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let all = context.engine().hash_all(context.namespace(), &self.0).await.map_err(refused(&self.0))?;
        Object::new(out)
            .with("fields", |out| {
                let fields =
                    all.iter().fold(Object::new(out), |object, (field, value)| object.json_under(field, value));
                fields.close();
            })
            .number("count", all.len() as u64)
            .name("key", self.0.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `hash.keys`
#[derive(Debug)]
struct Keys(Key);

impl Command for Keys {
    const NAME: &'static str = "hash.keys";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Keys)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let fields = context.engine().hash_fields(context.namespace(), &self.0).await.map_err(refused(&self.0))?;
        Object::new(out)
            .names("keys", fields.iter().map(|field| &field[..]))
            .names("fields", fields.iter().map(|field| &field[..]))
            .number("count", fields.len() as u64)
            .name("key", self.0.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `hash.vals`
#[derive(Debug)]
struct Vals(Key);

impl Command for Vals {
    const NAME: &'static str = "hash.vals";
    const ALIASES: &'static [&'static str] = &["hash.values"];
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Vals)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let values = context.engine().hash_values(context.namespace(), &self.0).await.map_err(refused(&self.0))?;
        Object::new(out)
            .jsons("values", values.iter().map(Some))
            .number("count", values.len() as u64)
            .name("key", self.0.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `hash.len`
#[derive(Debug)]
struct Len(Key);

impl Command for Len {
    const NAME: &'static str = "hash.len";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Len)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let length = context.engine().hash_len(context.namespace(), &self.0).map_err(refused(&self.0))?;
        Object::new(out).number("length", length).name("key", self.0.as_bytes()).close();
        Ok(Done::Ok)
    }
}
