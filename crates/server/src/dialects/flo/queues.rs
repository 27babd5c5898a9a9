//! Queues: enqueue, dequeue, ack, nack, extend, peek, purge, statistics.

use bytes::Bytes;
use manifold_engine::{
    kv::{Encoding, Value},
    queue::{Delivery, Dequeue, Enqueue, Held, Message, Nack, NackTo, QueueName, Settled, Stats},
};

use super::{
    Reply,
    call::Call,
    config::PriorityOrder,
    error::Error,
    members::{self, COUNT, Integers, SEQUENCES, millis},
    names, payload,
    scan::PAGE_BYTES,
};
use crate::{
    http::{
        json::{self, RawValue},
        reply,
    },
    net::Incoming,
};

const PRIORITY: Integers =
    Integers::within(i32::MIN as i64, i32::MAX as i64, "an integer from -2147483648 to 2147483647");
const DELAY_MS: Integers = Integers::within(0, 31_536_000_000, "an integer from 0 to 31536000000");
/// A lease longer than twelve hours lasts twelve hours.
const LEASE_MS: Integers = Integers::up_to(1, 43_200_000, "an integer from 1");
const DEDUP_KEY_BYTES: usize = 1024;

/// What a queue that is not there answers.
pub(super) const QUEUE: &str = "Queue";

/// POST /enqueue.
pub(super) async fn enqueue(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [payload, priority, delay_ms, dedup_key] = body.members(&["payload", "priority", "delay_ms", "dedup_key"])?;
    let bytes = payload::member(payload, "payload", call.flo.max_value_bytes)?;
    let size = bytes.len();
    let priority = PRIORITY.member(priority, "priority")?.unwrap_or(0);
    let delay = millis(DELAY_MS.member(delay_ms, "delay_ms")?.unwrap_or(0));
    let dedup_key = dedup(dedup_key)?;
    drop(body);

    let enqueue = Enqueue {
        payload: Value { encoding: Encoding::Binary, bytes },
        headers: Bytes::new(),
        priority: Some(call.flo.priority_order.stored(priority)),
        delay,
        dedup_key,
        // A queue may belong to another dialect: the message keeps the limit of whoever sent it.
        max_attempts: Some(call.flo.queues.max_attempts),
        settings: call.flo.queues,
    };
    let counters = call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes());
    let done = call.engine().queue_enqueue(&namespace, &queue, enqueue).await;
    let done = done.inspect_err(|_| counters.enqueue_errors.inc())?;
    counters.enqueued(size, done.deduplicated, !delay.is_zero());
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(b"{\"sequence\":");
    json::write_u64(&mut out, done.sequence);
    out.extend_from_slice(b",\"deduplicated\":");
    out.extend_from_slice(if done.deduplicated { b"true}" } else { b"false}" });
    Ok(reply::json(out))
}

/// POST /dequeue.
pub(super) async fn dequeue(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [count, visibility_timeout_ms, block_ms] = body.members(&["count", "visibility_timeout_ms", "block_ms"])?;
    let count = COUNT.member(count, "count")?.unwrap_or(1) as usize;
    let lease = LEASE_MS.member(visibility_timeout_ms, "visibility_timeout_ms")?.map(millis);
    let wait = members::block_member(block_ms)?.unwrap_or_default();
    drop(body);

    let lease = Some(lease.unwrap_or(call.flo.queues.lease));
    let dequeue = Dequeue { count, max_bytes: PAGE_BYTES, lease, wait, consumer: None };
    let taking = call.engine().queue_dequeue(&namespace, &queue, dequeue);
    let taken = if wait.is_zero() { Some(taking.await) } else { call.flo.unless_stopping(taking).await };
    let deliveries = taken.transpose()?.unwrap_or_default();
    let counters = call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes());
    counters.dequeued(deliveries.iter().map(|delivery| delivery.message.payload.bytes.len()));
    let order = call.flo.priority_order;
    let messages = deliveries.iter().map(|delivery| &delivery.message);
    let mut out = open_messages(messages);
    json::write_array(&mut out, &deliveries, |out, delivery| write_delivery(out, delivery, order));
    Ok(reply::json(close_with_count(out, deliveries.len())))
}

