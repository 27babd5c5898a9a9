//! Writing one value.

use manifold_engine::kv::{Expires, Put, Swapped, When};

use super::{ACTOR, json_value, refused, seconds_of, write_found};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

/// A hundred years in seconds.
pub(in crate::dialects::synap) const MOST_TTL: i64 = 3_153_600_000;

/// `kv.set`
#[derive(Debug)]
pub(in crate::dialects::synap) struct Set {
    pub(in crate::dialects::synap) put: Put,
}

impl Set {
    /// Writes the value unless its condition fails; either way tells what was there.
    pub(in crate::dialects::synap) async fn swap(self, context: &Context<'_>) -> Result<Swapped, Error> {
        let key = self.put.key.clone();
        let done = context.engine().swap(context.namespace(), self.put).await.map_err(refused(&key))?;
        context.synap.metrics.values.sets.add(done.written.is_some().into());
        Ok(done)
    }
}

impl Command for Set {
    const NAME: &'static str = "kv.set";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

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
        let done = self.swap(context).await?;
        Object::new(out)
            .name("key", key.as_bytes())
            .flag("success", done.written.is_some())
            .value("previous", done.previous.as_ref())
            .close();
        Ok(Done::Ok)
    }
}

/// `kv.getset`
#[derive(Debug)]
pub(super) struct GetSet(Set);

impl Command for GetSet {
    const NAME: &'static str = "kv.getset";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, value] = payload.members(&["key", "value"])?;
        let key = payload::key(key, "key")?;
        let value = json_value(payload::any(value, "value")?);
        Ok(GetSet(Set { put: Put { key, value, expires: Expires::Never, when: When::Always, actor: ACTOR } }))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let done = self.0.swap(context).await?;
        write_found(out, done.previous.as_ref());
        Ok(Done::Ok)
    }
}
