//! What is left of collections that are gone: a line says whose elements are still in place, and a worker removes
//! them, so many at a time, while others write.

use bytes::Bytes;
use manifold_store::{Range, Row, View};

use crate::{
    Error, Result, codec, keys,
    live::Live,
    txn::{self, Txn},
    types::{
        Card, KeyType,
        card::{read_type, type_byte},
        slots,
    },
    work::{Tick, Work},
};

const ENCODING: u8 = 1;
/// Most elements removed in one commit.
const BATCH: usize = 512;

/// The line of a collection that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    kind: KeyType,
    /// Elements still in place, at most; exact for a set, whose rows are found by their numbers.
    count: u64,
}

impl Line {
    fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING, type_byte(self.kind)];
        codec::put_varint(&mut head, self.count);
        head
    }

    fn read(row: &Row) -> Result<Line> {
        let read = |head| {
            let mut reader = codec::Reader::new(head);
            (reader.byte()? == ENCODING).then_some(())?;
            Some(Line { kind: read_type(reader.byte()?)?, count: reader.varint()? })
        };
        read(row.head()).ok_or_else(|| Error::unreadable("what is left of a collection"))
    }
}

/// Leaves the elements of a collection, as they are stored, to the worker.
pub(crate) fn leave(txn: &mut Txn<'_>, card: &Card) {
    let line = Line { kind: card.kind, count: card.count };
    txn.put(keys::COLLECTION_GONE, &keys::number(card.id), &line.encode(), &[]);
    txn.traces.gone = true;
    txn.traces.removed.push(card.id);
}

/// Removes the elements of collections that are gone.
pub(crate) struct Sweep;

impl Work for Sweep {
    fn name(&self) -> &'static str {
        "collection sweep"
    }

    async fn trigger(&self, live: &Live) {
        live.collections.gone.notified().await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let first = Range { from: Vec::new(), to: None, limit: 1, reverse: false };
        let Some((key, row)) = live.store.range(View::Latest, keys::COLLECTION_GONE, &first).rows.pop() else {
            return Ok(Tick::DONE);
        };
        let line = Line::read(&row)?;
        let decided = txn::decide(live, |txn| {
            txn.relief();
            match line.kind {
                KeyType::Set => remove_slots(txn, &key, line),
                _ => remove_rows(txn, &key, line.kind),
            }
        });
        Ok(Tick { more: true, frame: decided.into_frame()? })
    }
}

/// Removes some elements of a collection whose first table is ordered, or the line when there are none left.
fn remove_rows(txn: &mut Txn<'_>, id: &Bytes, kind: KeyType) -> Result<()> {
    let table = Card::tables(kind)[0];
    let range = Range { from: id.to_vec(), to: keys::prefix_end(id), limit: BATCH, reverse: false };
    let chunk = txn.live().store.range(View::Latest, table, &range);
    for (row, _) in &chunk.rows {
        txn.delete(table, row);
        if kind == KeyType::SortedSet {
            let member = row.get(keys::ZSET_SCORE_END..).ok_or_else(|| Error::unreadable("a sorted set"))?;
            txn.delete(keys::ZSET_MEMBER, &[&id[..], member].concat());
        }
    }
    if chunk.resume.is_none() {
        txn.delete(keys::COLLECTION_GONE, id);
    }
    Ok(())
}

/// The same for a set: its slots are dense, so what is left is a number.
fn remove_slots(txn: &mut Txn<'_>, id: &Bytes, line: Line) -> Result<()> {
    let set = keys::read_number(id).ok_or_else(|| Error::unreadable("what is left of a collection"))?;
    let left = line.count.saturating_sub(BATCH as u64);
    for slot in left..line.count {
        let slot = keys::in_collection_at(set, slot);
        if let Some(row) = txn.get(keys::SET_SLOT, &slot) {
            txn.delete(keys::SET_MEMBER, &keys::in_collection(set, slots::member(&row)?));
            txn.delete(keys::SET_SLOT, &slot);
        }
    }
    match left {
        0 => txn.delete(keys::COLLECTION_GONE, id),
        left => txn.put(keys::COLLECTION_GONE, id, &Line { count: left, ..line }.encode(), &[]),
    }
    Ok(())
}
