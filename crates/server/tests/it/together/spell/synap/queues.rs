//! Queues, and their dead letters as queues of their own.

use super::{Route, error};
use crate::together::{
    model::{Added, Delivery, LetterDeed, Message, Name, Place, Queue, Rate, Span, Value, World},
    spell::part,
    want::{Want, quoted},
};

/// What queues are like that this dialect makes.
const RATE: Rate = Rate { max_attempts: 4, priority: 5, max_depth: Some(100_000) };

#[derive(Debug, Clone)]
pub enum Queues {
    Create { queue: Name, max_depth: Option<u64>, max_retries: Option<u32> },
    Delete(Target),
    Publish { queue: Name, message: String, priority: Option<u64>, max_retries: Option<u32>, headers: Option<String> },
    Consume { of: Target, lease_seconds: u64 },
    Ack { of: Target, sequence: u64 },
    Nack { of: Target, sequence: u64, requeue: bool },
    Purge(Target),
}

/// A queue, or its dead letters.
#[derive(Debug, Clone)]
pub struct Target {
    pub queue: Name,
    pub letters: bool,
}

impl Target {
    fn name(&self) -> String {
        format!("{}{}", self.queue.name, if self.letters { ".dlq" } else { "" })
    }

    fn member(&self) -> String {
        format!(r#""queue":{}"#, quoted(&self.name()))
    }
}

impl Queues {
    fn queue(&self) -> &Name {
        match self {
            Queues::Create { queue, .. } | Queues::Publish { queue, .. } => queue,
            Queues::Delete(of) | Queues::Purge(of) => &of.queue,
            Queues::Consume { of, .. } | Queues::Ack { of, .. } | Queues::Nack { of, .. } => &of.queue,
        }
    }

    fn letters(&self) -> bool {
        match self {
            Queues::Create { .. } | Queues::Publish { .. } => false,
            Queues::Delete(of) | Queues::Purge(of) => of.letters,
            Queues::Consume { of, .. } | Queues::Ack { of, .. } | Queues::Nack { of, .. } => of.letters,
        }
    }

