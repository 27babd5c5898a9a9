//! Small messages that wait for long are packed, a fixed number to a row: a row of the index costs more memory than a
//! short message, and a pack's content stays on disk. A pack is written once, some way behind the newest message, so
//! that a short queue never writes one; what leaves it afterwards is a bit in the row beside it.

use std::{cell::RefCell, sync::Arc};

use bytes::Bytes;
use manifold_store::{Row, Store, Table, View};

use crate::{
    Error, Result, codec, keys,
    live::Live,
    queue::{rows::Slip, state::State},
};

/// Consecutive numbers that make a pack; divides a block, and a `u64` has a bit for each.
pub(crate) const PACK: u64 = if cfg!(test) { 4 } else { 64 };
/// A pack is written when so many more packs of numbers have been given out.
const BEHIND: u64 = if cfg!(test) { 1 } else { 16 };
/// Fewer messages than this are not worth a pack.
const WORTH: usize = if cfg!(test) { 2 } else { 16 };
/// Longer messages keep their own rows.
const SMALL: usize = 1024;

const ENCODING: u8 = 1;

/// What memory knows of a pack: a bit for each number, the lowest for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pack {
    /// Messages that are still in the queue.
    pub(crate) left: u64,
    /// Messages that came with a deduplication key.
    pub(crate) keyed: u64,
}

/// A message as it lies in the store.
#[derive(Debug, Clone)]
pub(crate) enum Stored {
    Own(Row),
    Packed { head: Bytes, body: Bytes },
}

/// The content of the pack that was read last: neighbours are mostly wanted together.
#[derive(Debug, Default)]
pub(crate) struct LastRead(RefCell<Option<(u64, Content)>>);

/// The messages of a pack as they were when it was written, in order.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    members: u64,
    pub(crate) keyed: u64,
    pub(crate) messages: Arc<[Stored]>,
}

impl Pack {
    pub(crate) fn has(self, sequence: u64) -> bool {
        self.left & bit(sequence) != 0
    }

    pub(crate) fn is_keyed(self, sequence: u64) -> bool {
        self.keyed & bit(sequence) != 0
    }
}

/// The bit of a message in its pack.
pub(crate) fn bit(sequence: u64) -> u64 {
    1 << (sequence % PACK)
}

impl Stored {
    pub(crate) fn slip(&self) -> Result<Slip<'_>> {
        let head = match self {
            Stored::Own(row) => row.head(),
            Stored::Packed { head, .. } => head,
        };
        Slip::decode(head).ok_or_else(|| Error::unreadable("a message"))
    }

    pub(crate) fn body_len(&self) -> usize {
        match self {
            Stored::Own(row) => row.body_len(),
            Stored::Packed { body, .. } => body.len(),
        }
    }

    pub(crate) fn body(&self) -> Result<Bytes> {
        match self {
            Stored::Own(row) => Ok(row.body()?),
            Stored::Packed { body, .. } => Ok(body.clone()),
        }
    }
}

impl Content {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        let mut head = codec::Reader::new(row.head());
        let bits = (head.byte() == Some(ENCODING)).then(|| Some((head.varint()?, head.varint()?))).flatten();
        let (members, keyed) = bits.ok_or_else(damaged)?;
        let body = row.body()?;
        let mut messages = Vec::with_capacity(members.count_ones() as usize);
        let mut rest = codec::Reader::new(&body);
        for _ in 0..members.count_ones() {
            let (head, content) = rest.bytes().zip(rest.bytes()).ok_or_else(damaged)?;
            messages.push(Stored::Packed { head: body.slice_ref(head), body: body.slice_ref(content) });
        }
        Ok(Content { members, keyed, messages: messages.into() })
    }

    /// Numbers and messages.
    pub(crate) fn numbered(&self, number: u64) -> impl Iterator<Item = (u64, &Stored)> {
        members(number, self.members).zip(self.messages.iter())
    }

    fn message(&self, sequence: u64) -> Result<Stored> {
        let before = (self.members & (bit(sequence) - 1)).count_ones();
        self.messages.get(before as usize).cloned().ok_or_else(damaged)
    }
}

