//! The row of a key that holds a collection.

use manifold_store::{Row, Table};

use crate::{Error, Result, Timestamp, codec, keys, kv::FIRST_COLLECTION, types::KeyType};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;
/// More elements and bytes than any collection has: whoever says so is damaged, and must not make sums overflow.
const PLAUSIBLE: u64 = 1 << 48;

/// What the row of a key says of the collection it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// Never [`KeyType::String`].
    pub(crate) kind: KeyType,
    pub(crate) id: u64,
    /// Elements, at least 1 in a row.
    pub(crate) count: u64,
    /// Bytes of all elements with their names; a score counts 8.
    pub(crate) bytes: u64,
    pub(crate) expires_at: Option<Timestamp>,
    /// Of a list.
    pub(crate) span: Span,
    /// The timer the row has; not part of it.
    pub(crate) timer: Option<Timestamp>,
}

/// Where the elements of a list lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// Position of the first element.
    pub(crate) first: u64,
    /// Position of the last one.
    pub(crate) last: u64,
    /// Elements were put between others or taken from there: their distances differ.
    pub(crate) uneven: bool,
}

impl Card {
    /// Of a collection without elements.
    pub(crate) fn new(kind: KeyType, id: u64) -> Self {
        Card { kind, id, count: 0, bytes: 0, expires_at: None, span: Span::default(), timer: None }
    }

    /// Reads the row of a key; none when it holds a value.
    pub(crate) fn read(row: &Row) -> Result<Option<Self>> {
        match row.head() {
            head @ [_, kind, ..] if *kind >= FIRST_COLLECTION => {
                Self::decode(head).map(Some).ok_or_else(|| Error::unreadable("the card of a collection"))
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = vec![ENCODING, type_byte(self.kind)];
        codec::put_varint(&mut head, self.id);
        codec::put_varint(&mut head, self.count);
        codec::put_varint(&mut head, self.bytes);
        codec::put_deadline(&mut head, self.expires_at);
        if self.kind == KeyType::List {
            head.push(u8::from(self.span.uneven));
            codec::put_varint(&mut head, self.span.first);
            codec::put_varint(&mut head, self.span.last);
        }
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        let kind = read_type(reader.byte()?)?;
        let (id, count, bytes) = (reader.varint()?, reader.varint()?, reader.varint()?);
        (count <= PLAUSIBLE && bytes <= PLAUSIBLE).then_some(())?;
        let expires_at = reader.deadline()?;
        let span = match kind {
            KeyType::List => {
                let uneven = match reader.byte()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                };
                Span { uneven, first: reader.varint()?, last: reader.varint()? }
            }
            _ => Span::default(),
        };
        Some(Card { kind, id, count, bytes, expires_at, span, timer: expires_at })
    }

    /// So many elements and bytes are gone.
    ///
    /// # Errors
    /// They were not counted: the row is damaged.
    pub(crate) fn shrink(&mut self, elements: u64, bytes: usize) -> Result<()> {
        let left = self.count.checked_sub(elements).zip(self.bytes.checked_sub(bytes as u64));
        (self.count, self.bytes) = left.ok_or_else(|| Error::unreadable("the card of a collection"))?;
        Ok(())
    }

    /// Whether its deadline has passed.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|deadline| deadline <= now)
    }

    /// The tables its elements are in: the first has a row for each.
    pub(crate) fn tables(kind: KeyType) -> &'static [Table] {
        match kind {
            KeyType::String => &[],
            KeyType::Hash => &[keys::HASH_FIELD],
            KeyType::List => &[keys::LIST_ELEMENT],
            KeyType::Set => &[keys::SET_SLOT, keys::SET_MEMBER],
            KeyType::SortedSet => &[keys::ZSET_ORDER, keys::ZSET_MEMBER],
        }
    }
}

/// The number of a type in the rows of keys.
pub(crate) fn type_byte(kind: KeyType) -> u8 {
    match kind {
        // Values have numbers by their encoding; this one is never written.
        KeyType::String => 0,
        KeyType::Hash => FIRST_COLLECTION,
        KeyType::List => FIRST_COLLECTION + 1,
        KeyType::Set => FIRST_COLLECTION + 2,
        KeyType::SortedSet => FIRST_COLLECTION + 3,
    }
}

/// Reads what [`type_byte`] gives for a collection.
pub(crate) fn read_type(byte: u8) -> Option<KeyType> {
    [KeyType::Hash, KeyType::List, KeyType::Set, KeyType::SortedSet].into_iter().find(|kind| type_byte(*kind) == byte)
}
