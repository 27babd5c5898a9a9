//! Flo: keys, queues, streams and their groups.

use super::part;
use crate::{
    harness::Request,
    together::{
        model::{
            Added, Delivery, Expires, Name, Place, Queue, Rate, Record, Refused, Slot, Span, Stream, Value, When, World,
        },
        want::{Pattern, Want, quoted},
    },
};

/// What this dialect's queues are like.
const RATE: Rate = Rate { max_attempts: 5, priority: 0, max_depth: None };

/// The payload of a record, and its headers.
pub type NewRecord = (Vec<u8>, Vec<(String, String)>);

#[derive(Debug, Clone)]
pub enum Ask {
    Get(Name),
    Put { name: Name, value: Vec<u8>, ttl_seconds: Option<u64>, when: When },
    Delete { name: Name, cas_version: Option<u64> },
    Enqueue { queue: Name, payload: Vec<u8>, priority: i32, delay_ms: u64, key: Option<String> },
    Dequeue { queue: Name, count: usize, lease_ms: u64 },
    Ack { queue: Name, sequences: Vec<u64> },
    Nack { queue: Name, sequences: Vec<u64>, to_dlq: bool, delay_ms: u64 },
    Extend { queue: Name, sequences: Vec<u64>, lease_ms: u64 },
    Purge(Name),
    Requeue { queue: Name, sequences: Vec<u64> },
    PurgeDead(Name),
    Append { stream: Name, records: Vec<NewRecord> },
    Read { stream: Name, offset: u64, count: usize },
    Trim { stream: Name, max_len: u64 },
    GroupRead { stream: Name, group: String, consumer: String, count: usize },
    GroupAck { stream: Name, group: String, offsets: Vec<u64>, again: bool },
}

/// The lease of what groups deliver: longer than a script takes.
const GROUP_LEASE_MS: u64 = 3_600_000;

