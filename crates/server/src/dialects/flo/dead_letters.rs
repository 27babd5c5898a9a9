//! A queue's dead letters: list, requeue, throw away.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use manifold_engine::{
    Timestamp,
    queue::{DeadLetter, ListDead, Reason},
};

use super::{
    Reply,
    call::Call,
    config::PriorityOrder,
    error::Error,
    members::{self, COUNT, SEQUENCES},
    names,
    queues::{QUEUE, open_messages, purged_json, settled_json, write_message},
    scan::{PAGE_BYTES, write_more},
};
use crate::{
    http::{json, query::Query, reply},
    net::Incoming,
};

const DEFAULT_LIMIT: i64 = 100;

/// GET /dlq.
pub(super) async fn list(call: Call<'_>) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    let query = call.query()?;
    let limit = COUNT.parameter(&query, "count")?.unwrap_or(DEFAULT_LIMIT) as usize;
    let list = ListDead { after: after(&query)?, limit, max_bytes: PAGE_BYTES };
    let page = call.engine().queue_dead(&namespace, &queue, list).await.map_err(Error::of(QUEUE))?;
    let mut out = open_messages(page.letters.iter().map(|letter| &letter.message));
    json::write_array(&mut out, &page.letters, |out, letter| write_letter(out, letter, call.flo.priority_order));
    out.extend_from_slice(b",\"count\":");
    json::write_u64(&mut out, page.letters.len() as u64);
    write_more(&mut out, page.letters.last().filter(|_| page.more).map(place).as_ref().map(|place| &place[..]));
    out.push(b'}');
    Ok(reply::json(out))
}

/// POST /dlq/requeue.
pub(super) async fn requeue(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [sequences] = body.members(&["sequences"])?;
    let sequences = members::numbers(sequences, "sequences", 1, SEQUENCES)?;
    drop(body);
    let settled = call.engine().queue_requeue(&namespace, &queue, sequences).await.map_err(Error::of(QUEUE))?;
    call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes()).dlq_requeue.add(settled.done);
    Ok(settled_json("requeued", &settled, None))
}

/// DELETE /dlq.
pub(super) async fn purge(call: Call<'_>) -> Reply {
    let (namespace, queue) = names::queue(&call)?;
    call.query()?;
    let purged = call.engine().queue_purge_dead(&namespace, &queue).await.map_err(Error::of(QUEUE))?;
    call.flo.metrics.queue(namespace.as_bytes(), queue.as_bytes()).dlq_delete.add(purged);
    Ok(purged_json(purged))
}

fn write_letter(out: &mut Vec<u8>, letter: &DeadLetter, order: PriorityOrder) {
    write_message(out, &letter.message, order);
    out.extend_from_slice(b",\"dead_at\":");
    json::write_u64(out, letter.dead_at.0);
    out.extend_from_slice(match letter.reason {
        Reason::Expired => b",\"reason\":\"expired\"}".as_slice(),
        Reason::Nack => b",\"reason\":\"nack\"}",
    });
}

/// Where a letter stands in the list: when it died, then its number.
fn place(letter: &DeadLetter) -> [u8; 16] {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&letter.dead_at.0.to_be_bytes());
    place[8..].copy_from_slice(&letter.message.sequence.to_be_bytes());
    place
}

fn after(query: &Query<'_>) -> Result<Option<(Timestamp, u64)>, Error> {
    let Some(text) = query.text("cursor") else { return Ok(None) };
    let place = || {
        let place = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (dead_at, sequence) = place.split_first_chunk()?;
        Some((Timestamp(u64::from_be_bytes(*dead_at)), u64::from_be_bytes(sequence.try_into().ok()?)))
    };
    place().map(Some).ok_or(Error::Parameter { parameter: "cursor", rule: "a cursor of a page before" })
}
