//! The rows of streams. What is decided on lies in the heads, which are always in memory; the records are the bodies.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use manifold_store::Row;

use crate::{
    Error, Result, Timestamp, codec, keys,
    stream::{NewRecord, Record, StreamRetention},
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;

/// The head of a stream's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) id: u64,
    pub(crate) created_at: Timestamp,
    /// The first offset kept. With no row of records it is also the next to be given.
    pub(crate) first: u64,
    /// At least the time of every record that was trimmed.
    pub(crate) last_at: Timestamp,
    /// The number of the next group.
    pub(crate) next_group: u32,
    /// The timer that will look at the age of the records.
    pub(crate) armed: Option<Timestamp>,
    pub(crate) retention: StreamRetention,
}

impl Meta {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a stream"))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let Meta { id, created_at, first, last_at, next_group, armed, retention } = self;
        let StreamRetention { age, records, bytes } = retention;
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, *id);
        codec::put_varint(&mut head, created_at.0);
        codec::put_varint(&mut head, *first);
        codec::put_varint(&mut head, last_at.0);
        codec::put_varint(&mut head, u64::from(*next_group));
        codec::put_deadline(&mut head, *armed);
        // Whole milliseconds, rounded up as everywhere; a bound beyond all numbers is none.
        put_bound(&mut head, age.map(|age| Timestamp::default().plus(age).0));
        put_bound(&mut head, *records);
        put_bound(&mut head, *bytes);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        Some(Meta {
            id: reader.varint()?,
            created_at: Timestamp(reader.varint()?),
            first: reader.varint()?,
            last_at: Timestamp(reader.varint()?),
            next_group: u32::try_from(reader.varint()?).ok()?,
            armed: reader.deadline()?,
            retention: StreamRetention {
                age: bound(&mut reader)?.map(Duration::from_millis),
                records: bound(&mut reader)?,
                bytes: bound(&mut reader)?,
            },
        })
    }
}

fn put_bound(out: &mut Vec<u8>, bound: Option<u64>) {
    codec::put_deadline(out, bound.map(Timestamp));
}

fn bound(reader: &mut codec::Reader<'_>) -> Option<Option<u64>> {
    Some(reader.deadline()?.map(|bound| bound.0))
}

/// The head of a row of records, and the offset in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    /// Bytes of all records ever appended before these, as [`size_bytes`] counts: what a stream weighs is a difference.
    pub(crate) before: u64,
    /// Bytes of these.
    pub(crate) bytes: u64,
}

impl Span {
    pub(crate) fn read(key: &[u8], row: &Row) -> Result<Self> {
        let first = keys::read_stream_offset(key);
        let span = first.and_then(|first| Self::decode(first, row.head()));
        span.ok_or_else(|| Error::unreadable("a row of records"))
    }

    /// The offset after the last record.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.count
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(24);
        head.push(ENCODING);
        codec::put_varint(&mut head, self.count);
        codec::put_varint(&mut head, self.first_at.0);
        codec::put_varint(&mut head, self.last_at.0 - self.first_at.0);
        codec::put_varint(&mut head, self.before);
        codec::put_varint(&mut head, self.bytes);
        head
    }

    pub(crate) fn decode(first: u64, head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        let count = reader.varint()?;
        let first_at = Timestamp(reader.varint()?);
        let last_at = Timestamp(first_at.0.checked_add(reader.varint()?)?);
        first.checked_add(count)?;
        Some(Span { first, count, first_at, last_at, before: reader.varint()?, bytes: reader.varint()? })
    }
}

/// What a record weighs against bounds: its parts and what every record costs.
pub(crate) fn size_bytes(record: &Record) -> usize {
    const EACH: usize = 16;
    let headers: usize = record.headers.iter().map(|(name, text)| name.len() + text.len()).sum();
    EACH + record.kind.len() + headers + record.payload.len()
}

/// Writes the body of a row, record by record.
#[derive(Debug)]
pub(crate) struct SpanWriter {
    span: Span,
    body: Vec<u8>,
}

impl SpanWriter {
    /// A row that begins with the record of offset `first`.
    pub(crate) fn new(first: u64, before: u64) -> Self {
        let zero = Timestamp::default();
        SpanWriter { span: Span { first, count: 0, first_at: zero, last_at: zero, before, bytes: 0 }, body: Vec::new() }
    }

