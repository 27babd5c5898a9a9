//! Queues as a whole.

use manifold_engine::{
    Timestamp,
    queue::{self, Created, LetterStats, Named, PurgeLetters, QueueName},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    object::Object,
    payload::{self, Member, Payload},
    queue::{MOST_LEASE, MOST_PRIORITY, MOST_RETRIES, attempts},
    queue_name::{Target, letters_of},
};
use crate::http::json;

const MOST_DEPTH: i64 = 10_000_000;
/// Most messages that a consumer may be allowed to hold.
const MOST_HELD: i64 = 10_000;

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
        const MEMBERS: [&str; 5] =
            ["max_depth", "ack_deadline_secs", "default_max_retries", "default_priority", "prefetch_limit"];
        let [queue, name, config] = payload.members(&["queue", "name", "config"])?;
        let queue = Target::read(queue, name)?.queue()?;
        // Members beside the name mean the same, and less than those of the object.
        let beside = payload.members(&MEMBERS)?;
        let within = match json::given(config) {
            None => [None; 5],
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
        let [queue, name] = payload.members(&["queue", "name"])?;
        Target::read(queue, name).map(Delete)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let (engine, namespace) = (context.engine(), context.namespace());
        let deleted = match &self.0 {
            Target::Queue(queue) => engine.queue_delete(namespace, queue).await?,
            Target::Letters { queue, .. } => {
                match engine.queue_purge_letters(namespace, queue, PurgeLetters::All).await.map_err(self.0.refused()) {
                    Ok(_) => true,
                    Err(Error::Absent(..)) => false,
                    Err(error) => return Err(error),
                }
            }
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
        let [queue, name] = payload.members(&["queue", "name"])?;
        Target::read(queue, name).map(Purge)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let (engine, namespace) = (context.engine(), context.namespace());
        let purged = match &self.0 {
            Target::Queue(queue) => engine.queue_purge(namespace, queue).await,
            Target::Letters { queue, .. } => engine.queue_purge_letters(namespace, queue, PurgeLetters::NotHeld).await,
        };
        let purged = purged.map_err(self.0.refused())?;
        Object::new(out).flag("success", true).number("purged", purged).close();
        Ok(Done::Ok)
    }
}

/// `queue.stats`
#[derive(Debug)]
pub(super) struct Stats(Target);

impl Command for Stats {
    const NAME: &'static str = "queue.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name] = payload.members(&["queue", "name"])?;
        Target::read(queue, name).map(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let (engine, namespace) = (context.engine(), context.namespace());
        let found = match &self.0 {
            Target::Queue(queue) => engine.queue_stats(namespace, queue).await.map(Counts::from),
            Target::Letters { queue, .. } => engine.queue_letter_stats(namespace, queue).await.map(Counts::from),
        };
        found.map_err(self.0.refused())?.write(out, self.0.name(), engine.now());
        Ok(Done::Ok)
    }
}

/// What is told of a queue, or of dead letters as a queue of their own.
#[derive(Debug)]
struct Counts {
    ready: u64,
    consumers: u64,
    published: u64,
    consumed: u64,
    acked: u64,
    nacked: u64,
    dead_lettered: u64,
    /// When the oldest ready message was published.
    oldest: Option<Timestamp>,
}

impl From<queue::Stats> for Counts {
    fn from(stats: queue::Stats) -> Self {
        Counts {
            ready: stats.ready,
            consumers: stats.consumers,
            published: stats.enqueued_total,
            consumed: stats.delivered_total,
            acked: stats.acked_total,
            nacked: stats.returned_total,
            dead_lettered: stats.dead_total,
            oldest: stats.oldest,
        }
    }
}

impl From<LetterStats> for Counts {
    fn from(stats: LetterStats) -> Self {
        Counts {
            ready: stats.ready,
            consumers: stats.consumers,
            published: stats.arrived_total,
            consumed: stats.delivered_total,
            acked: stats.acked_total,
            nacked: stats.returned_total,
            // What is dead does not die again.
            dead_lettered: 0,
            oldest: stats.oldest,
        }
    }
}

impl Counts {
    fn write(&self, out: &mut Vec<u8>, name: &QueueName, Timestamp(now): Timestamp) {
        let Counts { ready, consumers, published, consumed, acked, nacked, dead_lettered, oldest } = *self;
        let age_secs = oldest.map_or(0, |Timestamp(at)| now.saturating_sub(at) / 1000);
        Object::new(out)
            .name("queue", name.as_bytes())
            .number("depth", ready)
            .number("consumers", consumers)
            .number("published_total", published)
            .number("consumed_total", consumed)
            .number("acked_total", acked)
            .number("oldest_message_age_secs", age_secs)
            .number("nacked_total", nacked)
            .number("dead_lettered_total", dead_lettered)
            .number("published", published)
            .number("consumed", consumed)
            .number("acked", acked)
            .number("nacked", nacked)
            .number("dead_lettered", dead_lettered)
            .close();
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
        let (engine, namespace) = (context.engine(), context.namespace());
        let queues = engine.queue_list(namespace).await?;
        let mut names: Vec<Vec<u8>> = queues.iter().map(|queue| queue.as_bytes().to_vec()).collect();
        names.extend(engine.queue_list_with_letters(namespace).await?.iter().map(letters_of));
        names.sort_unstable();
        // Another dialect may have a queue of that name.
        names.dedup();
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

fn named<'a>(member: impl Fn(usize) -> Member<'a>) -> Result<Named, Error> {
    let max_depth = payload::integer(member(0), "config.max_depth", 1, MOST_DEPTH)?;
    let lease = payload::integer(member(1), "config.ack_deadline_secs", 1, MOST_LEASE)?;
    let retries = payload::integer(member(2), "config.default_max_retries", 0, MOST_RETRIES)?;
    let priority = payload::clamped(member(3), "config.default_priority", MOST_PRIORITY)?;
    let held = payload::integer(member(4), "config.prefetch_limit", 0, MOST_HELD)?;
    Ok(Named {
        max_depth: max_depth.map(i64::unsigned_abs),
        max_attempts: retries.map(attempts),
        lease: lease.map(|seconds| std::time::Duration::from_secs(seconds.unsigned_abs())),
        max_held: held.map(|held| Some(held.unsigned_abs()).filter(|held| *held > 0)),
        default_priority: priority,
    })
}