/// POST /ack.
pub(super) async fn ack(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [sequences, lease_ids] = body.members(&["sequences", "lease_ids"])?;
    let held = held(sequences, lease_ids)?;
    drop(body);
    let settled = call.engine().queue_ack(&namespace, &queue, held).await.map_err(Error::of(QUEUE))?;
    call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes()).leases_completed.add(settled.done);
    Ok(settled_json("acked", &settled, None))
}

/// POST /nack.
pub(super) async fn nack(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [sequences, lease_ids, to_dlq, delay_ms] = body.members(&["sequences", "lease_ids", "to_dlq", "delay_ms"])?;
    let held = held(sequences, lease_ids)?;
    let dead = members::boolean(to_dlq, "to_dlq")?;
    let delay = millis(DELAY_MS.member(delay_ms, "delay_ms")?.unwrap_or(0));
    drop(body);
    let to = if dead { NackTo::Dead } else { NackTo::Ready(delay) };
    let nack = Nack { messages: held, to };
    let settled = call.engine().queue_nack(&namespace, &queue, nack).await.map_err(Error::of(QUEUE))?;
    Ok(settled_json("nacked", &settled, Some(settled.dead)))
}

/// POST /extend and /touch.
pub(super) async fn extend(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [sequences, lease_ids, timeout] = body.members(&["sequences", "lease_ids", "visibility_timeout_ms"])?;
    let held = held(sequences, lease_ids)?;
    let lease = LEASE_MS.member(timeout, "visibility_timeout_ms")?.map_or(call.flo.queues.lease, millis);
    drop(body);
    let settled = call.engine().queue_extend(&namespace, &queue, held, lease).await.map_err(Error::of(QUEUE))?;
    call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes()).leases_extended.add(settled.done);
    Ok(settled_json("extended", &settled, None))
}

/// GET /peek.
pub(super) async fn peek(call: Call<'_>) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    let query = call.query()?;
    let count = COUNT.parameter(&query, "count")?.unwrap_or(1) as usize;
    let found = call.engine().queue_peek(&namespace, &queue, count, PAGE_BYTES).await.map_err(Error::of(QUEUE))?;
    let mut out = open_messages(&found);
    json::write_array(&mut out, &found, |out, message| {
        write_message(out, message, call.flo.priority_order);
        out.push(b'}');
    });
    Ok(reply::json(close_with_count(out, found.len())))
}

/// GET /stats.
pub(super) async fn stats(call: Call<'_>) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let stats = call.engine().queue_stats(&namespace, &queue).await.map_err(Error::of(QUEUE))?;
    let mut out = Vec::with_capacity(256);
    write_stats(&mut out, &queue, &stats);
    Ok(reply::json(out))
}

