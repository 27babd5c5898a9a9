//! Building, cutting and joining the points of a column.

use std::ops::Range;

use bytes::Bytes;

use crate::series::{
    FieldType, Scalar,
    column::{Run, Values},
};

#[cfg(test)]
mod tests;

/// Does the same with the vector of whichever type it is.
macro_rules! each_type {
    ($values:expr, $vector:ident => $do:expr) => {
        match $values {
            Values::Float($vector) => $do,
            Values::Int($vector) => $do,
            Values::Uint($vector) => $do,
            Values::Bool($vector) => $do,
            Values::Text($vector) => $do,
            Values::Mixed($vector) => $do,
        }
    };
}

/// Makes the same of the vector of whichever type it is.
macro_rules! map_type {
    ($values:expr, $vector:ident => $make:expr) => {
        match $values {
            Values::Float($vector) => Values::Float($make),
            Values::Int($vector) => Values::Int($make),
            Values::Uint($vector) => Values::Uint($make),
            Values::Bool($vector) => Values::Bool($make),
            Values::Text($vector) => Values::Text($make),
            Values::Mixed($vector) => Values::Mixed($make),
        }
    };
}

impl Values {
    /// No values, ready for those of one type.
    pub(crate) fn of(kind: FieldType) -> Self {
        match kind {
            FieldType::Float => Values::Float(Vec::new()),
            FieldType::Int => Values::Int(Vec::new()),
            FieldType::Uint => Values::Uint(Vec::new()),
            FieldType::Bool => Values::Bool(Vec::new()),
            FieldType::Text => Values::Text(Vec::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        each_type!(self, values => values.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the text at `index`; 0 for numbers.
    fn text_len(&self, index: usize) -> usize {
        match self {
            Values::Text(texts) => texts.get(index).map_or(0, Bytes::len),
            Values::Mixed(values) => values.get(index).map_or(0, |value| match value {
                Scalar::Text(text) => text.len(),
                _ => 0,
            }),
            _ => 0,
        }
    }

    /// The value at `index`, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<Scalar> {
        match self {
            Values::Float(values) => values.get(index).copied().map(Scalar::Float),
            Values::Int(values) => values.get(index).copied().map(Scalar::Int),
            Values::Uint(values) => values.get(index).copied().map(Scalar::Uint),
            Values::Bool(values) => values.get(index).copied().map(Scalar::Bool),
            Values::Text(values) => values.get(index).cloned().map(Scalar::Text),
            Values::Mixed(values) => values.get(index).cloned(),
        }
    }

    /// Adds a value; one of another type makes them mixed.
    pub(crate) fn push(&mut self, value: Scalar) {
        match (&mut *self, value) {
            (Values::Float(values), Scalar::Float(value)) => values.push(value),
            (Values::Int(values), Scalar::Int(value)) => values.push(value),
            (Values::Uint(values), Scalar::Uint(value)) => values.push(value),
            (Values::Bool(values), Scalar::Bool(value)) => values.push(value),
            (Values::Text(values), Scalar::Text(value)) => values.push(value),
            (Values::Mixed(values), value) => values.push(value),
            (none, value) if none.is_empty() => {
                *none = Values::of(value.kind());
                none.push(value);
            }
            (others, value) => others.mix().push(value),
        }
    }

    /// Adds those of `range`, which must lie within `other`.
    pub(crate) fn extend(&mut self, other: &Values, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match (&mut *self, other) {
            (Values::Float(to), Values::Float(from)) => to.extend_from_slice(&from[range]),
            (Values::Int(to), Values::Int(from)) => to.extend_from_slice(&from[range]),
            (Values::Uint(to), Values::Uint(from)) => to.extend_from_slice(&from[range]),
            (Values::Bool(to), Values::Bool(from)) => to.extend_from_slice(&from[range]),
            (Values::Text(to), Values::Text(from)) => to.extend_from_slice(&from[range]),
            (Values::Mixed(to), Values::Mixed(from)) => to.extend_from_slice(&from[range]),
            (none, from) if none.is_empty() => *none = from.slice(range),
            (others, from) => others.mix().extend(range.filter_map(|index| from.get(index))),
        }
    }

    /// Those of `range`, which must lie within.
    pub(crate) fn slice(&self, range: Range<usize>) -> Values {
        map_type!(self, values => values[range].to_vec())
    }

    /// Those at `indexes`, in their order.
    pub(crate) fn pick(&self, indexes: &[u32]) -> Values {
        fn of<T: Clone>(values: &[T], indexes: &[u32]) -> Vec<T> {
            indexes.iter().map(|index| values[*index as usize].clone()).collect()
        }
        map_type!(self, values => of(values, indexes))
    }

    /// Leaves out the first so many.
    pub(crate) fn drop_first(&mut self, count: usize) {
        each_type!(self, values => drop(values.drain(..count)));
    }

    /// As values that may be of any type.
    fn mix(&mut self) -> &mut Vec<Scalar> {
        if !matches!(self, Values::Mixed(_)) {
            *self = Values::Mixed((0..self.len()).filter_map(|index| self.get(index)).collect());
        }
        match self {
            Values::Mixed(values) => values,
            _ => unreachable!("made mixed just now"),
        }
    }
}

impl Run {
    /// No points.
    pub(crate) fn new(kind: FieldType) -> Self {
        Run { times: Vec::new(), values: Values::of(kind) }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Adds a point behind the others.
    pub(crate) fn push(&mut self, time: i64, value: Scalar) {
        self.times.push(time);
        self.values.push(value);
    }

    /// Adds those of `range`, which must lie within `other`, behind the others.
    pub(crate) fn extend(&mut self, other: &Run, range: Range<usize>) {
        self.times.extend_from_slice(&other.times[range.clone()]);
        self.values.extend(&other.values, range);
    }

    /// Those of `range`, which must lie within.
    pub(crate) fn slice(&self, range: Range<usize>) -> Run {
        Run { times: self.times[range.clone()].to_vec(), values: self.values.slice(range) }
    }

    /// Cuts them into pieces of about as many points each, at most `points`; and of text at most so many bytes, unless
    /// a single one is longer.
    pub(crate) fn pieces(&self, points: usize, text_bytes: usize) -> Vec<Range<usize>> {
        let count = self.len().div_ceil(points.max(1));
        let mut ends = (1..=count).map(|piece| self.len() * piece / count).peekable();
        let mut pieces = Vec::with_capacity(count);
        let (mut start, mut bytes) = (0, 0);
        for index in 0..self.len() {
            let len = self.values.text_len(index);
            let full = ends.next_if_eq(&index).is_some();
            if full || index > start && bytes + len > text_bytes {
                pieces.push(start..index);
                (start, bytes) = (index, 0);
            }
            bytes += len;
        }
        pieces.extend((start < self.len()).then_some(start..self.len()));
        pieces
    }

    /// Where the points between two instants are, both included.
    pub(crate) fn within(&self, (first, last): (i64, i64)) -> Range<usize> {
        let from = self.times.partition_point(|time| *time < first);
        from..self.times.partition_point(|time| *time <= last).max(from)
    }
}

/// Puts points in the order of time. Of those at one instant the last in the order given stays.
pub(crate) fn sort(points: Run) -> Run {
    if points.times.windows(2).all(|pair| pair[0] < pair[1]) {
        return points;
    }
    let mut order: Vec<u32> = (0..points.len() as u32).collect();
    let time = |index: u32| points.times[index as usize];
    // Stable: among equal times the order given is kept.
    order.sort_by_key(|index| time(*index));
    let mut kept: Vec<u32> = Vec::with_capacity(order.len());
    for index in order {
        match kept.last_mut() {
            Some(last) if time(*last) == time(index) => *last = index,
            _ => kept.push(index),
        }
    }
    Run { times: kept.iter().map(|index| time(*index)).collect(), values: points.values.pick(&kept) }
}

/// Joins two runs in the order of time; at one instant the newer point stays.
pub(crate) fn merge(older: &Run, newer: &Run) -> Run {
    let mut merged = Run { times: Vec::with_capacity(older.len() + newer.len()), values: older.values.slice(0..0) };
    let (mut from_older, mut from_newer) = (0, 0);
    while from_older < older.len() && from_newer < newer.len() {
        // Whole stretches at once: what is merged usually overlaps little.
        let next = newer.times[from_newer];
        let to_older = from_older + older.times[from_older..].partition_point(|time| *time < next);
        merged.extend(older, from_older..to_older);
        from_older = to_older + usize::from(older.times.get(to_older) == Some(&next));
        let limit = older.times.get(from_older).copied();
        let behind = |time: &i64| limit.is_none_or(|limit| *time < limit);
        let to_newer = from_newer + newer.times[from_newer..].partition_point(behind);
        merged.extend(newer, from_newer..to_newer);
        from_newer = to_newer;
    }
    merged.extend(older, from_older..older.len());
    merged.extend(newer, from_newer..newer.len());
    merged
}