    pub(super) fn text(&self) -> (&'static str, String) {
        let queue = |queue: &Name| format!(r#""queue":{}"#, quoted(&queue.name));
        match self {
            Queues::Create { queue: name, max_depth, max_retries } => {
                let depth = max_depth.map(|depth| format!(r#""max_depth":{depth}"#));
                let retries = max_retries.map(|retries| format!(r#""default_max_retries":{retries}"#));
                let config: Vec<String> = depth.into_iter().chain(retries).collect();
                ("queue.create", format!(r#"{},"config":{{{}}}"#, queue(name), config.join(",")))
            }
            Queues::Delete(of) => ("queue.delete", of.member()),
            Queues::Publish { queue: name, .. } => ("queue.publish", format!("{},{}", queue(name), self.published())),
            Queues::Consume { of, lease_seconds } => {
                ("queue.consume", format!(r#"{},"ack_deadline":{lease_seconds}"#, of.member()))
            }
            Queues::Ack { of, sequence } => {
                ("queue.ack", format!(r#"{},"message_id":"{}""#, of.member(), id(*sequence)))
            }
            Queues::Nack { of, sequence, requeue } => {
                ("queue.nack", format!(r#"{},"message_id":"{}","requeue":{requeue}"#, of.member(), id(*sequence)))
            }
            Queues::Purge(of) => ("queue.purge", of.member()),
        }
    }

    /// The payload of a publish without its queue.
    fn published(&self) -> String {
        let Queues::Publish { message, priority, max_retries, headers, .. } = self else { return String::new() };
        let priority = priority.map(|priority| format!(r#","priority":{priority}"#)).unwrap_or_default();
        let retries = max_retries.map(|retries| format!(r#","max_retries":{retries}"#)).unwrap_or_default();
        let headers = headers.as_ref().map(|headers| format!(r#","headers":{headers}"#)).unwrap_or_default();
        format!(r#""message":{message}{priority}{retries}{headers}"#)
    }

    pub(super) fn route(&self) -> Option<Route> {
        let post = |name: String, verb: &str, body: String| {
            Some(Route {
                method: "POST",
                target: format!("/queue/{}/{verb}", part(&name)),
                body: Some(format!("{{{body}}}")),
            })
        };
        match self {
            Queues::Publish { queue, .. } => post(queue.name.clone(), "publish", self.published()),
            Queues::Ack { of, sequence } => post(of.name(), "ack", format!(r#""message_id":"{}""#, id(*sequence))),
            Queues::Nack { of, sequence, requeue } => {
                post(of.name(), "nack", format!(r#""message_id":"{}","requeue":{requeue}"#, id(*sequence)))
            }
            Queues::Purge(of) => post(of.name(), "purge", String::new()),
            Queues::Delete(of) => {
                Some(Route { method: "DELETE", target: format!("/queue/{}", part(&of.name())), body: None })
            }
            Queues::Create { .. } | Queues::Consume { .. } => None,
        }
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Want {
        let queue = world.queues.entry(self.queue().clone()).or_default();
        let there = if self.letters() { queue.has_letter_view() } else { queue.exists };
        match self {
            Queues::Create { max_depth, max_retries, .. } => create(queue, *max_depth, *max_retries),
            Queues::Publish { message, priority, max_retries, headers, .. } => {
                let new = Delivery {
                    payload: Value::Json(message.clone()),
                    headers: headers.clone().unwrap_or("{}".to_owned()),
                    priority: priority.map(|priority| priority.min(9) as i64),
                    delay_ms: 0,
                    key: None,
                    max_attempts: max_retries.map(|retries| retries + 1),
                    rate: RATE,
                };
                match queue.add(&new, now) {
                    Added::New { sequence, position } => {
                        let position = position.map_or("null".to_owned(), |position| position.to_string());
                        Want::new(200).member("message_id", quoted(&id(sequence))).member("position", position)
                    }
                    Added::Full => error(507, "QUEUE_FULL"),
                    Added::Duplicate(_) => unreachable!("a message without a key"),
                }
            }
            Queues::Consume { lease_seconds, .. } => {
                let until = now.plus(lease_seconds * 1000);
                let taken = match (there, self.letters()) {
                    (false, _) => None,
                    (true, true) => queue.take_letter(until),
                    (true, false) => queue.take(1, until).first().copied(),
                };
                consumed(taken.map(|sequence| (sequence, &queue.messages[&sequence])))
            }
            Queues::Delete(Target { letters: false, .. }) => Want::new(200).member("deleted", queue.delete()),
            Queues::Delete(_) => {
                if there {
                    queue.purge(|place| matches!(place, Place::Dead { .. }));
                }
                Want::new(200).member("deleted", there)
            }
            _ if !there => error(404, "QUEUE_NOT_FOUND"),
            Queues::Ack { of, sequence } => {
                let done = match of.letters {
                    true => queue.settle_letter(*sequence, LetterDeed::Ack),
                    false => queue.ack(*sequence),
                };
                if done { Want::new(200).member("success", true) } else { error(404, "MESSAGE_NOT_FOUND") }
            }
            Queues::Nack { of, sequence, requeue } => {
                let action = match (of.letters, *requeue) {
                    (true, true) => queue.settle_letter(*sequence, LetterDeed::Return).then_some("requeued"),
                    (true, false) => queue.settle_letter(*sequence, LetterDeed::Discard).then_some("discarded"),
                    (false, true) => queue
                        .give_back(*sequence, None, "nack")
                        .map(|dead| if dead { "dead_lettered" } else { "requeued" }),
                    (false, false) => queue.kill(*sequence, "nack").map(|_| "dead_lettered"),
                };
                match action {
                    Some(action) => Want::new(200).member("action", quoted(action)),
                    None => error(404, "MESSAGE_NOT_FOUND"),
                }
            }
            Queues::Purge(Target { letters, .. }) => {
                let purged = match letters {
                    true => queue.purge(|place| matches!(place, Place::Dead { held: None, .. })),
                    false => queue.purge(|place| matches!(place, Place::Ready | Place::Delayed(_))),
                };
                Want::new(200).member("purged", purged)
            }
        }
    }
}

fn create(queue: &mut Queue, max_depth: Option<u64>, max_retries: Option<u32>) -> Want {
    let attempts = max_retries.map(|retries| retries + 1);
    let over = |rate: Rate| Rate {
        max_attempts: attempts.unwrap_or(rate.max_attempts),
        max_depth: max_depth.or(rate.max_depth),
        ..rate
    };
    match queue.configure(over(RATE), over(queue.rate) == queue.rate) {
        Some(created) => Want::new(if created { 201 } else { 200 }).member("created", created),
        None => error(409, "QUEUE_EXISTS"),
    }
}

fn consumed(taken: Option<(u64, &Message)>) -> Want {
    let Some((sequence, message)) = taken else {
        return ["message_id", "message", "priority", "retry_count", "headers"]
            .into_iter()
            .fold(Want::new(200), |want, member| want.member(member, "null"));
    };
    Want::new(200)
        .member("message_id", quoted(&id(sequence)))
        .member("message", message.payload.body())
        .member("priority", message.priority.to_string())
        .member("retry_count", u64::from(message.attempts.saturating_sub(1)))
        .member("headers", message.headers.clone())
}

fn id(sequence: u64) -> String {
    format!("msg_{sequence:x}")
}
