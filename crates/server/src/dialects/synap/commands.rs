//! The table of all commands. Requests over HTTP, elements of a batch and messages of a socket look their commands up
//! here, so none of them can know a command the others do not.

use std::{collections::HashMap, future::Future, sync::LazyLock};

use foldhash::fast::RandomState;
use futures_util::future::{self, BoxFuture};
use hyper::StatusCode;
use manifold_engine::{Engine, Namespace};
use tokio::time::Instant;

use super::{
    Synap,
    access::{Caller, Role},
    admin, collections,
    config::Compat,
    envelope::Item,
    error::Error,
    handed::Handed,
    key, kv,
    payload::Payload,
    place::Place,
    pubsub, queue, queue_manage, stream, stream_consume, stream_follow, stream_manage,
    ws::Connection,
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
    /// Whether in a batch its wait for the disk may be left to the end: it decides on what is written, and reads nothing
    /// that has to be durable first.
    const DEFERS: bool = false;
    /// Whether it needs a connection that stays.
    const NEEDS_SOCKET: bool = false;

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
    /// Events or messages follow the answer.
    Subscribed,
}

impl Done {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Done::Ok | Done::Handed(_) | Done::Subscribed => StatusCode::OK,
            Done::Created => StatusCode::CREATED,
        }
    }

    /// The message that the answer carries.
    pub(super) fn handed(self) -> Option<Handed> {
        match self {
            Done::Handed(handed) => Some(handed),
            Done::Ok | Done::Created | Done::Subscribed => None,
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
    /// The connection that stays, if the command came on one.
    pub(super) socket: Option<&'a Connection>,
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
    defers: bool,
    needs_socket: bool,
    run: Run,
}

/// The line of a command.
pub(super) const fn line<C: Command>() -> Line {
    Line {
        name: C::NAME,
        aliases: C::ALIASES,
        role: C::ROLE,
        defers: C::DEFERS,
        needs_socket: C::NEEDS_SOCKET,
        run: run::<C>,
    }
}

/// Commands that differ in a word: each is a type of its own which reads the one they share, and adds that word. Those
/// that write do so with one verb, which decides on what is written: their wait for the disk may be left to the end of a
/// batch.
macro_rules! spellings {
    ($shared:ident, $role:ident: $($command:ident = $name:literal ($($word:expr),+);)+) => {$(
        #[doc = concat!("`", $name, "`")]
        #[derive(Debug)]
        struct $command($shared);

        impl Command for $command {
            const NAME: &'static str = $name;
            const ROLE: Role = Role::$role;
            const DEFERS: bool = matches!(Role::$role, Role::ReadWrite);

            fn read(payload: Payload<'_>) -> Result<Self, Error> {
                $shared::read(payload, $($word),+).map($command)
            }

            async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
                self.0.run(context, out).await
            }
        }
    )+};
}
pub(super) use spellings;

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
    key::COMMANDS,
    queue_manage::COMMANDS,
    queue::COMMANDS,
    stream::COMMANDS,
    stream_manage::COMMANDS,
    stream_consume::COMMANDS,
    stream_follow::COMMANDS,
    pubsub::COMMANDS,
    collections::hash::COMMANDS,
    collections::hash_read::COMMANDS,
    collections::list::COMMANDS,
    collections::list_read::COMMANDS,
    collections::set::COMMANDS,
    collections::set_combine::COMMANDS,
    collections::sorted_set::COMMANDS,
    collections::sorted_set_read::COMMANDS,
    collections::sorted_set_combine::COMMANDS,
    collections::stats::COMMANDS,
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

/// Everything that a command can be called.
pub(super) fn all_names() -> impl Iterator<Item = &'static str> {
    all().flat_map(Line::names)
}

/// A command that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The place of its counters.
    at: usize,
    line: &'static Line,
}

/// The command of this name.
pub(super) fn find(name: &str) -> Result<Known, Error> {
    let found = BY_NAME.get(name).map(|&(at, line)| Known { at, line });
    found.ok_or_else(|| Error::UnknownCommand(name.to_owned()))
}

/// Whether the wait of a command for the disk may be left to the end of its batch. One that there is not has none.
pub(super) fn defers(item: &Item<'_>) -> bool {
    find(&item.command).map_or(true, |known| known.line.defers)
}

/// A command that clients cannot name. It counts as the one of the table that has its name, if there is one.
pub(super) fn spelled(line: &'static Line) -> Known {
    let at = BY_NAME.get(line.name).map_or(usize::MAX, |(at, _)| *at);
    Known { at, line }
}

impl Known {
    /// Whether somebody may run it.
    pub(super) fn permit(self, caller: Caller) -> Result<(), Error> {
        if caller.role < self.line.role { Err(Error::Forbidden(self.line.name)) } else { Ok(()) }
    }

    /// Runs it, from its payload to its answer.
    pub(super) async fn run(
        self,
        context: &Context<'_>,
        payload: Payload<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Done, Error> {
        let start = out.len();
        let done = (self.line.run)(context, payload, out).await;
        context.synap.metrics.command(self.at, done.is_ok());
        done.map_err(|error| {
            out.truncate(start);
            error.settle(&context.engine().state())
        })
    }
}

/// Runs one command, from its name to its answer.
pub(super) async fn execute(context: &Context<'_>, item: &Item<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
    let known = find(&item.command)?;
    if known.line.needs_socket && context.socket.is_none() {
        return Err(Error::NeedsSocket(known.line.name));
    }
    let payload = item.payload()?;
    known.permit(context.caller)?;
    known.run(context, payload, out).await
}
