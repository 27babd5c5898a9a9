//! Publish and subscribe. Somebody subscribes with the connection that stays, if there is one, and else by a registration
//! that only says so.

use bytes::Bytes;
use manifold_engine::{
    Timestamp,
    pubsub::{self, Pattern, Topic},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    envelope::Id,
    error::{Error, Thing},
    object::Object,
    payload::{self, Member, Payload},
};
use crate::http::json::{self, RawValue};

/// Most patterns of one request.
pub(super) const MOST_PATTERNS: usize = 1000;
/// Longest name of a subscriber in bytes.
const ID_BYTES: usize = 256;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] =
    &[line::<Publish>(), line::<Subscribe>(), line::<Unsubscribe>(), line::<Topics>(), line::<Stats>(), line::<Info>()];

/// `pubsub.publish`
#[derive(Debug)]
pub(super) struct Publish {
    topic: Topic,
    message: Bytes,
    metadata: Bytes,
}

impl Command for Publish {
    const NAME: &'static str = "pubsub.publish";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [topic, message, body, data, metadata, headers] =
            payload.members(&["topic", "message", "payload", "data", "metadata", "headers"])?;
        let topic = payload::topic(topic)?;
        let message = payload::any(message.or(body).or(data), "message")?;
        let metadata = metadata_of(json::given(metadata).or(headers))?;
        Ok(Publish { topic, message: payload::bytes(message.get()), metadata })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Publish { topic, message, metadata } = self;
        let publish = pubsub::Publish { topic: topic.clone(), payload: message, headers: metadata };
        let done = context.engine().publish(publish)?;
        Object::new(out)
            .number("subscribers_notified", done.notified as u64)
            .text("message_id", &format!("msg_{:x}", done.id))
            .name("topic", topic.as_bytes())
            .number("subscribers_matched", done.matched as u64)
            .close();
        Ok(Done::Ok)
    }
}

/// `pubsub.subscribe`
#[derive(Debug)]
pub(super) struct Subscribe {
    patterns: Vec<Pattern>,
    /// The name of a registration, if it is given one.
    id: Option<Bytes>,
}

impl Command for Subscribe {
    const NAME: &'static str = "pubsub.subscribe";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [topics, id] = payload.members(&["topics", "subscriber_id"])?;
        let patterns = patterns(payload::required(topics, "topics")?)?;
        if patterns.is_empty() {
            return Err(Error::field("topics", "must not be empty"));
        }
        Ok(Subscribe { patterns, id: subscriber(id)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Subscribe { patterns, id } = self;
        let names = patterns.iter().map(Pattern::as_bytes);
        if let Some(socket) = context.socket {
            let count = socket.join_topics(&patterns)?;
            Object::new(out)
                .flag("subscribed", true)
                .names("topics", names)
                .number("subscription_count", count as u64)
                .text("subscriber_id", socket.id())
                .close();
            return Ok(Done::Subscribed);
        }
        let id = id.unwrap_or_else(|| payload::bytes(Id::fresh().as_str()));
        let count = context.engine().register(&id, &patterns)?;
        Object::new(out)
            .name("subscriber_id", &id)
            .names("topics", names)
            .number("subscription_count", count as u64)
            .close();
        Ok(Done::Ok)
    }
}

/// `pubsub.unsubscribe`
#[derive(Debug)]
pub(super) struct Unsubscribe {
    /// The name of the registration, without which only a connection can be meant.
    id: Option<Bytes>,
    /// Judged after that.
    patterns: Result<Option<Vec<Pattern>>, Error>,
}

impl Command for Unsubscribe {
    const NAME: &'static str = "pubsub.unsubscribe";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [id, topics] = payload.members(&["subscriber_id", "topics"])?;
        Ok(Unsubscribe { id: subscriber(id)?, patterns: json::given(topics).map(patterns).transpose() })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Unsubscribe { id, patterns } = self;
        let gone = match context.socket {
            Some(socket) => socket.leave_topics(patterns?.as_deref()),
            None => {
                let id = id.ok_or(Error::Missing("subscriber_id".into()))?;
                context.engine().unregister(&id, patterns?.as_deref())?
            }
        };
        Object::new(out).number("unsubscribed", gone as u64).close();
        Ok(Done::Ok)
    }
}

/// `pubsub.topics`
#[derive(Debug)]
pub(super) struct Topics(Option<Pattern>);

impl Command for Topics {
    const NAME: &'static str = "pubsub.topics";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [pattern] = payload.members(&["pattern"])?;
        json::given(pattern).map(|raw| payload::pattern(raw, "pattern")).transpose().map(Topics)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let topics = context.engine().topics(self.0.as_ref())?;
        let names = topics.iter().map(Topic::as_bytes);
        Object::new(out).names("topics", names).number("count", topics.len() as u64).close();
        Ok(Done::Ok)
    }
}

/// `pubsub.stats`
#[derive(Debug)]
pub(super) struct Stats;

impl Command for Stats {
    const NAME: &'static str = "pubsub.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Stats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let stats = context.engine().pubsub_stats()?;
        Object::new(out)
            .number("total_topics", stats.topics as u64)
            .number("total_subscribers", stats.subscribers as u64)
            .number("total_wildcard_subscriptions", stats.wildcards as u64)
            .number("messages_published", stats.published_total)
            .number("messages_delivered", stats.delivered_total)
            .number("slow_consumers_dropped", stats.slow_total)
            .close();
        Ok(Done::Ok)
    }
}

/// `pubsub.info`
#[derive(Debug)]
pub(super) struct Info(Topic);

impl Command for Info {
    const NAME: &'static str = "pubsub.info";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [topic] = payload.members(&["topic"])?;
        payload::topic(topic).map(Info)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let absent = || Error::Absent(Thing::Topic, self.0.as_bytes().to_vec());
        let info = context.engine().topic(&self.0)?.ok_or_else(absent)?;
        let Timestamp(created_at) = info.created_at;
        Object::new(out)
            .name("topic", self.0.as_bytes())
            .number("subscriber_count", info.subscribers as u64)
            .number("message_count", info.messages)
            .number("created_at", created_at)
            .close();
        Ok(Done::Ok)
    }
}

/// Patterns, each with its place in the list.
fn patterns(raw: &RawValue) -> Result<Vec<Pattern>, Error> {
    let found = payload::elements(raw, "topics", "must be an array of strings", MOST_PATTERNS)?;
    found.iter().enumerate().map(|(at, raw)| payload::pattern(raw, format!("topics[{at}]"))).collect()
}

fn subscriber(member: Member<'_>) -> Result<Option<Bytes>, Error> {
    let text = payload::optional_text(member, "subscriber_id")?;
    text.map(|text| payload::short(&text, "subscriber_id", ID_BYTES)).transpose()
}

/// Metadata is handed on as the JSON it came as.
pub(super) fn metadata_of(member: Member<'_>) -> Result<Bytes, Error> {
    Ok(payload::strings(member, "metadata")?.map_or_else(Bytes::new, |raw| payload::bytes(raw.get())))
}