impl Ask {
    pub(super) fn request(&self) -> Request {
        let key = |name: &Name| format!("/api/v1/kv/{}/{}", part(name.space), part(&name.name));
        let queue = |name: &Name, verb: &str| format!("/api/v1/queue/{}/{}/{verb}", part(name.space), part(&name.name));
        let stream =
            |name: &Name, verb: &str| format!("/api/v1/stream/{}/{}{verb}", part(name.space), part(&name.name));
        let sequences = |sequences: &[u64]| format!(r#""sequences":{sequences:?}"#);
        let (method, target, body) = match self {
            Ask::Get(name) => ("GET", key(name), String::new()),
            Ask::Put { name, value, ttl_seconds, when } => {
                let ttl = ttl_seconds.map(|ttl| format!(r#","ttl_seconds":{ttl}"#)).unwrap_or_default();
                let when = match when {
                    When::Always => String::new(),
                    When::Absent => r#","if_not_exists":true"#.to_owned(),
                    When::Present => r#","if_exists":true"#.to_owned(),
                    When::Version(version) => format!(r#","cas_version":{version}"#),
                };
                ("PUT", key(name), format!(r#"{{"value":"{}"{ttl}{when}}}"#, base64(value)))
            }
            Ask::Delete { name, cas_version } => {
                let cas = cas_version.map(|version| format!("?cas_version={version}")).unwrap_or_default();
                ("DELETE", key(name) + &cas, String::new())
            }
            Ask::Enqueue { queue: name, payload, priority, delay_ms, key } => {
                let key = key.as_ref().map(|key| format!(r#","dedup_key":{}"#, quoted(key))).unwrap_or_default();
                let payload = base64(payload);
                let body = format!(r#"{{"payload":"{payload}","priority":{priority},"delay_ms":{delay_ms}{key}}}"#);
                ("POST", queue(name, "enqueue"), body)
            }
            Ask::Dequeue { queue: name, count, lease_ms } => {
                let body = format!(r#"{{"count":{count},"visibility_timeout_ms":{lease_ms}}}"#);
                ("POST", queue(name, "dequeue"), body)
            }
            Ask::Ack { queue: name, sequences: of } => ("POST", queue(name, "ack"), format!("{{{}}}", sequences(of))),
            Ask::Nack { queue: name, sequences: of, to_dlq, delay_ms } => {
                let body = format!(r#"{{{},"to_dlq":{to_dlq},"delay_ms":{delay_ms}}}"#, sequences(of));
                ("POST", queue(name, "nack"), body)
            }
            Ask::Extend { queue: name, sequences: of, lease_ms } => {
                let body = format!(r#"{{{},"visibility_timeout_ms":{lease_ms}}}"#, sequences(of));
                ("POST", queue(name, "extend"), body)
            }
            Ask::Purge(name) => ("POST", queue(name, "purge"), String::new()),
            Ask::Requeue { queue: name, sequences: of } => {
                ("POST", queue(name, "dlq/requeue"), format!("{{{}}}", sequences(of)))
            }
            Ask::PurgeDead(name) => ("DELETE", queue(name, "dlq"), String::new()),
            Ask::Append { stream: name, records } => {
                let records: Vec<String> =
                    records.iter().map(|(payload, headers)| new_record(payload, headers)).collect();
                ("POST", stream(name, "/append"), format!(r#"{{"records":[{}]}}"#, records.join(",")))
            }
            Ask::Read { stream: name, offset, count } => {
                ("GET", stream(name, &format!("?offset={offset}&count={count}")), String::new())
            }
            Ask::Trim { stream: name, max_len } => {
                ("POST", stream(name, "/trim"), format!(r#"{{"max_len":{max_len}}}"#))
            }
            Ask::GroupRead { stream: name, group, consumer, count } => {
                let consumer = quoted(consumer);
                let body = format!(r#"{{"consumer":{consumer},"count":{count},"ack_timeout_ms":{GROUP_LEASE_MS}}}"#);
                ("POST", stream(name, &format!("/groups/{}/read", part(group))), body)
            }
            Ask::GroupAck { stream: name, group, offsets, again } => {
                let verb = if *again { "nack" } else { "ack" };
                let body = format!(r#"{{"offsets":{offsets:?}}}"#);
                ("POST", stream(name, &format!("/groups/{}/{verb}", part(group))), body)
            }
        };
        let request = Request::new(method, target).key(None);
        if body.is_empty() { request } else { request.body(body) }
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Want {
        match self {
            Ask::Get(name) => match world.slot(name) {
                slot if slot.value().is_some() => {
                    let want = Want::new(200).member("key", quoted(&name.name)).member("version", slot.version);
                    want.member("value", value(slot.value())).member("ttl_remaining", ttl(&slot, now))
                }
                _ => absent(name),
            },
            Ask::Put { name, value, ttl_seconds, when } => {
                let expires = match ttl_seconds {
                    None | Some(0) => Expires::Never,
                    Some(seconds) => Expires::InMs(seconds * 1000),
                };
                match world.put(name, Value::Bytes(value.clone()), *when, expires, "flo", now) {
                    Ok(slot) => Want::new(200).member("key", quoted(&name.name)).member("version", slot.version),
                    Err(Refused::Conflict(0)) if *when == When::Present => absent(name),
                    Err(why) => refusal(why),
                }
            }
            Ask::Delete { name, cas_version } => {
                let when = match cas_version {
                    None => When::Always,
                    Some(0) => When::Absent,
                    Some(version) => When::Version(*version),
                };
                match world.delete(name, when, "flo") {
                    Ok(Some(version)) => Want::new(200).member("deleted", true).member("version", version),
                    Ok(None) | Err(Refused::Conflict(0)) => absent(name),
                    Err(why) => refusal(why),
                }
            }
            Ask::Enqueue { queue, .. }
            | Ask::Dequeue { queue, .. }
            | Ask::Ack { queue, .. }
            | Ask::Nack { queue, .. }
            | Ask::Extend { queue, .. }
            | Ask::Purge(queue)
            | Ask::Requeue { queue, .. }
            | Ask::PurgeDead(queue) => self.apply_to_queue(world.queues.entry(queue.clone()).or_default(), now),
            Ask::Append { stream, records } => append(world.streams.entry(stream.clone()).or_default(), records, now),
            Ask::Read { stream, .. }
            | Ask::Trim { stream, .. }
            | Ask::GroupRead { stream, .. }
            | Ask::GroupAck { stream, .. } => match world.streams.get_mut(stream) {
                Some(stream) => self.apply_to_stream(stream),
                None => Want::new(404).member("error", r#""not_found""#),
            },
        }
    }

    fn apply_to_queue(&self, queue: &mut Queue, now: Span) -> Want {
        if !queue.exists && !matches!(self, Ask::Enqueue { .. } | Ask::Dequeue { .. }) {
            return Want::new(404).member("message", r#""Queue not found""#);
        }
        match self {
            Ask::Enqueue { payload, priority, delay_ms, key, .. } => {
                let new = Delivery {
                    payload: Value::Bytes(payload.clone()),
                    headers: "{}".to_owned(),
                    priority: Some(i64::from(*priority)),
                    delay_ms: *delay_ms,
                    key: key.clone(),
                    max_attempts: Some(RATE.max_attempts),
                    rate: RATE,
                };
                let done = |sequence: u64, known: bool| {
                    Want::new(200).member("sequence", sequence).member("deduplicated", known)
                };
                match queue.add(&new, now) {
                    Added::Full => Want::new(429).member("error", r#""overloaded""#),
                    Added::Duplicate(sequence) => done(sequence, true),
                    Added::New { sequence, .. } => done(sequence, false),
                }
            }
            Ask::Dequeue { count, lease_ms, .. } => {
                let until = now.plus(*lease_ms);
                let taken = if queue.exists { queue.take(*count, until) } else { Vec::new() };
                let messages = taken.iter().map(|sequence| {
                    let lease = Pattern::default().text(r#","lease_expires_at":"#).number(until.range());
                    message(queue, *sequence).then(lease).text(r#","lease_id":"#).number(0..=u64::MAX).text("}")
                });
                Want::new(200).member("messages", Pattern::array(messages)).member("count", taken.len() as u64)
            }
            Ask::Ack { sequences, .. } => settled("acked", sequences, |sequence| queue.ack(sequence)),
            Ask::Nack { sequences, to_dlq, delay_ms, .. } => {
                let mut dead = 0;
                let due = (*delay_ms > 0).then(|| now.plus(*delay_ms));
                let mut nacked = 0;
                let missing = each(sequences, |sequence| {
                    let died =
                        if *to_dlq { queue.kill(sequence, "nack") } else { queue.give_back(sequence, due, "nack") };
                    dead += u64::from(died == Some(true));
                    nacked += u64::from(died == Some(false));
                    died.is_some()
                });
                Want::new(200).member("nacked", nacked).member("dead_lettered", dead).member("not_found", missing)
            }
            Ask::Extend { sequences, lease_ms, .. } => {
                settled("extended", sequences, |sequence| queue.extend(sequence, now.plus(*lease_ms)))
            }
            Ask::Purge(_) => {
                Want::new(200).member("purged", queue.purge(|place| matches!(place, Place::Ready | Place::Delayed(_))))
            }
            Ask::Requeue { sequences, .. } => settled("requeued", sequences, |sequence| queue.requeue(sequence)),
            _ => Want::new(200).member("purged", queue.purge(|place| matches!(place, Place::Dead { .. }))),
        }
    }

    fn apply_to_stream(&self, stream: &mut Stream) -> Want {
        match self {
            Ask::Read { offset, count, .. } => {
                let from = (*offset).max(stream.first);
                let offsets = from..stream.end().max(from);
                let records: Vec<u64> = offsets.take(*count).collect();
                let next = records.last().map_or(from, |last| last + 1);
                let shown = records.iter().map(|offset| record(stream, *offset).text("}"));
                bounds(Want::new(200), stream).member("records", Pattern::array(shown)).member("next_offset", next)
            }
            Ask::Trim { max_len, .. } => {
                let trimmed = stream.trim(stream.end().saturating_sub(*max_len));
                Want::new(200).member("trimmed", trimmed).member("first_offset", stream.first)
            }
            Ask::GroupRead { group, consumer, count, .. } => {
                let given = stream.read_group(group, consumer, *count);
                let shown = given.iter().map(|(offset, deliveries)| {
                    record(stream, *offset).text(format!(r#","deliveries":{deliveries}}}"#))
                });
                Want::new(200).member("records", Pattern::array(shown)).member("count", given.len() as u64)
            }
            Ask::GroupAck { group, offsets, again, .. } => match stream.groups.get_mut(group) {
                None => Want::new(404).member("message", r#""Group not found""#),
                Some(group) => {
                    let (done, missing) = group.settle(offsets, *again);
                    let verb = if *again { "nacked" } else { "acked" };
                    Want::new(200).member(verb, done).member("not_found", list(&missing))
                }
            },
            other => unreachable!("{other:?} is not about a stream"),
        }
    }
}

fn append(stream: &mut Stream, records: &[NewRecord], now: Span) -> Want {
    let first = stream.end();
    let new = |(payload, headers): &NewRecord| Record {
        payload: Value::Bytes(payload.clone()),
        kind: None,
        headers: headers.clone(),
        at: now,
    };
    stream.records.extend(records.iter().map(new));
    let want = Want::new(200).member("first_offset", first).member("last_offset", stream.end() - 1);
    want.member("count", records.len() as u64).member("timestamp", now.range())
}

/// What every answer about a stream tells of its ends.
pub fn bounds(want: Want, stream: &Stream) -> Want {
    let last = stream.end().checked_sub(1).map_or("-1".to_owned(), |last| last.to_string());
    want.member("first_offset", stream.first).member("last_offset", last)
}

/// A message, its bracket left open.
pub fn message(queue: &Queue, sequence: u64) -> Pattern {
    let message = &queue.messages[&sequence];
    let text = format!(
        r#"{{"sequence":{sequence},"payload":"{}","priority":{},"attempts":{},"enqueued_at":"#,
        message.payload.base64(),
        message.priority,
        message.attempts
    );
    Pattern::from(text).number(message.at.range())
}

/// A record, its bracket left open.
pub fn record(stream: &Stream, offset: u64) -> Pattern {
    let record = stream.record(offset);
    let pattern = Pattern::from(format!(r#"{{"offset":{offset},"timestamp":"#)).number(record.at.range());
    let pattern = pattern.text(format!(r#","payload":"{}""#, record.payload.base64()));
    let kind = record.kind.iter().map(|kind| ("event_type", kind.as_str()));
    let headers = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<String> =
        kind.chain(headers).map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    if headers.is_empty() { pattern } else { pattern.text(format!(r#","headers":{{{}}}"#, headers.join(","))) }
}

/// A value as this dialect shows it.
pub fn value(value: Option<&Value>) -> String {
    format!("\"{}\"", value.expect("it is live").base64())
}

/// Seconds that a key has left.
pub fn ttl(slot: &Slot, now: Span) -> Pattern {
    slot.deadline.map_or("null".into(), |deadline| deadline.seconds_left(now).into())
}

fn new_record(payload: &[u8], headers: &[(String, String)]) -> String {
    let headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!(r#"{{"payload":"{}","headers":{{{}}}}}"#, base64(payload), headers.join(","))
}

fn base64(bytes: &[u8]) -> String {
    Value::Bytes(bytes.to_vec()).base64()
}

fn absent(name: &Name) -> Want {
    Want::new(404).member("error", r#""not_found""#).member("key", quoted(&name.name))
}

fn refusal(why: Refused) -> Want {
    let want = Want::new(409).member("error", r#""conflict""#);
    match why {
        Refused::Type(_) => want.member("current_version", 0).member("message", r#""Key holds another type""#),
        Refused::Conflict(current) => want.member("current_version", current),
    }
}

fn settled(verb: &'static str, sequences: &[u64], mut deed: impl FnMut(u64) -> bool) -> Want {
    let mut done = 0;
    let missing = each(sequences, |sequence| {
        let did = deed(sequence);
        done += u64::from(did);
        did
    });
    Want::new(200).member(verb, done).member("not_found", missing)
}

/// Does something with each number once; those it could not be done with.
fn each(sequences: &[u64], mut deed: impl FnMut(u64) -> bool) -> String {
    let mut seen = std::collections::BTreeSet::new();
    let missing: Vec<u64> = sequences
        .iter()
        .copied()
        .filter(|sequence| seen.insert(*sequence))
        .filter(|sequence| !deed(*sequence))
        .collect();
    list(&missing)
}

fn list(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("[{}]", numbers.join(","))
}