    pub(crate) fn push(&mut self, record: &Record) {
        let span = &mut self.span;
        if span.count == 0 {
            span.first_at = record.at;
            span.last_at = record.at;
        }
        codec::put_varint(&mut self.body, record.at.0 - span.last_at.0);
        codec::put_bytes(&mut self.body, &record.kind);
        codec::put_varint(&mut self.body, record.headers.len() as u64);
        for (name, text) in &record.headers {
            codec::put_bytes(&mut self.body, name.as_bytes());
            codec::put_bytes(&mut self.body, text.as_bytes());
        }
        codec::put_bytes(&mut self.body, &record.payload);
        span.last_at = record.at;
        span.count += 1;
        span.bytes += size_bytes(record) as u64;
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Reads the records of a row in order; their payloads share the row's bytes.
pub(crate) struct SpanReader<'a> {
    body: &'a Bytes,
    reader: codec::Reader<'a>,
    offset: u64,
    end: u64,
    at: Timestamp,
}

impl<'a> SpanReader<'a> {
    pub(crate) fn new(span: &Span, body: &'a Bytes) -> Self {
        SpanReader { body, reader: codec::Reader::new(body), offset: span.first, end: span.end(), at: span.first_at }
    }

    /// Passes over the records below `offset`.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<()> {
        while self.offset < offset.min(self.end) {
            self.skip().ok_or_else(|| self.unreadable())?;
        }
        Ok(())
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> Result<Option<Arc<Record>>> {
        if self.offset == self.end {
            return Ok(None);
        }
        let record = self.record().ok_or_else(|| self.unreadable())?;
        self.offset += 1;
        Ok(Some(Arc::new(record)))
    }

    fn record(&mut self) -> Option<Record> {
        let at = Timestamp(self.at.0.checked_add(self.reader.varint()?)?);
        let kind = self.body.slice_ref(self.reader.bytes()?);
        let mut headers = Vec::new();
        for _ in 0..self.reader.varint()? {
            let mut text = || String::from_utf8(self.reader.bytes()?.to_vec()).ok();
            headers.push((text()?, text()?));
        }
        let payload = self.body.slice_ref(self.reader.bytes()?);
        self.at = at;
        Some(Record { offset: self.offset, at, kind, headers, payload })
    }

    fn skip(&mut self) -> Option<()> {
        self.at = Timestamp(self.at.0.checked_add(self.reader.varint()?)?);
        self.reader.bytes()?;
        for _ in 0..self.reader.varint()? {
            self.reader.bytes()?;
            self.reader.bytes()?;
        }
        self.reader.bytes()?;
        self.offset += 1;
        Some(())
    }

    fn unreadable(&self) -> Error {
        Error::unreadable(&format!("record {} of a stream", self.offset))
    }
}

/// The head of a group's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHead {
    pub(crate) number: u32,
    pub(crate) position: u64,
    pub(crate) dead: u64,
}

impl GroupHead {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a group of consumers"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, u64::from(self.number));
        codec::put_varint(&mut head, self.position);
        codec::put_varint(&mut head, self.dead);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        let number = u32::try_from(reader.varint()?).ok()?;
        Some(GroupHead { number, position: reader.varint()?, dead: reader.varint()? })
    }
}

/// The head of a pending record's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) deliveries: u32,
    /// Until then a consumer has it; none = it was given back.
    pub(crate) deadline: Option<Timestamp>,
}

impl Pending {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a pending record"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, u64::from(self.deliveries));
        codec::put_deadline(&mut head, self.deadline);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        Some(Pending { deliveries: u32::try_from(reader.varint()?).ok()?, deadline: reader.deadline()? })
    }
}

/// A head that is one number: where the rows to be removed end, or the id of the next stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u64);

impl Number {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a number about streams"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        codec::number_head(ENCODING, self.0)
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        codec::read_number_head(ENCODING, head).map(Number)
    }
}

impl NewRecord {
    pub(crate) fn at(self, offset: u64, at: Timestamp) -> Record {
        let NewRecord { kind, headers, payload } = self;
        Record { offset, at, kind, headers, payload }
    }
}
