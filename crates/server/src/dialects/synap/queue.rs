//! Queues: what producers and consumers do.

use std::{hash::BuildHasher, time::Duration};

use bytes::Bytes;
use manifold_engine::{
    kv::{Encoding, Value},
    queue::{Consumer, Delivery, Dequeue, Enqueue, LetterDeed, Nack as GiveBack, NackTo, QueueName},
};
use tokio::time::Instant;

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, Thing},
    kv::json_value,
    object::{self, Object},
    payload::{self, Payload},
    queue_name::{MessageId, Target, id},
};
use crate::http::json;

/// The highest priority; a higher one counts as this.
pub(super) const MOST_PRIORITY: i64 = 9;
/// Most deliveries after the first one.
pub(super) const MOST_RETRIES: i64 = 1000;
/// Longest lease in seconds.
pub(super) const MOST_LEASE: i64 = 86_400;
/// Longest wait in seconds.
const MOST_WAIT: i64 = 300;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Publish>(), line::<Consume>(), line::<Ack>(), line::<Nack>()];

/// `queue.publish`
#[derive(Debug)]
pub(super) struct Publish {
    queue: QueueName,
    message: Value,
    priority: Option<i64>,
    headers: Bytes,
    max_retries: Option<i64>,
}

impl Command for Publish {
    const NAME: &'static str = "queue.publish";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name, message, body, priority, headers, max_retries] =
            payload.members(&["queue", "name", "message", "payload", "priority", "headers", "max_retries"])?;
        let queue = Target::read(queue, name)?.queue()?;
        let message = match (message, body) {
            (None, Some(body)) => sdk_body(body),
            (message, _) => json_value(payload::any(message, "message")?),
        };
        let priority = payload::clamped(priority, "priority", MOST_PRIORITY)?;
        let headers = payload::strings(headers, "headers")?.map_or_else(Bytes::new, |raw| payload::bytes(raw.get()));
        let max_retries = payload::integer(max_retries, "max_retries", 0, MOST_RETRIES)?;
        Ok(Publish { queue, message, priority, headers, max_retries })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Publish { queue, message, priority, headers, max_retries } = self;
        let enqueue = Enqueue {
            payload: message,
            headers,
            priority,
            delay: Duration::ZERO,
            dedup_key: None,
            max_attempts: max_retries.map(attempts),
            settings: context.synap.queues,
        };
        let done = context.engine().queue_enqueue(context.namespace(), &queue, enqueue).await;
        let done = done.map_err(Error::of(Thing::Queue, queue.as_bytes()))?;
        Object::new(out).text("message_id", &id(done.sequence)).number_or_null("position", done.position).close();
        Ok(Done::Ok)
    }
}

/// `queue.consume`
#[derive(Debug)]
pub(super) struct Consume {
    target: Target,
    wait: Duration,
    lease: Option<Duration>,
    /// Asked for with a consumer's name, as published clients do, who want the message in a form of their own.
    consumer: Option<String>,
}

impl Command for Consume {
    const NAME: &'static str = "queue.consume";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name, timeout, ack_deadline, consumer] =
            payload.members(&["queue", "name", "timeout", "ack_deadline", "consumer_id"])?;
        let target = Target::read(queue, name)?;
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let wait = payload::integer(timeout, "timeout", 0, MOST_WAIT)?.map_or(Duration::ZERO, seconds);
        let lease = payload::integer(ack_deadline, "ack_deadline", 1, MOST_LEASE)?.map(seconds);
        let consumer = payload::optional_text(consumer, "consumer_id")?.map(|text| text.into_owned());
        Ok(Consume { target, wait, lease, consumer })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Consume { target, wait, lease, consumer } = self;
        let left = context.until.map(|until| until.saturating_duration_since(Instant::now()));
        let wait = left.map_or(wait, |left| wait.min(left));
        let who = Some(who(context, consumer.as_deref()));
        let take = async |wait| {
            let dequeue = Dequeue { count: 1, max_bytes: 0, lease, wait, consumer: who };
            let (engine, namespace) = (context.engine(), context.namespace());
            match &target {
                Target::Queue(queue) => engine.queue_dequeue(namespace, queue, dequeue).await,
                Target::Letters(queue) => engine.queue_take_letters(namespace, queue, dequeue).await,
            }
        };
        let mut taken = take(Duration::ZERO).await?;
        // Who only might have waited is answered in its turn; on a socket, who does wait lets others go first.
        if taken.is_empty() && !wait.is_zero() {
            let _waiting = context.place.wait()?;
            let taking = context.synap.unless_stopping(take(wait));
            let late = tokio::select! {
                biased;
                () = context.place.is_let_go() => None,
                taken = taking => taken,
            };
            taken = late.transpose()?.unwrap_or_default();
        }
        let delivery = taken.first();
        match consumer {
            None => write_delivery(out, delivery),
            Some(_) => write_sdk_delivery(out, delivery),
        }
        Ok(delivery.map_or(Done::Ok, |delivery| Done::Handed(target.handed(delivery))))
    }
}

