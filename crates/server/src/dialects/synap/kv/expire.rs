//! When keys go, whatever they hold.

use manifold_engine::{Key, kv::Expires};

use super::{ACTOR, absent, refused, seconds_of, seconds_until, set::MOST_TTL};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done},
    error::Error,
    key,
    object::Object,
    payload::{self, Payload},
};

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
        let seconds = payload::integer(ttl, "ttl", 0, MOST_TTL)?.ok_or(Error::Missing("ttl".into()))?;
        Ok(Expire { key, seconds })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Expire { key, seconds } = self;
        let expires = Expires::In(seconds_of(seconds));
        let before = context.engine().key_expire(context.namespace(), &key, expires, &ACTOR).await;
        let changed = before.map_err(refused(&key))?.is_some();
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
        payload.key().map(Persist)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let before = context.engine().key_expire(context.namespace(), &self.0, Expires::Never, &ACTOR).await;
        let changed = before.map_err(refused(&self.0))?.is_some_and(|before| before.expires_at.is_some());
        Object::new(out).flag("result", changed).flag("success", changed).close();
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
        payload.key().map(Ttl)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let deadline = key::info(context, &self.0)?.ok_or_else(|| absent(&self.0))?.expires_at;
        Object::new(out).number_or_null("ttl", seconds_until(context, deadline)).close();
        Ok(Done::Ok)
    }
}
