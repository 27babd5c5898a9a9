//! The row of a page's record. Its head says when it ends and which file is its own, its body all else.

use manifold_store::Row;

use super::{
    Record,
    rows::{text, unreadable},
};
use crate::{
    Result, Timestamp,
    codec::{Reader, put_bytes, put_signed, put_varint},
};

#[cfg(test)]
mod tests;

/// Longest path of a file in bytes.
pub(super) const PATH_BYTES: usize = 4096;

const ENCODING: u8 = 1;

/// What decides about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The second from which on there is none.
    pub(super) gone_at: u64,
    /// Empty = it has no file.
    pub(super) file_path: String,
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        put_varint(&mut head, self.gone_at);
        head.extend_from_slice(self.file_path.as_bytes());
        head
    }

    pub(super) fn read(row: &Row) -> Result<Self> {
        let read = |mut head: Reader<'_>| {
            (head.byte()? == ENCODING).then_some(())?;
            Some(Head { gone_at: head.varint()?, file_path: text(head.rest())?.to_owned() })
        };
        read(Reader::new(row.head())).ok_or_else(|| unreadable("a record"))
    }

    /// When it ends.
    pub(super) fn end(&self) -> Timestamp {
        Timestamp(self.gone_at.saturating_mul(1000))
    }

    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.end() <= now
    }
}

/// The record in a row.
pub(super) fn read(head: Head, row: &Row) -> Result<Record> {
    decode(head, &row.body()?).ok_or_else(|| unreadable("a record"))
}

/// Whether the address in a row begins with these bytes.
pub(super) fn url_begins_with(row: &Row, prefix: &str) -> Result<bool> {
    let body = row.body()?;
    let url = Reader::new(&body).bytes().ok_or_else(|| unreadable("a record"))?;
    Ok(url.starts_with(prefix.as_bytes()))
}

/// The body of a record's row. The address comes first: it is searched for.
pub(super) fn body(record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let Record { url, dimension, request_id, source, eg_ids, title, .. } = record;
    for text in [url, dimension, request_id, source, eg_ids, title] {
        put_bytes(&mut out, text.as_bytes());
    }
    for time in [record.created_at, record.expires_at, record.last_access, record.last_bot_hit] {
        put_option(&mut out, time, put_signed);
    }
    let (status, index) = (record.status_code.map(u64::from), record.index_status.map(u64::from));
    for number in [record.size, record.disk_size, status, index] {
        put_option(&mut out, number, put_varint);
    }
    put_varint(&mut out, record.headers.len() as u64);
    for (name, values) in &record.headers {
        put_bytes(&mut out, name.as_bytes());
        put_varint(&mut out, values.len() as u64);
        values.iter().for_each(|value| put_bytes(&mut out, value.as_bytes()));
    }
    out
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<T>, put: fn(&mut Vec<u8>, T)) {
    out.push(value.is_some().into());
    value.into_iter().for_each(|value| put(out, value));
}

fn decode(head: Head, body: &[u8]) -> Option<Record> {
    let mut body = Reader::new(body);
    Some(Record {
        url: string(&mut body)?,
        file_path: head.file_path,
        dimension: string(&mut body)?,
        request_id: string(&mut body)?,
        source: string(&mut body)?,
        eg_ids: string(&mut body)?,
        title: string(&mut body)?,
        created_at: option(&mut body, Reader::signed)?,
        expires_at: option(&mut body, Reader::signed)?,
        last_access: option(&mut body, Reader::signed)?,
        last_bot_hit: option(&mut body, Reader::signed)?,
        size: option(&mut body, Reader::varint)?,
        disk_size: option(&mut body, Reader::varint)?,
        status_code: option(&mut body, |body| u16::try_from(body.varint()?).ok())?,
        index_status: option(&mut body, |body| u8::try_from(body.varint()?).ok())?,
        headers: list(&mut body, |body| Some((string(body)?, list(body, string)?)))?,
    })
}

fn string(body: &mut Reader<'_>) -> Option<String> {
    text(body.bytes()?).map(str::to_owned)
}

/// What may be missing; the outer option is about the shape of the row.
fn option<'a, T>(body: &mut Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<Option<T>> {
    match body.byte()? {
        0 => Some(None),
        1 => read(body).map(Some),
        _ => None,
    }
}

fn list<'a, T>(body: &mut Reader<'a>, mut read: impl FnMut(&mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
    (0..body.varint()?).map(|_| read(body)).collect()
}
