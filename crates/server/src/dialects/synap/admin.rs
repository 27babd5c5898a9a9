//! The server itself: what it holds, how it is, its end; and what it says about replicas, of which it has none.

use hyper::StatusCode;
use manifold_engine::State;

use super::{
    Synap,
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::{self, Payload},
    queue_manage, stream,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// There is one node, and it decides.
const ROLE: &str = "master";

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[
    line::<Stats>(),
    line::<Config>(),
    line::<Health>(),
    line::<Shutdown>(),
    line::<ReplicationStatus>(),
    line::<Promote>(),
    line::<Resync>(),
];

/// `admin.stats`
#[derive(Debug)]
pub(super) struct Stats;

impl Command for Stats {
    const NAME: &'static str = "admin.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Synap { metrics, memory_limit_bytes, .. } = context.synap;
        let queues = queue_manage::all(context).await?;
        let rooms = stream::all(context).await?;
        let pubsub = context.engine().pubsub_stats()?;
        let stats = context.engine().stats();
        let messages: u64 = queues.iter().map(|(_, queue)| queue.ready + queue.leased + queue.dead).sum();
        let messages = messages + queue_manage::letters_left(context, &queues).await?;
        let total_keys = context.engine().key_total(context.namespace())?;
        let server = |out: &mut Vec<u8>| {
            let object = Object::new(out).text("version", VERSION);
            object.number("uptime_secs", metrics.uptime_seconds()).text("role", ROLE).close();
        };
        Object::new(out)
            .with("server", server)
            .with("memory", |out| {
                let object = Object::new(out).number("used_bytes", stats.accounted_bytes);
                object.number("limit_bytes", *memory_limit_bytes).close();
            })
            .with("kv", |out| {
                let object = Object::new(out).number("total_keys", total_keys);
                object.number("operations_per_sec", metrics.kv_per_second()).close();
            })
            .with("queues", |out| {
                let object = Object::new(out).number("total_queues", queues.len() as u64);
                object.number("total_messages", messages).close();
            })
            .with("streams", |out| {
                let object = Object::new(out).number("total_rooms", rooms.len() as u64);
                object.number("total_subscribers", rooms.iter().map(|room| room.followers as u64).sum()).close();
            })
            .with("pubsub", |out| {
                let object = Object::new(out).number("total_topics", pubsub.topics as u64);
                object.number("total_subscribers", pubsub.subscribers as u64).close();
            })
            .close();
        Ok(Done::Ok)
    }
}

/// `admin.config`
#[derive(Debug)]
pub(super) struct Config;

impl Command for Config {
    const NAME: &'static str = "admin.config";
    const ROLE: Role = Role::Admin;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Config)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        out.extend_from_slice(context.synap.effective.as_bytes());
        Ok(Done::Ok)
    }
}

/// `admin.health`
#[derive(Debug)]
pub(super) struct Health;

impl Command for Health {
    const NAME: &'static str = "admin.health";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Health)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        write_health(context.synap, out);
        Ok(Done::Ok)
    }
}

/// `admin.shutdown`
#[derive(Debug)]
pub(super) struct Shutdown;

impl Command for Shutdown {
    const NAME: &'static str = "admin.shutdown";
    const ROLE: Role = Role::Admin;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Shutdown)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        tracing::info!(ip = %context.caller.ip, "asked to stop by a command");
        // The answer is part of what the drain waits for.
        context.synap.stop.notify_one();
        Object::new(out).flag("success", true).text("message", "Shutting down").close();
        Ok(Done::Ok)
    }
}

/// `replication.status`
#[derive(Debug)]
pub(super) struct ReplicationStatus;

impl Command for ReplicationStatus {
    const NAME: &'static str = "replication.status";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(ReplicationStatus)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        // What the log has is not known before it was read.
        if context.engine().state() == State::Starting {
            return Err(Error::Unavailable);
        }
        Object::new(out)
            .text("role", ROLE)
            .flag("enabled", false)
            .number("current_offset", context.engine().stats().store.durable_frame)
            .with("replicas", |out| out.extend_from_slice(b"[]"))
            .close();
        Ok(Done::Ok)
    }
}

/// `replication.promote`
#[derive(Debug)]
pub(super) struct Promote;

impl Command for Promote {
    const NAME: &'static str = "replication.promote";
    const ROLE: Role = Role::Admin;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [force] = payload.members(&["force"])?;
        payload::flag(force, "force", false).map(|_| Promote)
    }

    async fn run(self, _: &Context<'_>, _: &mut Vec<u8>) -> Result<Done, Error> {
        Err(Error::Replication("Server is already master"))
    }
}

/// `replication.resync`
#[derive(Debug)]
pub(super) struct Resync;

impl Command for Resync {
    const NAME: &'static str = "replication.resync";
    const ROLE: Role = Role::Admin;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Resync)
    }

    async fn run(self, _: &Context<'_>, _: &mut Vec<u8>) -> Result<Done, Error> {
        Err(Error::Replication("Server is master; resync applies to replicas"))
    }
}

/// Appends what GET `/health` says; with which status.
pub(super) fn write_health(synap: &Synap, out: &mut Vec<u8>) -> StatusCode {
    let (status, writes) = match synap.state() {
        State::Ready => ("healthy", true),
        State::DiskFull | State::Failed(_) => ("degraded", false),
        State::Starting => ("starting", false),
        State::Stopping => ("shutting_down", true),
    };
    let durable = if writes { "operational" } else { "degraded" };
    let components = |out: &mut Vec<u8>| {
        let object = Object::new(out).text("kv_store", durable).text("queue_system", durable);
        object.text("event_stream", durable).text("pubsub", "operational").text("replication", "operational").close();
    };
    Object::new(out)
        .text("status", status)
        .text("service", "synap")
        .text("version", VERSION)
        .text("role", ROLE)
        .number("uptime_secs", synap.metrics.uptime_seconds())
        .with("components", components)
        .close();
    if status == "healthy" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
