//! Queues as a whole. A name that ends in `.dlq` means the dead letters of the queue before it.

use manifold_engine::{
    Timestamp,
    queue::{self, Created, Named, QueueName},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::Object,
    payload::{self, Member, Payload},
    queue::{DEAD, MOST_LEASE, MOST_PRIORITY, MOST_RETRIES, attempts, living, queue_name},
};
use crate::http::json;

const MOST_DEPTH: i64 = 10_000_000;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] =
    &[line::<Create>(), line::<Delete>(), line::<Purge>(), line::<Stats>(), line::<List>()];

/// `queue.create`
#[derive(Debug)]
pub(super) struct Create {
    queue: QueueName,
    named: Named,
}

impl Command for Create {
    const NAME: &'static str = "queue.create";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        const MEMBERS: [&str; 4] = ["max_depth", "ack_deadline_secs", "default_max_retries", "default_priority"];
        let [queue, name, config] = payload.members(&["queue", "name", "config"])?;
        let queue = living(queue_name(queue, name)?)?;
        // Members beside the name mean the same, and less than those of the object.
        let beside = payload.members(&MEMBERS)?;
        let within = match json::given(config) {
            None => [None; 4],
            Some(raw) if raw.get().starts_with('{') => Payload(Some(raw)).members(&MEMBERS)?,
            Some(_) => return Err(Error::field("config", "must be an object")),
        };
        let member = |at: usize| json::given(within[at]).or(beside[at]);
        Ok(Create { queue, named: named(member)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Create { queue, named } = self;
        let done = context.engine().queue_create(context.namespace(), &queue, context.synap.queues, named).await;
        let done = done.map_err(Error::of(Thing::Queue, queue.as_bytes()))?;
        let created = done == Created::New;
        Object::new(out).flag("success", true).name("queue", queue.as_bytes()).flag("created", created).close();
        Ok(if created { Done::Created } else { Done::Ok })
    }
}

/// `queue.delete`
#[derive(Debug)]
pub(super) struct Delete(Target);

impl Command for Delete {
    const NAME: &'static str = "queue.delete";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        target(payload).map(Delete)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let deleted = match &self.0 {
            Target::Queue(queue) => context.engine().queue_delete(context.namespace(), queue).await?,
            Target::Dead { .. } => match self.0.purge(context).await {
                Ok(_) => true,
                Err(Error::Absent(..)) => false,
                Err(error) => return Err(error),
            },
        };
        Object::new(out).flag("success", deleted).flag("deleted", deleted).close();
        Ok(Done::Ok)
    }
}

/// `queue.purge`
#[derive(Debug)]
pub(super) struct Purge(Target);

impl Command for Purge {
    const NAME: &'static str = "queue.purge";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        target(payload).map(Purge)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let purged = self.0.purge(context).await?;
        Object::new(out).flag("success", true).number("purged", purged).close();
        Ok(Done::Ok)
    }
}

/// `queue.stats`
#[derive(Debug)]
pub(super) struct Stats(QueueName);

impl Command for Stats {
    const NAME: &'static str = "queue.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name] = payload.members(&["queue", "name"])?;
        living(queue_name(queue, name)?).map(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let stats = context.engine().queue_stats(context.namespace(), &self.0).await;
        let stats = stats.map_err(Error::of(Thing::Queue, self.0.as_bytes()))?;
        let queue::Stats { enqueued_total, delivered_total, acked_total, returned_total, dead_total, .. } = stats;
        let Timestamp(now) = context.engine().now();
        let age = stats.oldest.map_or(0, |Timestamp(at)| now.saturating_sub(at) / 1000);
        Object::new(out)
            .name("queue", self.0.as_bytes())
            .number("depth", stats.ready)
            .number("consumers", stats.consumers)
            .number("published_total", enqueued_total)
            .number("consumed_total", delivered_total)
            .number("acked_total", acked_total)
            .number("oldest_message_age_secs", age)
            .number("nacked_total", returned_total)
            .number("dead_lettered_total", dead_total)
            .number("published", enqueued_total)
            .number("consumed", delivered_total)
            .number("acked", acked_total)
            .number("nacked", returned_total)
            .number("dead_lettered", dead_total)
            .close();
        Ok(Done::Ok)
    }
}

/// `queue.list`
#[derive(Debug)]
pub(super) struct List;

impl Command for List {
    const NAME: &'static str = "queue.list";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(List)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let mut names = Vec::new();
        for (queue, stats) in all(context).await? {
            if stats.dead_total > 0 {
                names.push([queue.as_bytes(), DEAD].concat());
            }
            names.push(queue.as_bytes().to_vec());
        }
        names.sort_unstable();
        Object::new(out).names("queues", names.iter().map(Vec::as_slice)).close();
        Ok(Done::Ok)
    }
}

/// All queues with what they hold; one that is deleted meanwhile is left out.
pub(super) async fn all(context: &Context<'_>) -> Result<Vec<(QueueName, queue::Stats)>, Error> {
    let (engine, namespace) = (context.engine(), context.namespace());
    let mut found = Vec::new();
    for queue in engine.queue_list(namespace).await? {
        match engine.queue_stats(namespace, &queue).await.map_err(Error::of(Thing::Queue, queue.as_bytes())) {
            Ok(stats) => found.push((queue, stats)),
            Err(Error::Absent(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What a name means.
#[derive(Debug)]
enum Target {
    Queue(QueueName),
    Dead {
        /// As the client names it.
        name: QueueName,
        queue: QueueName,
    },
}

impl Target {
    /// Throws away what waits there; how much.
    async fn purge(&self, context: &Context<'_>) -> Result<u64, Error> {
        let (engine, namespace) = (context.engine(), context.namespace());
        match self {
            Target::Queue(queue) => {
                engine.queue_purge(namespace, queue).await.map_err(Error::of(Thing::Queue, queue.as_bytes()))
            }
            Target::Dead { name, queue } => {
                engine.queue_purge_dead(namespace, queue).await.map_err(Error::of(Thing::Queue, name.as_bytes()))
            }
        }
    }
}

fn target(payload: Payload<'_>) -> Result<Target, Error> {
    let [queue, name] = payload.members(&["queue", "name"])?;
    let name = queue_name(queue, name)?;
    let Some(before) = name.as_bytes().strip_suffix(DEAD) else { return Ok(Target::Queue(name)) };
    let queue = QueueName::new(before.to_vec());
    let queue = queue.map_err(|error| payload::name_rule(error, "queue", QueueName::MAX))?;
    Ok(Target::Dead { name, queue })
}

fn named<'a>(member: impl Fn(usize) -> Member<'a>) -> Result<Named, Error> {
    let max_depth = payload::integer(member(0), "config.max_depth", 1, MOST_DEPTH)?;
    let lease = payload::integer(member(1), "config.ack_deadline_secs", 1, MOST_LEASE)?;
    let retries = payload::integer(member(2), "config.default_max_retries", 0, MOST_RETRIES)?;
    let priority = payload::clamped(member(3), "config.default_priority", MOST_PRIORITY)?;
    Ok(Named {
        max_depth: max_depth.map(i64::unsigned_abs),
        max_attempts: retries.map(attempts),
        lease: lease.map(|seconds| std::time::Duration::from_secs(seconds.unsigned_abs())),
        default_priority: priority,
    })
}
