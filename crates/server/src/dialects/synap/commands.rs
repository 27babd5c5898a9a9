//! The table of all commands. Requests over HTTP, elements of a batch and messages of a socket look their commands up
//! here, so none of them can know a command the others do not.

use std::{collections::HashMap, future::Future, sync::LazyLock};

use foldhash::fast::RandomState;
use futures_util::future::{self, BoxFuture};
use manifold_engine::{Engine, Namespace};
use tokio::time::Instant;

use super::{
    Synap,
    access::{Caller, Role},
    admin,
    config::Compat,
    envelope::Item,
    error::Error,
    kv,
    payload::Payload,
    place::Place,
    pubsub, queue, queue_manage, scan, stream,
};

#[cfg(test)]
mod tests;

/// A command as its payload spells it.
pub(super) trait Command: Sized + Send + 'static {
    /// Its name: a component, a dot, an operation.
    const NAME: &'static str;
    /// Who may.
    const ROLE: Role;

    /// Reads its payload, member by member in the order of the contract.
    fn read(payload: Payload<'_>) -> Result<Self, Error>;

    /// Does it and appends the payload of the answer to `out`. What was appended before an error is dropped.
    fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> impl Future<Output = Result<Done, Error>> + Send;
}

/// A command that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Ok,
    /// Something is there now that was not.
    Created,
}

/// What a command runs in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) synap: &'a Synap,
    pub(super) caller: Caller,
    /// The form of the answer.
    pub(super) shape: Compat,
    /// Its place among the requests that are answered at one time.
    pub(super) place: &'a Place<'a>,
    /// Until when it may wait at most.
    pub(super) until: Option<Instant>,
}

impl<'a> Context<'a> {
    pub(super) fn engine(&self) -> &'a Engine {
        &self.synap.engine
    }

    pub(super) fn namespace(&self) -> &'a Namespace {
        &self.synap.namespace
    }
}

/// How a command is run, whatever its type.
type Run = for<'a> fn(&'a Context<'a>, Payload<'a>, &'a mut Vec<u8>) -> BoxFuture<'a, Result<Done, Error>>;

/// A line of the table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    role: Role,
    run: Run,
}

const fn entry<C: Command>() -> Entry {
    Entry { name: C::NAME, role: C::ROLE, run: run::<C> }
}

fn run<'a, C: Command>(
    context: &'a Context<'a>,
    payload: Payload<'a>,
    out: &'a mut Vec<u8>,
) -> BoxFuture<'a, Result<Done, Error>> {
    match C::read(payload) {
        Ok(command) => Box::pin(command.run(context, out)),
        Err(error) => Box::pin(future::ready(Err(error))),
    }
}

/// Every command.
static TABLE: [Entry; 40] = [
    entry::<kv::Set>(),
    entry::<kv::Get>(),
    entry::<kv::Del>(),
    entry::<kv::Exists>(),
    entry::<kv::Incr>(),
    entry::<kv::Decr>(),
    entry::<kv::Expire>(),
    entry::<kv::Ttl>(),
    entry::<scan::Scan>(),
    entry::<kv::MSet>(),
    entry::<kv::MGet>(),
    entry::<queue_manage::Create>(),
    entry::<queue_manage::Delete>(),
    entry::<queue::Publish>(),
    entry::<queue::Consume>(),
    entry::<queue::Ack>(),
    entry::<queue::Nack>(),
    entry::<queue_manage::Purge>(),
    entry::<queue_manage::Stats>(),
    entry::<queue_manage::List>(),
    entry::<stream::Publish>(),
    entry::<stream::History>(),
    entry::<stream::Rooms>(),
    entry::<stream::Stats>(),
    entry::<stream::Subscribe>(),
    entry::<stream::Unsubscribe>(),
    entry::<pubsub::Publish>(),
    entry::<pubsub::Subscribe>(),
    entry::<pubsub::Unsubscribe>(),
    entry::<pubsub::Topics>(),
    entry::<pubsub::Stats>(),
    entry::<pubsub::Info>(),
    entry::<admin::Stats>(),
    entry::<admin::Config>(),
    entry::<admin::Health>(),
    entry::<admin::Shutdown>(),
    entry::<admin::ReplicationStatus>(),
    entry::<admin::Promote>(),
    entry::<admin::Resync>(),
    entry::<kv::Persist>(),
];

/// Other names of commands.
const ALIASES: [(&str, &str); 3] = [("kv.delete", "kv.del"), ("kv.incrby", "kv.incr"), ("kv.decrby", "kv.decr")];

static BY_NAME: LazyLock<HashMap<&'static str, usize, RandomState>> = LazyLock::new(|| {
    let named = TABLE.iter().enumerate().map(|(at, entry)| (entry.name, at));
    let mut by_name: HashMap<_, _, _> = named.collect();
    for (alias, name) in ALIASES {
        let at = by_name[name];
        by_name.insert(alias, at);
    }
    by_name
});

/// The names of all commands, in the order of the table.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.name)
}

/// Runs one command, from its name to its answer.
pub(super) async fn execute(context: &Context<'_>, item: &Item<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
    let found = BY_NAME.get(item.command.as_ref()).copied();
    let at = found.ok_or_else(|| Error::UnknownCommand(item.command.to_string()))?;
    let entry = &TABLE[at];
    let payload = item.payload()?;
    if context.caller.role < entry.role {
        return Err(Error::Forbidden(entry.name));
    }
    let start = out.len();
    let done = (entry.run)(context, payload, out).await;
    context.synap.metrics.command(at, done.is_ok());
    done.map_err(|error| {
        out.truncate(start);
        error.settle(&context.engine().state())
    })
}