/// `queue.ack`
#[derive(Debug)]
pub(super) struct Ack {
    target: Target,
    message: MessageId,
}

impl Command for Ack {
    const NAME: &'static str = "queue.ack";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name, message_id] = payload.members(&["queue", "name", "message_id"])?;
        Ok(Ack { target: Target::read(queue, name)?, message: MessageId::read(message_id)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Ack { target, message } = self;
        let (engine, namespace) = (context.engine(), context.namespace());
        let done = match &target {
            Target::Queue(queue) => engine.queue_ack(namespace, queue, message.held()).await,
            Target::Letters(queue) => {
                engine.queue_settle_letters(namespace, queue, message.held(), LetterDeed::Ack).await
            }
        };
        if done.map_err(target.refused())?.done == 0 {
            return Err(message.not_found(&target));
        }
        Object::new(out).flag("success", true).close();
        Ok(Done::Ok)
    }
}

/// `queue.nack`
#[derive(Debug)]
pub(super) struct Nack {
    target: Target,
    message: MessageId,
    requeue: bool,
}

impl Command for Nack {
    const NAME: &'static str = "queue.nack";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [queue, name, message_id, requeue] = payload.members(&["queue", "name", "message_id", "requeue"])?;
        let (target, message) = (Target::read(queue, name)?, MessageId::read(message_id)?);
        Ok(Nack { target, message, requeue: payload::flag(requeue, "requeue", true)? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Nack { target, message, requeue } = self;
        let (engine, namespace, messages) = (context.engine(), context.namespace(), message.held());
        let (done, action) = match &target {
            Target::Queue(queue) => {
                let to = if requeue { NackTo::Ready(Duration::ZERO) } else { NackTo::Dead };
                (engine.queue_nack(namespace, queue, GiveBack { messages, to }).await, "requeued")
            }
            Target::Letters(queue) => {
                let (deed, action) =
                    if requeue { (LetterDeed::Return, "requeued") } else { (LetterDeed::Discard, "discarded") };
                (engine.queue_settle_letters(namespace, queue, messages, deed).await, action)
            }
        };
        let done = done.map_err(target.refused())?;
        let action = match (done.done, done.dead) {
            (_, 1..) => "dead_lettered",
            (1.., 0) => action,
            (0, 0) => return Err(message.not_found(&target)),
        };
        Object::new(out).flag("success", true).text("action", action).close();
        Ok(Done::Ok)
    }
}

/// Deliveries of a message that may be retried so often.
pub(super) fn attempts(retries: i64) -> u32 {
    u32::try_from(retries).unwrap_or(u32::MAX).saturating_add(1)
}

/// A body as published clients send it: an array of bytes stands for them, anything else for itself.
fn sdk_body(raw: &json::RawValue) -> Value {
    match serde_json::from_str::<Vec<u8>>(raw.get()) {
        Ok(bytes) => Value { encoding: Encoding::Binary, bytes: bytes.into() },
        Err(_) => json_value(raw),
    }
}

/// Who asks: consumers are told from each other by their names, else by their addresses.
fn who(context: &Context<'_>, consumer: Option<&str>) -> Consumer {
    let numbers = &context.synap.consumers;
    match consumer {
        Some(name) => Consumer::Named(numbers.hash_one(name)),
        None => Consumer::Origin(numbers.hash_one(context.caller.ip)),
    }
}

fn write_delivery(out: &mut Vec<u8>, delivery: Option<&Delivery>) {
    let Some(Delivery { message, .. }) = delivery else {
        let object = Object::new(out).null("message_id").null("message").null("priority");
        return object.null("retry_count").null("headers").close();
    };
    Object::new(out)
        .text("message_id", &id(message.sequence))
        .with("message", |out| object::write_body(out, &message.payload))
        .signed("priority", message.priority)
        .number("retry_count", message.attempts.saturating_sub(1).into())
        .with("headers", |out| write_headers(out, &message.headers))
        .close();
}

fn write_sdk_delivery(out: &mut Vec<u8>, delivery: Option<&Delivery>) {
    let Some(Delivery { message, .. }) = delivery else { return Object::new(out).null("message").close() };
    let write = |out: &mut Vec<u8>| {
        Object::new(out)
            .text("id", &id(message.sequence))
            .with("payload", |out| object::write_text_bytes(out, &message.payload))
            .signed("priority", message.priority)
            .number("retry_count", message.attempts.saturating_sub(1).into())
            .number("max_retries", message.max_attempts.saturating_sub(1).into())
            .with("headers", |out| write_headers(out, &message.headers))
            .close();
    };
    Object::new(out).with("message", write).close();
}

/// Headers are kept as the JSON they came as.
fn write_headers(out: &mut Vec<u8>, headers: &Bytes) {
    out.extend_from_slice(if headers.is_empty() { b"{}" } else { headers });
}
