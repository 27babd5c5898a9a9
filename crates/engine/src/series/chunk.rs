//! Chunks: the points of a write as they came, one row of the log. They are read once more, when the engine starts; the
//! row goes when all its points are in blocks.

use manifold_store::Row;

use crate::{
    Error, Result, codec,
    series::{FieldType, points::Sample},
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;

/// The lowest bits of a value's first number say its type, those above which field it is of.
const KIND_BITS: u32 = 3;
const FLOAT: u64 = 0;
const INT: u64 = 1;
const UINT: u64 = 2;
const FALSE: u64 = 3;
const TRUE: u64 = 4;
const TEXT: u64 = 5;

/// Writes the body of a chunk line by line: series and times as differences to the line before, which are small.
#[derive(Debug, Default)]
pub(crate) struct ChunkWriter {
    body: Vec<u8>,
    series: u64,
    time: i64,
    values: u64,
}

impl ChunkWriter {
    /// Adds a line; `text` is where its text values lie.
    pub(crate) fn line(&mut self, series: u64, time: i64, values: &[Sample], text: &[u8]) {
        let body = &mut self.body;
        codec::put_signed(body, series.wrapping_sub(self.series) as i64);
        codec::put_signed(body, time.wrapping_sub(self.time));
        codec::put_varint(body, values.len() as u64);
        for value in values {
            let kind = |kind| u64::from(value.field) << KIND_BITS | kind;
            match value.kind {
                FieldType::Float => {
                    codec::put_varint(body, kind(FLOAT));
                    body.extend_from_slice(&value.bits.to_le_bytes());
                }
                FieldType::Int => {
                    codec::put_varint(body, kind(INT));
                    codec::put_signed(body, value.bits as i64);
                }
                FieldType::Uint => {
                    codec::put_varint(body, kind(UINT));
                    codec::put_varint(body, value.bits);
                }
                FieldType::Bool => codec::put_varint(body, kind(if value.bits == 0 { FALSE } else { TRUE })),
                FieldType::Text => {
                    codec::put_varint(body, kind(TEXT));
                    codec::put_bytes(body, value.text(text));
                }
            }
        }
        self.series = series;
        self.time = time;
        self.values += values.len() as u64;
    }

    /// Values so far.
    pub(crate) fn values(&self) -> u64 {
        self.values
    }

    /// The row's head.
    pub(crate) fn head(&self) -> Vec<u8> {
        codec::number_head(ENCODING, self.values)
    }

    /// The row's body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Reads the lines of a chunk in order.
pub(crate) struct ChunkReader<'a> {
    body: &'a [u8],
    reader: codec::Reader<'a>,
    series: u64,
    time: i64,
    /// Of the values in the head, those not read yet.
    left: u64,
}

impl<'a> ChunkReader<'a> {
    /// A reader of `body`, the body of `row`.
    pub(crate) fn new(row: &Row, body: &'a [u8]) -> Result<Self> {
        ChunkReader::open(row.head(), body).ok_or_else(unreadable)
    }

    pub(crate) fn open(head: &[u8], body: &'a [u8]) -> Option<Self> {
        let left = codec::read_number_head(ENCODING, head)?;
        Some(ChunkReader { body, reader: codec::Reader::new(body), series: 0, time: 0, left })
    }

    /// The next line: its series and time. `values` is filled with its values; what they say of text refers to
    /// [`ChunkReader::text`].
    pub(crate) fn next(&mut self, values: &mut Vec<Sample>) -> Result<Option<(u64, i64)>> {
        values.clear();
        if self.left == 0 {
            return Ok(None);
        }
        self.line(values).map(Some).ok_or_else(unreadable)
    }

    /// Where the text of the values lies.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.body
    }

    fn line(&mut self, values: &mut Vec<Sample>) -> Option<(u64, i64)> {
        let reader = &mut self.reader;
        self.series = self.series.wrapping_add(reader.signed()? as u64);
        self.time = self.time.wrapping_add(reader.signed()?);
        let count = reader.varint()?;
        self.left = self.left.checked_sub(count).filter(|_| count > 0)?;
        for _ in 0..count {
            values.push(value(reader)?);
        }
        Some((self.series, self.time))
    }
}

fn value(reader: &mut codec::Reader<'_>) -> Option<Sample> {
    let first = reader.varint()?;
    let field = u32::try_from(first >> KIND_BITS).ok()?;
    let (kind, bits) = match first & ((1 << KIND_BITS) - 1) {
        FLOAT => (FieldType::Float, u64::from_le_bytes(reader.array()?)),
        INT => (FieldType::Int, reader.signed()? as u64),
        UINT => (FieldType::Uint, reader.varint()?),
        FALSE => (FieldType::Bool, 0),
        TRUE => (FieldType::Bool, 1),
        TEXT => {
            let len = reader.bytes()?.len();
            (FieldType::Text, Sample::text_bits(reader.position() - len, len))
        }
        _ => return None,
    };
    Some(Sample { field, kind, bits })
}

fn unreadable() -> Error {
    Error::unreadable("a chunk of points")
}
