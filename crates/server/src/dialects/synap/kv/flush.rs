//! Removing all keys, which the configuration must allow.

use super::ACTOR;
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done},
    error::Error,
    object::Object,
    payload::Payload,
};

/// `kv.flushdb`
#[derive(Debug)]
pub(super) struct FlushDb;

impl Command for FlushDb {
    const NAME: &'static str = "kv.flushdb";
    const ROLE: Role = Role::Admin;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(FlushDb)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        flush(context, Self::NAME, out).await
    }
}

/// `kv.flushall`: there is one database, so it is the same.
#[derive(Debug)]
pub(super) struct FlushAll;

impl Command for FlushAll {
    const NAME: &'static str = "kv.flushall";
    const ROLE: Role = Role::Admin;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(FlushAll)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        flush(context, Self::NAME, out).await
    }
}

async fn flush(context: &Context<'_>, command: &'static str, out: &mut Vec<u8>) -> Result<Done, Error> {
    if !context.synap.allow_flush_commands {
        return Err(Error::FlushDisabled(command));
    }
    tracing::warn!(ip = %context.caller.ip, command, "asked to remove all keys");
    let flushed = context.engine().key_clear(context.namespace(), &ACTOR).await?;
    Object::new(out).number("flushed", flushed).close();
    Ok(Done::Ok)
}
