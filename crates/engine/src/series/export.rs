//! Time series, as lines of an export: for each field of each series its points by time, those of blocks and those that
//! are in no block yet. Points that are too old to be seen are left out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use foldhash::quality::RandomState;

use crate::{
    Error, Namespace, Result,
    export::{
        Cut, Record, Sink,
        record::PointsLine,
        text::{Real, Text},
    },
    keys,
    series::{
        FieldType, Scalar, block,
        catalog::{self, Loaded, Series},
        chunk::ChunkReader,
        points::Sample,
        seal,
    },
    types::Rows,
};

/// Points of one line, and about how many bytes of text.
const POINTS: usize = 1024;
const TEXT_BYTES: usize = 64 << 10;

/// A column: its series' id and its field's number.
type Column = (u64, u32);

/// All points: by namespace, measurement, tags, field and time.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    let (mut spaces, _) = catalog::load(cut)?;
    spaces.sort_unstable_by(|a, b| a.namespace.cmp(&b.namespace));
    for space in spaces.iter().filter(|space| cut.has(space.namespace.as_bytes())) {
        let mut newest = newest(cut, space)?;
        let mut series: Vec<&Arc<Series>> = space.catalog.all_series().collect();
        series.sort_unstable_by(|a, b| (&a.measurement.name, &a.tags).cmp(&(&b.measurement.name, &b.tags)));
        for series in series {
            let fields = space.catalog.fields(&series.measurement);
            let mut fields: Vec<_> = (0u32..).zip(fields).map(|(number, field)| (&field.name, number)).collect();
            fields.sort_unstable();
            for (name, number) in fields {
                let buffered = newest.remove(&(series.id, number)).unwrap_or_default();
                let line = line(&space.namespace, series, name);
                column(cut, (series.id, number), buffered, Lines::new(cut, space, series, line, sink))?;
            }
        }
    }
    Ok(())
}

/// The points of a namespace that are in no block: of two at one instant the later.
fn newest(cut: &Cut, space: &Loaded) -> Result<HashMap<Column, BTreeMap<i64, Scalar>, RandomState>> {
    let unreadable = || Error::unreadable("a chunk of points");
    let known: std::collections::HashSet<u64, RandomState> =
        space.catalog.all_series().map(|series| series.id).collect();
    let mut marks: HashMap<Column, u64, RandomState> = HashMap::default();
    let mut found: HashMap<Column, BTreeMap<i64, Scalar>, RandomState> = HashMap::default();
    let mut values: Vec<Sample> = Vec::new();
    for (key, row) in Rows::all(cut, keys::SERIES_CHUNK, &keys::number(space.id)) {
        let (_, number) = keys::read_series_chunk(&key).ok_or_else(unreadable)?;
        let body = row.body()?;
        let mut reader = ChunkReader::new(&row, &body)?;
        while let Some((series, time)) = reader.next(&mut values)? {
            // One that is not there was deleted.
            if !known.contains(&series) {
                continue;
            }
            for value in &values {
                let column = (series, value.field);
                let sealed = match marks.get(&column) {
                    Some(sealed) => *sealed,
                    None => {
                        let row = cut.get(keys::SERIES_MARK, &keys::series_mark(series, value.field));
                        let sealed = row.as_ref().map(seal::read_mark).transpose()?.unwrap_or(0);
                        *marks.entry(column).or_insert(sealed)
                    }
                };
                if number > sealed {
                    found.entry(column).or_default().insert(time, scalar(value, reader.text()));
                }
            }
        }
    }
    Ok(found)
}

fn scalar(value: &Sample, text: &[u8]) -> Scalar {
    match value.kind {
        FieldType::Float => Scalar::Float(f64::from_bits(value.bits)),
        FieldType::Int => Scalar::Int(value.bits.cast_signed()),
        FieldType::Uint => Scalar::Uint(value.bits),
        FieldType::Bool => Scalar::Bool(value.bits != 0),
        FieldType::Text => Scalar::Text(Bytes::copy_from_slice(value.text(text))),
    }
}

/// Points of blocks and newer ones, which win, in one order.
fn column(cut: &Cut, (series, field): Column, newest: BTreeMap<i64, Scalar>, mut lines: Lines<'_>) -> Result<()> {
    let mut blocks = Vec::new();
    for (_, row) in Rows::all(cut, keys::SERIES_BLOCK, &keys::series_field(series, field)) {
        blocks.push((block::read_head(row.head())?, row));
    }
    blocks.sort_unstable_by_key(|(summary, _)| summary.first);
    let mut newest = newest.into_iter().peekable();
    for (summary, row) in &blocks {
        let run = block::decode(summary, &row.body()?)?;
        for (index, time) in run.times.iter().enumerate() {
            while let Some((time, value)) = newest.next_if(|(newer, _)| newer < time) {
                lines.put(time, value)?;
            }
            let value = match newest.next_if(|(newer, _)| newer == time) {
                Some((_, value)) => Some(value),
                None => run.values.get(index),
            };
            lines.put(*time, value.ok_or_else(|| Error::unreadable("a block of a time series"))?)?;
        }
    }
    newest.try_for_each(|(time, value)| lines.put(time, value))?;
    lines.end()
}

fn line(namespace: &Namespace, series: &Series, field: &str) -> PointsLine {
    PointsLine {
        namespace: Text::of(namespace.as_bytes()),
        measurement: series.measurement.name.to_string(),
        tags: series.tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect(),
        field: field.to_owned(),
        times: Vec::new(),
        floats: Vec::new(),
        ints: Vec::new(),
        uints: Vec::new(),
        bools: Vec::new(),
        texts: Vec::new(),
    }
}

/// Points of one column, some to a line; those of one line are of one type.
struct Lines<'a> {
    /// Without points.
    line: PointsLine,
    /// Earlier points are not seen any more.
    oldest: i64,
    kind: Option<FieldType>,
    bytes: usize,
    filled: PointsLine,
    sink: &'a mut Sink,
}

impl<'a> Lines<'a> {
    fn new(cut: &Cut, space: &Loaded, series: &Series, line: PointsLine, sink: &'a mut Sink) -> Self {
        let rules = &cut.live.series_retention;
        let oldest = rules.oldest_visible(&space.namespace, &series.measurement.name, cut.now_nanos);
        Lines { filled: line.clone(), line, oldest, kind: None, bytes: 0, sink }
    }

    fn put(&mut self, time: i64, value: Scalar) -> Result<()> {
        if time < self.oldest {
            return Ok(());
        }
        let full = self.filled.times.len() >= POINTS || self.bytes >= TEXT_BYTES;
        if full || self.kind.is_some_and(|kind| kind != value.kind()) {
            self.end()?;
        }
        self.kind = Some(value.kind());
        self.filled.times.push(time);
        match value {
            Scalar::Float(value) => self.filled.floats.push(Real(value)),
            Scalar::Int(value) => self.filled.ints.push(value),
            Scalar::Uint(value) => self.filled.uints.push(value),
            Scalar::Bool(value) => self.filled.bools.push(value),
            Scalar::Text(value) => {
                self.bytes += value.len();
                let text = String::from_utf8(value.to_vec());
                self.filled.texts.push(text.map_err(|_| Error::unreadable("a text of a time series"))?);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if self.filled.times.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let filled = std::mem::replace(&mut self.filled, self.line.clone());
        self.sink.put(&Record::Points(filled))
    }
}
