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
    handed::Handed,
    kv,
    payload::Payload,
    place::Place,
    pubsub, queue, queue_manage, scan, stream, stream_consume, stream_manage,
};

#[cfg(test)]
mod tests;

/// A command as its payload spells it.
pub(super) trait Command: Sized + Send + 'static {
    /// Its name: a component, a dot, an operation.
    const NAME: &'static str;
    /// Other names it answers to.
    const ALIASES: &'static [&'static str] = &[];
    /// Who may.
    const ROLE: Role;

    /// Reads its payload, member by member in the order of the contract.
    fn read(payload: Payload<'_>) -> Result<Self, Error>;

    /// Does it and appends the payload of the answer to `out`. What was appended before an error is dropped.
    fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> impl Future<Output = Result<Done, Error>> + Send;
}

/// A command that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    Ok,
    /// The answer carries a message.
    Handed(Handed),
    /// Something is there now that was not.
    Created,
}

impl Done {
    /// The message that the answer carries.
    pub(super) fn handed(self) -> Option<Handed> {
        match self {
            Done::Handed(handed) => Some(handed),
            Done::Ok | Done::Created => None,
        }
    }
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
pub(super) struct Line {
    name: &'static str,
    aliases: &'static [&'static str],
    role: Role,
    run: Run,
}

/// The line of a command.
pub(super) const fn line<C: Command>() -> Line {
    Line { name: C::NAME, aliases: C::ALIASES, role: C::ROLE, run: run::<C> }
}

impl Line {
    /// All names it answers to.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
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

/// Every command, by component.
static TABLE: &[&[Line]] = &[
    kv::COMMANDS,
    scan::COMMANDS,
    queue_manage::COMMANDS,
    queue::COMMANDS,
    stream::COMMANDS,
    stream_manage::COMMANDS,
    stream_consume::COMMANDS,
    pubsub::COMMANDS,
    admin::COMMANDS,
];

static BY_NAME: LazyLock<HashMap<&'static str, (usize, &'static Line), RandomState>> = LazyLock::new(|| {
    let mut by_name = HashMap::default();
    for (at, line) in all().enumerate() {
        for name in line.names() {
            by_name.insert(name, (at, line));
        }
    }
    by_name
});

/// All commands, in the order of the table.
fn all() -> impl Iterator<Item = &'static Line> {
    TABLE.iter().copied().flatten()
}

/// The names of all commands, in the order of the table.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|line| line.name)
}

/// Runs one command, from its name to its answer.
pub(super) async fn execute(context: &Context<'_>, item: &Item<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
    let found = BY_NAME.get(item.command.as_ref()).copied();
    let (at, line) = found.ok_or_else(|| Error::UnknownCommand(item.command.to_string()))?;
    let payload = item.payload()?;
    if context.caller.role < line.role {
        return Err(Error::Forbidden(line.name));
    }
    let start = out.len();
    let done = (line.run)(context, payload, out).await;
    context.synap.metrics.command(at, done.is_ok());
    done.map_err(|error| {
        out.truncate(start);
        error.settle(&context.engine().state())
    })
}
