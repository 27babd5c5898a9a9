//! Deleting keys, whatever they hold.

use manifold_engine::Key;

use super::ACTOR;
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done},
        error::Error,
        object::Object,
        payload::{self, Payload},
    },
    http::json,
};

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
        let deleted = delete(context, &self.keys).await?;
        match self.single {
            true => Object::new(out).flag("deleted", deleted > 0).close(),
            false => Object::new(out).number("deleted", deleted).close(),
        }
        Ok(Done::Ok)
    }
}

/// `kv.mdel`
#[derive(Debug)]
pub(super) struct MDel(Vec<Key>);

impl Command for MDel {
    const NAME: &'static str = "kv.mdel";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [keys] = payload.members(&["keys"])?;
        payload::keys(keys, "keys").map(MDel)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let deleted = delete(context, &self.0).await?;
        Object::new(out).number("deleted", deleted).close();
        Ok(Done::Ok)
    }
}

async fn delete(context: &Context<'_>, keys: &[Key]) -> Result<u64, Error> {
    let deleted = context.engine().key_delete(context.namespace(), keys, &ACTOR).await?;
    context.synap.metrics.values.dels.add(deleted);
    Ok(deleted)
}
