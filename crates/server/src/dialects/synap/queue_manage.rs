//! Queues as a whole.

use std::time::Duration;

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
/// Members of a queue's configuration.
const BESIDE: [&str; 5] =
    ["max_depth", "ack_deadline_secs", "default_max_retries", "default_priority", "prefetch_limit"];
/// What errors call them inside of `config`.
const WITHIN: [&str; BESIDE.len()] = [
    "config.max_depth",
    "config.ack_deadline_secs",
    "config.default_max_retries",
    "config.default_priority",
    "config.prefetch_limit",
];
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
        let [queue, name, config] = payload.members(&["queue", "name", "config"])?;
        let queue = Target::read(queue, name)?.queue()?;
        // Members beside the name mean the same, and less than those of the object.
        let beside = payload.members(&BESIDE)?;
        let within = match json::given(config) {
            None => [None; BESIDE.len()],
            Some(raw) if raw.get().starts_with('{') => Payload(Some(raw)).members(&BESIDE)?,
            Some(_) => return Err(Error::field("config", "must be an object")),
        };
        let member = |at: usize| match json::given(within[at]) {
            None => (beside[at], BESIDE[at]),
            within => (within, WITHIN[at]),
        };
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
            Target::Letters(queue) => {
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
            Target::Letters(queue) => engine.queue_purge_letters(namespace, queue, PurgeLetters::NotHeld).await,
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
            Target::Letters(queue) => engine.queue_letter_stats(namespace, queue).await.map(Counts::from),
        };
        found.map_err(self.0.refused())?.write(out, &self.0.name(), engine.now());
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
    fn write(&self, out: &mut Vec<u8>, name: &[u8], Timestamp(now): Timestamp) {
        let Counts { ready, consumers, published, consumed, acked, nacked, dead_lettered, oldest } = *self;
        let age_secs = oldest.map_or(0, |Timestamp(at)| now.saturating_sub(at) / 1000);
        Object::new(out)
            .name("queue", name)
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

/// Dead letters of queues that are no more, besides those of `living`.
pub(super) async fn letters_left(context: &Context<'_>, living: &[(QueueName, queue::Stats)]) -> Result<u64, Error> {
    let (engine, namespace) = (context.engine(), context.namespace());
    let mut left = 0;
    for queue in engine.queue_list_with_letters(namespace).await? {
        // Both lists are sorted.
        if living.binary_search_by(|(living, _)| living.cmp(&queue)).is_ok() {
            continue;
        }
        let stats = engine.queue_letter_stats(namespace, &queue).await;
        let stats = stats.map_err(Error::of(Thing::Queue, queue.as_bytes()))?;
        left += stats.ready + stats.leased;
    }
    Ok(left)
}

/// The configuration that is named; `member` gives one and what errors call it.
fn named<'a>(member: impl Fn(usize) -> (Member<'a>, &'static str)) -> Result<Named, Error> {
    let integer = |at, least, most| {
        let (raw, name) = member(at);
        payload::integer(raw, name, least, most)
    };
    let max_depth = integer(0, 1, MOST_DEPTH)?;
    let lease = integer(1, 1, MOST_LEASE)?;
    let retries = integer(2, 0, MOST_RETRIES)?;
    let (priority, name) = member(3);
    let default_priority = payload::clamped(priority, name, MOST_PRIORITY)?;
    let held = integer(4, 0, MOST_HELD)?;
    Ok(Named {
        max_depth: max_depth.map(i64::unsigned_abs),
        max_attempts: retries.map(attempts),
        // 0 says that there is no bound.
        max_held: held.map(|held| Some(held.unsigned_abs()).filter(|held| *held > 0)),
        lease: lease.map(|seconds| Duration::from_secs(seconds.unsigned_abs())),
        default_priority,
    })
}
