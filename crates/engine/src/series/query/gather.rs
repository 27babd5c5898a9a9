//! Points collected one after another.

use bytes::Bytes;

use crate::series::{
    FieldType, Point, Scalar,
    column::Run,
    query::slice::{Slice, SliceValues},
};

impl Slice<'_> {
    /// A copy.
    pub(super) fn to_run(self) -> Run {
        self.run().slice(self.range())
    }
    /// Bytes of a copy.
    pub(super) fn size_bytes(self) -> usize {
        let values_bytes = match self.values() {
            SliceValues::Float(values) => size_of_val(values),
            SliceValues::Int(values) => size_of_val(values),
            SliceValues::Uint(values) => size_of_val(values),
            SliceValues::Bool(values) => size_of_val(values),
            SliceValues::Text(values) => size_of_val(values) + values.iter().map(Bytes::len).sum::<usize>(),
            SliceValues::Mixed(values) => size_of_val(values),
        };
        size_of_val(self.times()) + values_bytes
    }
}

/// No points.
pub(super) fn none() -> Run {
    Run::new(FieldType::Float)
}

/// Adds copies of points that come after all others.
pub(super) fn append(run: &mut Run, points: Slice<'_>) {
    match points.values() {
        SliceValues::Text(_) => points.points().for_each(|(time, value)| run.push(time, detached(value))),
        _ => run.extend(points.run(), points.range()),
    }
}

/// Forgets all but the latest so many points.
pub(super) fn keep_latest(run: &mut Run, points: usize) {
    let surplus = run.len().saturating_sub(points);
    run.times.drain(..surplus);
    run.values.drop_first(surplus);
}

/// Bytes of a point.
pub(super) fn point_bytes(value: &Scalar) -> usize {
    size_of::<Point>() + text_bytes(value)
}

pub(super) fn text_bytes(value: &Scalar) -> usize {
    if let Scalar::Text(text) = value { text.len() } else { 0 }
}

/// A text by itself: a part of a block's bytes would keep all of them in memory.
pub(super) fn detached(value: Scalar) -> Scalar {
    match value {
        Scalar::Text(text) => Scalar::Text(Bytes::copy_from_slice(&text)),
        value => value,
    }
}