/// The numbers whose bits are set.
pub(crate) fn members(number: u64, bits: u64) -> impl Iterator<Item = u64> {
    (0..PACK).filter(move |at| bits & 1 << at != 0).map(move |at| number * PACK + at)
}

/// The row that says what is left of a pack.
pub(crate) fn encode_left(left: u64) -> Vec<u8> {
    let mut head = vec![ENCODING];
    codec::put_varint(&mut head, left);
    head
}

/// Reads what [`encode_left`] made.
pub(crate) fn read_left(row: &Row) -> Result<u64> {
    codec::read_number_head(ENCODING, row.head()).ok_or_else(damaged)
}

/// What is left of the pack of `id` with this number; all of it, unless a row says otherwise.
pub(crate) fn read(store: &Store, id: u64, number: u64) -> Result<Option<(Pack, Content)>> {
    let key = keys::in_queue(id, number);
    let Some(row) = store.get(View::Latest, keys::QUEUE_PACK, &key) else { return Ok(None) };
    let content = Content::read(&row)?;
    let left = match store.get(View::Latest, keys::QUEUE_PACK_LEFT, &key) {
        Some(row) => read_left(&row)?,
        None => content.members,
    };
    Ok(Some((Pack { left, keyed: content.keyed }, content)))
}

impl State {
    /// A message of the queue, if it is there. `get` gives the newest version of a row.
    pub(crate) fn find(
        &self,
        sequence: u64,
        mut get: impl FnMut(Table, &[u8]) -> Option<Row>,
    ) -> Result<Option<Stored>> {
        let number = sequence / PACK;
        if !self.packs.get(&number).is_some_and(|pack| pack.has(sequence)) {
            return Ok(get(keys::QUEUE_MESSAGE, &self.key(sequence)).map(Stored::Own));
        }
        let mut last_read = self.last_read.0.borrow_mut();
        let content = match &*last_read {
            Some((last, content)) if *last == number => content,
            _ => {
                let row = get(keys::QUEUE_PACK, &self.key(number)).ok_or_else(damaged)?;
                &last_read.insert((number, Content::read(&row)?)).1
            }
        };
        content.message(sequence).map(Some)
    }

    /// Packs what is far enough behind the message that was just added. It is no part of what the caller asked for:
    /// without space for it the messages stay in their rows.
    pub(crate) fn pack_behind(&mut self, live: &Live) {
        let behind = (self.tally.last / PACK).checked_sub(BEHIND).filter(|_| self.tally.last.is_multiple_of(PACK));
        if let Some(number) = behind
            && let Err(error) = self.pack(live, number)
        {
            tracing::debug!(queue = self.card.id, %error, "messages could not be packed");
        }
    }

    /// The same for messages from `first` to `newest`, which came from elsewhere with the numbers they had there.
    pub(crate) fn pack_between(&mut self, live: &Live, first: u64, newest: u64) {
        let packed = (first / PACK..newest / PACK).try_for_each(|number| self.pack(live, number));
        if let Err(error) = packed {
            tracing::debug!(queue = self.card.id, %error, "messages could not be packed");
        }
    }

    fn pack(&mut self, live: &Live, number: u64) -> Result<()> {
        let mut pack = Pack { left: 0, keyed: 0 };
        let mut body = Vec::new();
        for sequence in members(number, u64::MAX) {
            let Some(row) = live.store.get(View::Latest, keys::QUEUE_MESSAGE, &self.key(sequence)) else { continue };
            if row.body_len() > SMALL {
                continue;
            }
            pack.left |= bit(sequence);
            if !Slip::read(&row)?.dedup_key.is_empty() {
                pack.keyed |= bit(sequence);
            }
            codec::put_bytes(&mut body, row.head());
            codec::put_bytes(&mut body, &row.body()?);
        }
        if (pack.left.count_ones() as usize) < WORTH {
            return Ok(());
        }
        self.step(live, |step| {
            step.pack(number, pack, &body);
            Ok(())
        })
    }
}

/// The head of a pack's row.
pub(crate) fn encode_head(pack: Pack) -> Vec<u8> {
    let mut head = vec![ENCODING];
    codec::put_varint(&mut head, pack.left);
    codec::put_varint(&mut head, pack.keyed);
    head
}

fn damaged() -> Error {
    Error::unreadable("a pack of messages")
}
