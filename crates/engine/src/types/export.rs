//! Keys and what they hold, as lines of an export.

use bytes::Bytes;
use manifold_store::Row;

use crate::{
    Error, Result,
    export::{
        Cut, Record, Section, Sink,
        record::{CollectionLine, KeyLine, TombstoneLine},
        text::{Real, Text},
    },
    keys,
    kv::Head,
    types::{Card, KeyType, look::Rows, scores, slots},
};

/// Elements of one line, and about how many bytes of them: a longer collection goes on in further lines.
const ELEMENTS: usize = 256;
const ELEMENT_BYTES: usize = 64 << 10;

/// All keys in the order of their names.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    for (row_key, row) in Rows::all(cut, keys::KV, &cut.prefix()) {
        let (namespace, key) = keys::split_kv(&row_key).ok_or_else(|| Error::unreadable("the key of an entry"))?;
        let name = || (Text::of(namespace), Text::of(key));
        match Card::read(&row)? {
            Some(card) if card.is_due(cut.now) || !cut.wants(section(card.kind)) => {}
            Some(card) => collection(cut, name(), &card, sink)?,
            None if cut.wants(Section::Kv) => value(cut, name(), &row, sink)?,
            None => {}
        }
    }
    Ok(())
}

fn section(kind: KeyType) -> Section {
    match kind {
        KeyType::String => Section::Kv,
        KeyType::Hash => Section::Hash,
        KeyType::List => Section::List,
        KeyType::Set => Section::Set,
        KeyType::SortedSet => Section::SortedSet,
    }
}

fn value(cut: &Cut, (namespace, key): (Text, Text), row: &Row, sink: &mut Sink) -> Result<()> {
    let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
    if !head.is_live(|| cut.now) {
        // Its expiry, which nobody has recorded yet, counts in its version.
        return sink.put(&Record::Tombstone(TombstoneLine { namespace, key, version: head.version + 1 }));
    }
    sink.put(&Record::Key(KeyLine {
        namespace,
        key,
        value: (&head.value(row)?).into(),
        version: head.version,
        actor: Text::of(head.actor),
        updated_at: head.updated_at.0,
        expires_at: head.expires_at.map(|at| at.0),
    }))
}

fn collection(cut: &Cut, name: (Text, Text), card: &Card, sink: &mut Sink) -> Result<()> {
    let id = keys::number(card.id);
    match card.kind {
        KeyType::String => Ok(()),
        KeyType::Hash => {
            let mut lines = Lines::new(name, card, Record::Hash, sink);
            for (row_key, row) in Rows::all(cut, keys::HASH_FIELD, &id) {
                let value = row.body()?;
                lines.put(row_key.len() + value.len(), (Text(row_key.slice(id.len()..)), Text(value)))?;
            }
            lines.end()
        }
        KeyType::List => {
            let mut lines = Lines::new(name, card, Record::List, sink);
            for (_, row) in Rows::all(cut, keys::LIST_ELEMENT, &id) {
                let value = row.body()?;
                lines.put(value.len(), Text(value))?;
            }
            lines.end()
        }
        KeyType::Set => {
            let mut lines = Lines::new(name, card, Record::Set, sink);
            for slot in 0..card.count {
                let member: Bytes = slots::read_at(cut, card, slot)?;
                lines.put(member.len(), Text(member))?;
            }
            lines.end()
        }
        KeyType::SortedSet => {
            let mut lines = Lines::new(name, card, Record::SortedSet, sink);
            for (row_key, _) in Rows::all(cut, keys::ZSET_ORDER, &id) {
                let (member, score) = scores::read_row(&row_key)?;
                lines.put(member.len(), (Text(member), Real(score)))?;
            }
            lines.end()
        }
    }
}

/// The elements of a collection, some to a line.
struct Lines<'a, E, R> {
    line: CollectionLine<E>,
    bytes: usize,
    record: R,
    sink: &'a mut Sink,
}

impl<'a, E, R: Fn(CollectionLine<E>) -> Record> Lines<'a, E, R> {
    fn new((namespace, key): (Text, Text), card: &Card, record: R, sink: &'a mut Sink) -> Self {
        let expires_at = card.expires_at.map(|at| at.0);
        Lines {
            line: CollectionLine { namespace, key, expires_at, from: 0, elements: Vec::new() },
            bytes: 0,
            record,
            sink,
        }
    }

    fn put(&mut self, bytes: usize, element: E) -> Result<()> {
        self.line.elements.push(element);
        self.bytes += bytes;
        if self.line.elements.len() < ELEMENTS && self.bytes < ELEMENT_BYTES { Ok(()) } else { self.end() }
    }

    fn end(&mut self) -> Result<()> {
        let elements = std::mem::take(&mut self.line.elements);
        if elements.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let CollectionLine { namespace, key, expires_at, from, .. } = &mut self.line;
        let (namespace, key, expires_at) = (namespace.clone(), key.clone(), *expires_at);
        let line = CollectionLine { namespace, key, expires_at, from: *from, elements };
        *from += line.elements.len() as u64;
        self.sink.put(&(self.record)(line))
    }
}
