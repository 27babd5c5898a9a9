//! Points that lie one after another, without a copy.

use std::ops::Range;

use bytes::Bytes;

use crate::series::{
    Scalar,
    column::{Run, Values},
};

/// Points of a [`Run`]. Those of pooled streams may have the same time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a> {
    run: &'a Run,
    from: usize,
    to: usize,
}

/// The values of a [`Slice`].
#[derive(Debug, Clone, Copy)]
pub(super) enum SliceValues<'a> {
    Float(&'a [f64]),
    Int(&'a [i64]),
    Uint(&'a [u64]),
    Bool(&'a [bool]),
    Text(&'a [Bytes]),
    Mixed(&'a [Scalar]),
}

impl<'a> Slice<'a> {
    /// All of a run.
    pub(super) fn of(run: &'a Run) -> Self {
        Slice { run, from: 0, to: run.len() }
    }
    pub(super) fn len(self) -> usize {
        self.to - self.from
    }
    pub(super) fn is_empty(self) -> bool {
        self.from == self.to
    }
    /// The run that they are of.
    pub(super) fn run(self) -> &'a Run {
        self.run
    }
    /// Where in it they are.
    pub(super) fn range(self) -> Range<usize> {
        self.from..self.to
    }
    pub(super) fn times(self) -> &'a [i64] {
        &self.run.times[self.range()]
    }
    pub(super) fn values(self) -> SliceValues<'a> {
        let range = self.range();
        match &self.run.values {
            Values::Float(values) => SliceValues::Float(&values[range]),
            Values::Int(values) => SliceValues::Int(&values[range]),
            Values::Uint(values) => SliceValues::Uint(&values[range]),
            Values::Bool(values) => SliceValues::Bool(&values[range]),
            Values::Text(values) => SliceValues::Text(&values[range]),
            Values::Mixed(values) => SliceValues::Mixed(&values[range]),
        }
    }
    /// Its points, one by one.
    pub(super) fn points(self) -> impl Iterator<Item = (i64, Scalar)> + use<'a> {
        let values = self.range().map_while(|at| self.run.values.get(at));
        self.times().iter().copied().zip(values)
    }

    /// So many points, and the rest.
    pub(super) fn split_at(self, count: usize) -> (Self, Self) {
        let middle = self.from + count.min(self.len());
        (Slice { to: middle, ..self }, Slice { from: middle, ..self })
    }
    /// The points before an instant, and the rest.
    pub(super) fn split_before(self, time: i64) -> (Self, Self) {
        self.split_at(self.times().partition_point(|at| *at < time))
    }
    /// The points up to and including an instant, and the rest. Quick when there are few of them.
    #[inline]
    pub(super) fn split_after(self, time: i64) -> (Self, Self) {
        let times = self.times();
        if times.last().is_none_or(|last| *last <= time) {
            return self.split_at(times.len());
        }
        let mut end = 1;
        while end < times.len() && times[end] <= time {
            end *= 2;
        }
        let (from, to) = (end / 2, end.min(times.len()));
        self.split_at(from + times[from..to].partition_point(|at| *at <= time))
    }
    /// The points between two instants, both included.
    pub(super) fn within(self, (from, to): (i64, i64)) -> Self {
        self.split_before(from).1.split_after(to).0
    }
}
