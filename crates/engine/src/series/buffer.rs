//! Points of a column as they came, and with which chunks of the log.

use bytes::Bytes;

use crate::series::{
    FieldType, Scalar,
    column::{Run, Values},
    points::Sample,
};

#[cfg(test)]
mod tests;

/// Bytes a point takes in memory, about: its time, its value, and what vectors that grow keep free.
const POINT_BYTES: usize = 24;
/// Points that a buffer which was long once keeps space for.
const KEPT: usize = 2048;

/// Points in the order of their arrival: of two at the same instant the later one wins.
#[derive(Debug)]
pub(crate) struct Buffer {
    points: Run,
    /// Ascending in both: a chunk, and how many points had come when it was applied.
    chunks: Vec<(u64, usize)>,
}

/// Points that left a buffer.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    /// Of each chunk so many.
    pub(crate) chunks: Vec<(u64, usize)>,
    pub(crate) points: usize,
    /// What they took.
    pub(crate) bytes: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer { points: Run::new(FieldType::Float), chunks: Vec::new() }
    }
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.points.times.len()
    }

    /// The oldest chunk that has a point here.
    pub(crate) fn oldest_chunk(&self) -> Option<u64> {
        self.chunks.first().map(|(chunk, _)| *chunk)
    }

    /// Adds a point of a chunk that is not older than those before; the bytes it takes.
    pub(crate) fn push(&mut self, chunk: u64, time: i64, value: &Sample, text: &[u8]) -> usize {
        self.points.times.push(time);
        let len = self.points.times.len();
        match self.chunks.last_mut() {
            Some((last, end)) if *last == chunk => *end = len,
            _ => self.chunks.push((chunk, len)),
        }
        match (&mut self.points.values, value.kind) {
            (Values::Float(values), FieldType::Float) => values.push(f64::from_bits(value.bits)),
            (Values::Int(values), FieldType::Int) => values.push(value.bits as i64),
            (Values::Uint(values), FieldType::Uint) => values.push(value.bits),
            (Values::Bool(values), FieldType::Bool) => values.push(value.bits != 0),
            (values, FieldType::Text) => {
                let value = Bytes::copy_from_slice(value.text(text));
                let bytes = POINT_BYTES + value.len();
                values.push(Scalar::Text(value));
                return bytes;
            }
            (values, _) => values.push(value.number()),
        }
        POINT_BYTES
    }

    /// How many points came up to a chunk, and with it.
    pub(crate) fn through(&self, chunk: u64) -> usize {
        let known = self.chunks.partition_point(|(of, _)| *of <= chunk);
        known.checked_sub(1).map_or(0, |last| self.chunks[last].1)
    }

    /// The first so many points in the order of their arrival.
    pub(crate) fn first(&self, count: usize) -> Run {
        self.points.slice(0..count)
    }

    /// Takes away the first so many points, which end with a chunk.
    pub(crate) fn drop_first(&mut self, count: usize) -> Dropped {
        let gone = self.chunks.partition_point(|(_, end)| *end <= count);
        let mut before = 0;
        let of_chunk = |(chunk, end)| (chunk, end - std::mem::replace(&mut before, end));
        let chunks = self.chunks.drain(..gone).map(of_chunk).collect();
        self.chunks.iter_mut().for_each(|(_, end)| *end -= count);
        let text = match &self.points.values {
            Values::Text(values) => values[..count].iter().map(Bytes::len).sum(),
            _ => 0,
        };
        if count == self.len() && self.points.times.capacity() > KEPT {
            *self = Buffer::default();
        } else {
            self.points.times.drain(..count);
            self.points.values.drop_first(count);
        }
        // What comes next may be of one type again.
        if self.len() == 0 && matches!(self.points.values, Values::Mixed(_)) {
            self.points.values = Values::of(FieldType::Float);
        }
        Dropped { chunks, points: count, bytes: count * POINT_BYTES + text }
    }
}

impl Sample {
    fn number(&self) -> Scalar {
        match self.kind {
            FieldType::Float => Scalar::Float(f64::from_bits(self.bits)),
            FieldType::Int => Scalar::Int(self.bits as i64),
            FieldType::Uint => Scalar::Uint(self.bits),
            FieldType::Bool | FieldType::Text => Scalar::Bool(self.bits != 0),
        }
    }
}
