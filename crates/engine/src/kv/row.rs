//! The rows of a key: its entry while it lives, its tombstone afterwards, and the floor of its namespace. What is needed
//! to decide on a key lies in the row's head, which is always in memory; the value is the body.

use manifold_store::Row;

use crate::{
    Actor, Error, Key, Result, Timestamp, codec,
    feed::{Change, ChangeOp},
    keys,
    kv::{Encoding, Entry, Value},
    timers::Target,
    txn::Txn,
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;

/// The second byte of a head that belongs to a collection is at least this; the head is one of [`crate::types`] then.
pub(crate) const FIRST_COLLECTION: u8 = 16;

fn encoding_byte(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Json => 1,
        Encoding::Binary => 2,
    }
}

fn read_encoding(byte: u8) -> Option<Encoding> {
    match byte {
        1 => Some(Encoding::Json),
        2 => Some(Encoding::Binary),
        _ => None,
    }
}

/// The head of a value's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) encoding: Encoding,
    pub(crate) version: u64,
    pub(crate) seq: u64,
    pub(crate) updated_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) actor: &'a [u8],
}

impl<'a> Head<'a> {
    /// None when the key holds a collection.
    pub(crate) fn read(row: &'a Row) -> Result<Option<Self>> {
        match row.head() {
            [_, kind, ..] if *kind >= FIRST_COLLECTION => Ok(None),
            head => Self::decode(head).map(Some).ok_or_else(|| Error::unreadable("an entry")),
        }
    }

    pub(crate) fn decode(head: &'a [u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        if reader.byte()? != ENCODING {
            return None;
        }
        Some(Head {
            encoding: read_encoding(reader.byte()?)?,
            version: reader.varint()?,
            seq: reader.varint()?,
            updated_at: Timestamp(reader.varint()?),
            expires_at: reader.deadline()?,
            actor: reader.rest(),
        })
    }

    /// Whether it still counts at `now`.
    pub(crate) fn is_live(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.expires_at.is_none_or(|deadline| now() < deadline)
    }

    /// The value.
    pub(crate) fn value(&self, row: &Row) -> Result<Value> {
        Ok(Value { encoding: self.encoding, bytes: row.body()? })
    }

    /// The entry of `key`.
    pub(crate) fn entry(&self, key: Key, row: &Row, keys_only: bool) -> Result<Entry> {
        let without = || Value { encoding: self.encoding, bytes: bytes::Bytes::new() };
        Ok(Entry {
            key,
            value: if keys_only { without() } else { self.value(row)? },
            version: self.version,
            actor: Actor::new(self.actor.to_vec()).map_err(|_| Error::unreadable("an entry"))?,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            seq: self.seq,
        })
    }
}

/// Whether a row of a key is a value that counts at `now`.
pub(crate) fn is_live_value(row: &Row, now: Timestamp) -> Result<bool> {
    Ok(Head::read(row)?.is_some_and(|head| head.is_live(|| now)))
}

fn encode_entry(change: &Change, encoding: Encoding, written_at: Timestamp) -> Vec<u8> {
    let mut head = Vec::with_capacity(40 + change.actor.as_bytes().len());
    head.extend([ENCODING, encoding_byte(encoding)]);
    codec::put_varint(&mut head, change.version);
    codec::put_varint(&mut head, change.seq);
    codec::put_varint(&mut head, written_at.0);
    codec::put_deadline(&mut head, change.expires_at);
    head.extend_from_slice(change.actor.as_bytes());
    head
}

/// The head of a tombstone: the version that the removal produced, and its number in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tomb {
    pub(crate) version: u64,
    pub(crate) seq: u64,
}

impl Tomb {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a tombstone"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, self.version);
        codec::put_varint(&mut head, self.seq);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        Some(Tomb { version: reader.varint()?, seq: reader.varint()? })
    }
}

/// The head of a floor: the highest version among the namespace's forgotten tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor(pub(crate) u64);

impl Floor {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("the floor of a namespace"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        codec::number_head(ENCODING, self.0)
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        codec::read_number_head(ENCODING, head).map(Floor)
    }
}

/// The rows a key had before a transaction: what has to go when it gets others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// None, or a collection, which has its own way to go.
    Nothing,
    /// An entry, with the number of the change that wrote it and its timer.
    Entry { seq: u64, expires_at: Option<Timestamp> },
    /// A tombstone, listed under the removal's number.
    Tomb { seq: u64 },
}

impl Stored {
    /// The number of the key's newest change; none when it is not known.
    pub(crate) fn seq(self) -> Option<u64> {
        match self {
            Stored::Nothing => None,
            Stored::Entry { seq, .. } | Stored::Tomb { seq } => Some(seq),
        }
    }
}

/// Writes the rows of a key as `change`, the last one of its transaction, leaves them: a value that was written then.
pub(crate) fn write(txn: &mut Txn<'_>, change: &Change, stored: Stored, written_at: Timestamp) {
    let row = keys::kv(&change.namespace, &change.key);
    match (&change.value, change.op) {
        (Some(value), ChangeOp::Set(_)) => {
            txn.put(keys::KV, &row, &encode_entry(change, value.encoding, written_at), &value.bytes);
            if matches!(stored, Stored::Tomb { .. }) {
                txn.delete(keys::TOMB, &row);
            }
        }
        _ => {
            let tomb = Tomb { version: change.version, seq: change.seq };
            txn.put(keys::TOMB, &row, &tomb.encode(), &[]);
            txn.put(keys::TOMB_ORDER, &keys::number(change.seq), &[], &row);
            if matches!(stored, Stored::Entry { .. }) {
                txn.delete(keys::KV, &row);
            }
        }
    }
    if let Stored::Tomb { seq } = stored {
        txn.delete(keys::TOMB_ORDER, &keys::number(seq));
    }
    let armed = match stored {
        Stored::Entry { expires_at, .. } => expires_at,
        Stored::Nothing | Stored::Tomb { .. } => None,
    };
    if armed != change.expires_at {
        armed.into_iter().for_each(|deadline| txn.clear_timer(deadline, Target::Key(&row)));
        change.expires_at.into_iter().for_each(|deadline| txn.set_timer(deadline, Target::Key(&row)));
    }
}
