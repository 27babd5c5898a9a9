//! Adding a message.

use bytes::Bytes;

use crate::{
    Error, Kind, Namespace, Result, Timestamp, keys,
    live::Live,
    queue::{
        Enqueue, Enqueued, QueueName,
        rows::{Dedup, Slip},
        step::Step,
    },
};

/// Longest deduplication key in bytes.
pub(super) const DEDUP_KEY_BYTES: usize = 1024;

pub(crate) async fn enqueue(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    enqueue: Enqueue,
) -> Result<Enqueued> {
    check(live, &enqueue)?;
    let body = body(&enqueue);
    live.store.room().await;
    let row = keys::queue(namespace, name);
    let queue = live.queues.find_or_expect(live, &row);
    queue
        .run(live, |inner| {
            let done = inner.make(live, &row, |step| add(step, name, &enqueue, &body))?;
            if !done.deduplicated {
                inner.pack_behind(live);
            }
            Ok(done)
        })
        .await
}

fn check(live: &Live, enqueue: &Enqueue) -> Result<()> {
    check_size(live, enqueue.payload.bytes.len() + enqueue.headers.len())?;
    let key_len = enqueue.dedup_key.as_ref().map_or(1, Bytes::len);
    if !(1..=DEDUP_KEY_BYTES).contains(&key_len) {
        let message = format!("a deduplication key has 1 to {DEDUP_KEY_BYTES} bytes, not {key_len}");
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(())
}

/// Refuses a message whose headers and payload have too many bytes.
pub(super) fn check_size(live: &Live, size: usize) -> Result<()> {
    let limit = live.limits.value_bytes;
    if size > limit {
        return Err(Error::new(Kind::TooLarge, format!("the message has {size} bytes, the limit is {limit}")));
    }
    Ok(())
}

/// Headers, then the payload; without headers the payload needs no copy.
fn body(enqueue: &Enqueue) -> Bytes {
    let Enqueue { payload, headers, .. } = enqueue;
    if headers.is_empty() {
        return payload.bytes.clone();
    }
    [&headers[..], &payload.bytes[..]].concat().into()
}

/// The rule.
fn add(step: &mut Step<'_, '_>, name: &QueueName, enqueue: &Enqueue, body: &[u8]) -> Result<Enqueued> {
    if step.card.deleted {
        step.revive(enqueue.settings, false);
    }
    let dedup_key = enqueue.dedup_key.as_deref().unwrap_or_default();
    if let Some(sequence) = earlier(step, dedup_key)? {
        return Ok(Enqueued { sequence, deduplicated: true, position: None });
    }
    step.txn.grow()?;
    let settings = step.card.settings;
    if let Some(max) = settings.max_depth.filter(|max| step.state.order.waiting() >= *max) {
        return Err(Error::new(Kind::Busy, format!("queue {name} holds its {max} messages")));
    }
    // A queue that nobody configured has the settings of whoever sent its first message; others are not bound to them.
    let defaults = if step.card.configured { settings } else { enqueue.settings };
    let max_attempts = (defaults.max_attempts != settings.max_attempts).then_some(defaults.max_attempts);
    let slip = Slip {
        encoding: enqueue.payload.encoding,
        priority: enqueue.priority.unwrap_or(defaults.default_priority),
        enqueued_at: step.now(),
        due: (!enqueue.delay.is_zero())
            .then(|| step.now().plus(enqueue.delay))
            .filter(|due| *due < Timestamp(u64::MAX)),
        max_attempts: enqueue.max_attempts.or(max_attempts).map(|max| max.max(1)),
        headers_len: enqueue.headers.len(),
        dedup_key,
    };
    let position = if slip.due.is_none() { step.state.order.ready.next_place(slip.priority) } else { None };
    let sequence = step.add(&slip, body);
    if !dedup_key.is_empty() {
        step.open_window(dedup_key, sequence, slip.enqueued_at.plus(defaults.dedup_window));
    }
    Ok(Enqueued { sequence, deduplicated: false, position })
}

/// The message whose key this is. A key has a row exactly as long as it counts.
fn earlier(step: &mut Step<'_, '_>, key: &[u8]) -> Result<Option<u64>> {
    if key.is_empty() {
        return Ok(None);
    }
    let row = step.txn.get(keys::QUEUE_DEDUP, &keys::dedup(step.card.id, key));
    Ok(row.as_ref().map(Dedup::read).transpose()?.map(|dedup| dedup.sequence))
}
