//! Reading keys: one, several of one cut, a page. Readers see only what is durable, and take no lock of a key.

use std::time::Duration;

use bytes::Bytes;
use manifold_store::{Row, View};

use crate::{
    Cut, Key, Namespace, Result, keys,
    kv::{Entry, List, Page, row::Head, walk::Walk},
    live::Live,
    types::{self, KeyType, Room},
};

/// A read that meets frames becoming durable tries again so many times before it takes a snapshot.
const TRIES: usize = 4;

/// One live key.
pub(crate) fn get(live: &Live, namespace: &Namespace, key: &Key) -> Result<Cut<Option<Entry>>> {
    let row = keys::kv(namespace, key);
    let read = || live.store.get(View::Durable, keys::KV, &row);
    let (head, found) = (0..TRIES).find_map(|_| live.feed.cut(&live.store, read)).unwrap_or_else(|| {
        let (snapshot, head) = live.store.snapshot(|| live.feed.published());
        (head, snapshot.get(keys::KV, &row))
    });
    Ok(Cut { head, it: entry(live, key, found)? })
}

/// One live key; refused when it holds a collection.
pub(crate) fn get_typed(live: &Live, namespace: &Namespace, key: &Key) -> Result<Option<Entry>> {
    let Some(row) = live.store.get(View::Durable, keys::KV, &keys::kv(namespace, key)) else { return Ok(None) };
    match types::live_collection(&row, || live.clock.now())? {
        Some(actual) => Err(types::wrong_type(key, actual, KeyType::String)),
        None => entry(live, key, Some(row)),
    }
}

/// One live key, as soon as it is there.
pub(crate) async fn get_or_wait(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    wait: Duration,
) -> Result<Cut<Option<Entry>>> {
    let mut head_moved = live.feed.subscribe();
    let found = async {
        loop {
            // Seen before the look: what comes while we look wakes us again.
            head_moved.borrow_and_update();
            let read = get(live, namespace, key);
            if !matches!(&read, Ok(cut) if cut.it.is_none()) || head_moved.changed().await.is_err() {
                return read;
            }
        }
    };
    match live.clock.timeout(wait, live.unless_stopped(found)).await.flatten() {
        Some(read) => read,
        None => get(live, namespace, key),
    }
}

/// Several keys of one cut; refused when their values have more bytes than an answer may.
pub(crate) fn get_many(live: &Live, wanted: &[(Namespace, Key)]) -> Result<Cut<Vec<Option<Entry>>>> {
    let (snapshot, head) = live.store.snapshot(|| live.feed.published());
    let mut room = Room::new(live);
    let read = |(namespace, key): &(Namespace, Key)| {
        let row = snapshot.get(keys::KV, &keys::kv(namespace, key));
        room.take(row.as_ref().map_or(0, Row::body_len))?;
        entry(live, key, row)
    };
    Ok(Cut { head, it: wanted.iter().map(read).collect::<Result<_>>()? })
}

fn entry(live: &Live, key: &Key, row: Option<Row>) -> Result<Option<Entry>> {
    let Some(row) = row else { return Ok(None) };
    let head = Head::read(&row)?.filter(|head| head.is_live(|| live.clock.now()));
    head.map(|head| head.entry(key.clone(), &row, false)).transpose()
}

/// A page of live keys.
pub(crate) fn list(live: &Live, namespace: &Namespace, list: List) -> Result<Cut<Page>> {
    let List { prefix, after, limit, max_bytes, keys_only } = list;
    let limit = limit.max(1);
    let mut walk = Walk::namespace(live, namespace, &prefix, keys_only);
    if let Some(after) = after {
        walk.skip_to(successor(namespace, &after));
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut bytes = 0usize;
    let more = loop {
        let Some(found) = walk.peek()? else { break false };
        bytes = bytes.saturating_add(found.value_bytes);
        if entries.len() == limit || (bytes > max_bytes && !entries.is_empty()) {
            break true;
        }
        entries.extend(walk.take()?.map(|(_, entry)| entry));
    };
    Ok(Cut { head: walk.head(), it: Page { entries, more } })
}

/// The least row key greater than that of `after`: no name holds a NUL, so nothing lies between a key and itself + NUL.
fn successor(namespace: &Namespace, after: &Bytes) -> Vec<u8> {
    let mut row = keys::kv_start(namespace).into_vec();
    row.extend_from_slice(after);
    row.push(0);
    row
}
