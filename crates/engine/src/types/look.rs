//! Reading collections: one durable cut, no lock.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Range, Row, Snapshot, Table};

use crate::{
    Error, Key, Kind, Namespace, Result, keys,
    kv::Head,
    live::Live,
    types::{Card, KeyType, wrong_type},
};

/// Rows fetched at once.
const ROWS: usize = 512;

/// So many rows are read where they are asked for.
pub(crate) const SHORT: u64 = 4096;

/// A collection in one cut.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) snapshot: Snapshot,
    pub(crate) card: Card,
}

/// The collection that a key holds; refused when it holds something else.
pub(crate) fn look(live: &Live, namespace: &Namespace, key: &Key, expected: KeyType) -> Result<Option<Look>> {
    let (snapshot, ()) = live.store.snapshot(|| ());
    let card = card_in(live, &snapshot, namespace, key, expected)?;
    Ok(card.map(|card| Look { snapshot, card }))
}

/// The card of the collection that a key holds in a cut.
pub(crate) fn card_in(
    live: &Live,
    snapshot: &Snapshot,
    namespace: &Namespace,
    key: &Key,
    expected: KeyType,
) -> Result<Option<Card>> {
    let Some(row) = snapshot.get(keys::KV, &keys::kv(namespace, key)) else { return Ok(None) };
    match Card::read(&row)? {
        Some(card) if card.is_due(live.clock.now()) => Ok(None),
        Some(card) if card.kind == expected => Ok(Some(card)),
        Some(card) => Err(wrong_type(key, card.kind, expected)),
        None if Head::read(&row)?.is_some_and(|head| head.is_live(|| live.clock.now())) => {
            Err(wrong_type(key, KeyType::String, expected))
        }
        None => Ok(None),
    }
}

/// The rows of a range of a cut, one after another.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    snapshot: &'a Snapshot,
    table: Table,
    /// What is left to read.
    range: Option<Range>,
    fetched: std::vec::IntoIter<(Bytes, Row)>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, table: Table, range: Range) -> Self {
        let range = Range { limit: range.limit.clamp(1, ROWS), ..range };
        Rows { snapshot, table, range: Some(range), fetched: Vec::new().into_iter() }
    }

    /// All rows that begin with `prefix`.
    pub(crate) fn all(snapshot: &'a Snapshot, table: Table, prefix: &[u8]) -> Self {
        let range = Range { from: prefix.to_vec(), to: keys::prefix_end(prefix), limit: ROWS, reverse: false };
        Self::new(snapshot, table, range)
    }
}

impl Iterator for Rows<'_> {
    type Item = (Bytes, Row);

    fn next(&mut self) -> Option<(Bytes, Row)> {
        loop {
            if let Some(row) = self.fetched.next() {
                return Some(row);
            }
            let range = self.range.take()?;
            let chunk = self.snapshot.range(self.table, &range);
            self.fetched = chunk.rows.into_iter();
            // Who wants few may have got fewer: a little more then, not all at once.
            let limit = (2 * range.limit).clamp(16, ROWS);
            self.range = chunk.resume.map(|resume| match range.reverse {
                true => Range { to: Some(resume), limit, ..range },
                false => Range { from: resume, limit, ..range },
            });
        }
    }
}

/// Counts the bytes of an answer, which must stay below a bound.
pub(crate) struct Room {
    left: usize,
    limit: usize,
}

impl Room {
    pub(crate) fn new(live: &Live) -> Self {
        Room { left: live.limits.answer_bytes, limit: live.limits.answer_bytes }
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<()> {
        let limit = self.limit;
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Error::new(Kind::TooLarge, format!("the answer would have more than {limit} bytes: ask for less"))
        })?;
        Ok(())
    }
}

/// Runs what reads so many rows: where blocking is allowed, when they are many.
pub(crate) async fn at_length<T: Send + 'static>(
    live: &Arc<Live>,
    rows: u64,
    read: impl FnOnce(&Live) -> Result<T> + Send + 'static,
) -> Result<T> {
    if rows <= SHORT {
        return read(live);
    }
    let live = live.clone();
    let read = tokio::task::spawn_blocking(move || read(&live)).await;
    read.unwrap_or_else(|error| Err(Error::new(Kind::Bug, format!("reading a collection panicked: {error}"))))
}
