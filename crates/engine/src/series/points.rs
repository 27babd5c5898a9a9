//! The points of one write.

use std::collections::HashSet;

use crate::series::{FieldType, SeriesKey};

/// A series that exists; see [`crate::Engine::find_series`]. Means nothing in another epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesRef(pub(crate) u32);

/// A field that exists, of the measurement of a series; likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRef(pub(crate) u32);

/// Set in the number of a series or field that is new to the caller: the rest is its index in [`Points`].
pub(crate) const NEW: u32 = 1 << 31;

/// Lines of points for one write, in their order: of two values for the same instant of the same column the later one
/// wins. Filled line by line: its values, then [`Points::end`] or [`Points::end_new`].
#[derive(Debug, Clone, Default)]
pub struct Points {
    /// The epoch of all references; 0 = there are none.
    pub(crate) epoch: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) values: Vec<Sample>,
    pub(crate) text: Vec<u8>,
    pub(crate) new_series: Vec<SeriesKey>,
    pub(crate) new_fields: Vec<Box<str>>,
}

/// A line: its values follow those of the line before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) time: i64,
    pub(crate) series: u32,
    pub(crate) values_end: u32,
}

/// A value: for text, offset and length in [`Points::text`], else its bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) field: u32,
    pub(crate) kind: FieldType,
    pub(crate) bits: u64,
}

/// Where [`Points`] stood before a line that turns out bad.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    values: usize,
    text: usize,
    new_series: usize,
    new_fields: usize,
}

impl Points {
    /// Lines, with references of `epoch`.
    pub fn new(epoch: u64) -> Self {
        Points { epoch, ..Points::default() }
    }
    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Where the values of the next line begin.
    pub fn mark(&self) -> Mark {
        Mark {
            values: self.values.len(),
            text: self.text.len(),
            new_series: self.new_series.len(),
            new_fields: self.new_fields.len(),
        }
    }
    /// Forgets the values since `mark`.
    pub fn rewind(&mut self, mark: Mark) {
        self.values.truncate(mark.values);
        self.text.truncate(mark.text);
        self.new_series.truncate(mark.new_series);
        self.new_fields.truncate(mark.new_fields);
    }

    /// A field by its name, for values of this line and, unless it is abandoned, of later ones of the same measurement.
    pub fn new_field(&mut self, name: &str) -> FieldRef {
        self.new_fields.push(name.into());
        FieldRef(NEW | (self.new_fields.len() - 1) as u32)
    }
    /// A value.
    pub fn float(&mut self, field: FieldRef, value: f64) {
        self.sample(field, FieldType::Float, value.to_bits());
    }
    /// A value.
    pub fn int(&mut self, field: FieldRef, value: i64) {
        self.sample(field, FieldType::Int, value as u64);
    }
    /// A value.
    pub fn uint(&mut self, field: FieldRef, value: u64) {
        self.sample(field, FieldType::Uint, value);
    }
    /// A value.
    pub fn bool(&mut self, field: FieldRef, value: bool) {
        self.sample(field, FieldType::Bool, u64::from(value));
    }
    /// A value; `fill` appends its UTF-8 to what it is given.
    pub fn text(&mut self, field: FieldRef, fill: impl FnOnce(&mut Vec<u8>)) {
        let at = self.text.len();
        fill(&mut self.text);
        let len = self.text.len() - at;
        self.sample(field, FieldType::Text, Sample::text_bits(at, len));
    }
    fn sample(&mut self, field: FieldRef, kind: FieldType, bits: u64) {
        self.values.push(Sample { field: field.0, kind, bits });
    }

    /// Of values of one field since `mark` keeps the last.
    pub fn keep_last(&mut self, mark: Mark) {
        let line = self.values.split_off(mark.values);
        let mut seen = HashSet::with_capacity(line.len());
        let last = line.into_iter().rev().filter(|sample| seen.insert(sample.field));
        self.values.extend(last);
        self.values[mark.values..].reverse();
    }

    /// Ends a line of a known series: its values are those since the line before, at least one.
    pub fn end(&mut self, series: SeriesRef, time: i64) {
        self.lines.push(Line { time, series: series.0, values_end: self.values.len() as u32 });
    }
    /// Ends a line of a series by its key; further lines of these points may be of what it returns.
    pub fn end_new(&mut self, series: SeriesKey, time: i64) -> SeriesRef {
        self.new_series.push(series);
        let series = SeriesRef(NEW | (self.new_series.len() - 1) as u32);
        self.end(series, time);
        series
    }
}

impl Sample {
    /// Text of `len` bytes at `at`. No request and no chunk comes near 4 GiB.
    pub(crate) fn text_bits(at: usize, len: usize) -> u64 {
        (at as u64) << 32 | len as u64
    }
    /// A text's bytes, out of all text.
    pub(crate) fn text<'a>(&self, all: &'a [u8]) -> &'a [u8] {
        let (at, len) = ((self.bits >> 32) as usize, self.bits as u32 as usize);
        all.get(at..).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }
}
