//! Counting up and down.

use manifold_engine::{
    Key,
    kv::{Increment, Incremented},
};

use super::{ACTOR, refused};
use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

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
        match done.map_err(refused(&key))? {
            Incremented::To(sum) => Object::new(out).signed("value", sum).close(),
            Incremented::Overflow => return Err(Error::overflow()),
            Incremented::NotAnInteger => {
                let key = String::from_utf8_lossy(key.as_bytes());
                return Err(Error::Payload(format!("Value of key '{key}' is not an integer")));
            }
        }
        context.synap.metrics.values.sets.inc();
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

fn read_amount(payload: Payload<'_>) -> Result<(Key, i64), Error> {
    let [key, amount] = payload.members(&["key", "amount"])?;
    let key = payload::key(key, "key")?;
    Ok((key, payload::integer(amount, "amount", i64::MIN, i64::MAX)?.unwrap_or(1)))
}
