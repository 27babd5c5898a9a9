//! Reading one value.

use manifold_engine::{Key, kv::Entry};

use super::{refused, seconds_until, value_of, write_found};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done},
    config::Compat,
    error::Error,
    key,
    object::Object,
    payload::Payload,
};

/// `kv.get`
#[derive(Debug)]
pub(in crate::dialects::synap) struct Get(Key);

impl Command for Get {
    const NAME: &'static str = "kv.get";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Get)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let entry = find(context, &self.0)?;
        match context.shape {
            Compat::Document => Object::new(out)
                .flag("found", entry.is_some())
                .value("value", value_of(&entry))
                .number_or_null("ttl", seconds_until(context, entry.as_ref().and_then(|entry| entry.expires_at)))
                .close(),
            Compat::Sdk => write_found(out, value_of(&entry)),
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
        payload.key().map(Exists)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let exists = key::info(context, &self.0)?.is_some();
        Object::new(out).flag("exists", exists).close();
        Ok(Done::Ok)
    }
}

/// The value of a key; refused when it holds a collection.
pub(in crate::dialects::synap) fn find(context: &Context<'_>, key: &Key) -> Result<Option<Entry>, Error> {
    let found = context.engine().get_typed(context.namespace(), key).map_err(refused(key))?;
    context.synap.metrics.values.looked(found.is_some());
    Ok(found)
}