/// GET of a namespace's queues.
pub(super) async fn list(call: Call<'_>) -> Reply {
    let namespace = names::namespace(&call)?;
    call.query()?;
    let mut found = Vec::new();
    for queue in call.engine().queue_list(&namespace).await? {
        // One that was deleted since it was listed is not there.
        match call.engine().queue_stats(&namespace, &queue).await.map_err(Error::of(QUEUE)) {
            Ok(stats) => found.push((queue, stats)),
            Err(Error::Absent(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut out = b"{\"queues\":".to_vec();
    json::write_array(&mut out, &found, |out, (queue, stats)| write_stats(out, queue, stats));
    out.push(b'}');
    Ok(reply::json(out))
}

/// POST /purge.
pub(super) async fn purge(call: Call<'_>) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let purged = call.engine().queue_purge(&namespace, &queue).await.map_err(Error::of(QUEUE))?;
    Ok(purged_json(purged))
}

/// `{"purged":n}`
pub(super) fn purged_json(purged: u64) -> hyper::Response<axum::body::Body> {
    reply::json(format!("{{\"purged\":{purged}}}"))
}

/// `{"<done>":n,"not_found":[…]}`
pub(super) fn settled_json(
    done: &'static str,
    settled: &Settled,
    dead_lettered: Option<u64>,
) -> hyper::Response<axum::body::Body> {
    let mut out = Vec::with_capacity(64 + settled.not_found.len() * 8);
    out.push(b'{');
    json::write_str(&mut out, done);
    out.push(b':');
    json::write_u64(&mut out, settled.done);
    if let Some(dead) = dead_lettered {
        out.extend_from_slice(b",\"dead_lettered\":");
        json::write_u64(&mut out, dead);
    }
    out.extend_from_slice(b",\"not_found\":");
    json::write_array(&mut out, &settled.not_found, |out, sequence| json::write_u64(out, *sequence));
    out.push(b'}');
    reply::json(out)
}

/// The beginning of `{"messages":[…],"count":n}`, with room for all of it.
pub(super) fn open_messages<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<u8> {
    const EACH: usize = 160;
    let sizes = messages.into_iter().map(|message| payload::encoded_len(message.payload.bytes.len()) + EACH);
    let mut out = Vec::with_capacity(64 + sizes.sum::<usize>());
    out.extend_from_slice(b"{\"messages\":");
    out
}

fn close_with_count(mut out: Vec<u8>, count: usize) -> Vec<u8> {
    out.extend_from_slice(b",\"count\":");
    json::write_u64(&mut out, count as u64);
    out.push(b'}');
    out
}

fn write_delivery(out: &mut Vec<u8>, delivery: &Delivery, order: PriorityOrder) {
    write_message(out, &delivery.message, order);
    out.extend_from_slice(b",\"lease_expires_at\":");
    json::write_u64(out, delivery.expires_at.0);
    out.extend_from_slice(b",\"lease_id\":");
    json::write_u64(out, delivery.lease);
    out.push(b'}');
}

/// Appends a message without the bracket that closes it.
pub(super) fn write_message(out: &mut Vec<u8>, message: &Message, order: PriorityOrder) {
    out.extend_from_slice(b"{\"sequence\":");
    json::write_u64(out, message.sequence);
    out.extend_from_slice(b",\"payload\":");
    payload::write(out, &message.payload.bytes);
    out.extend_from_slice(b",\"priority\":");
    out.extend_from_slice(itoa::Buffer::new().format(order.shown(message.priority)).as_bytes());
    out.extend_from_slice(b",\"attempts\":");
    json::write_u64(out, message.attempts.into());
    out.extend_from_slice(b",\"enqueued_at\":");
    json::write_u64(out, message.enqueued_at.0);
}

fn write_stats(out: &mut Vec<u8>, queue: &QueueName, stats: &Stats) {
    out.extend_from_slice(b"{\"name\":");
    json::write_bytes_as_str(out, queue.as_bytes());
    for (name, value) in [
        ("ready_count", stats.ready),
        ("leased_count", stats.leased),
        ("dlq_count", stats.dead),
        ("total_enqueued", stats.enqueued_total),
        ("total_acked", stats.acked_total),
        ("delayed_count", stats.delayed),
        ("total_purged", stats.purged_total),
    ] {
        out.push(b',');
        json::write_str(out, name);
        out.push(b':');
        json::write_u64(out, value);
    }
    out.push(b'}');
}

fn dedup(member: Option<&RawValue>) -> Result<Option<Bytes>, Error> {
    let key = members::text(member, "dedup_key")?.filter(|key| !key.is_empty());
    if key.as_ref().is_some_and(|key| key.len() > DEDUP_KEY_BYTES) {
        return Err(Error::Field { field: "dedup_key", rule: "a string of at most 1024 bytes" });
    }
    Ok(key.map(names::bytes))
}

/// The messages that `sequences` names, each with the lease at its place in `lease_ids`.
fn held(sequences: Option<&RawValue>, lease_ids: Option<&RawValue>) -> Result<Vec<Held>, Error> {
    let sequences = members::numbers(sequences, "sequences", 1, SEQUENCES)?;
    let Some(lease_ids) = json::given(lease_ids) else {
        return Ok(sequences.into_iter().map(|sequence| Held { sequence, lease: None }).collect());
    };
    let leases = members::numbers(Some(lease_ids), "lease_ids", 0, "an array of at most 10000 lease ids")?;
    if leases.len() != sequences.len() {
        return Err(Error::invalid("lease_ids must be as many as sequences"));
    }
    let pairs = sequences.into_iter().zip(leases);
    Ok(pairs.map(|(sequence, lease)| Held { sequence, lease: Some(lease) }).collect())
}
