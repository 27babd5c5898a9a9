//! The least and the greatest value.

use crate::series::{
    Aggregate, Scalar,
    column::Summary,
    query::{
        fold::{Fold, finite, integer},
        slice::{Slice, SliceValues},
    },
};

/// The greatest number, or the least one: an exact integer as long as all are integers or booleans.
#[derive(Debug, Default)]
pub(in super::super) struct Extreme<const GREATEST: bool> {
    float: Option<f64>,
    int: Option<i128>,
    has_floats: bool,
}

impl<const GREATEST: bool> Extreme<GREATEST> {
    fn better<T: PartialOrd>(one: T, other: T) -> T {
        if (other > one) == GREATEST { other } else { one }
    }
    fn best<T: PartialOrd + Copy>(values: &[T]) -> Option<T> {
        values.iter().copied().reduce(Self::better)
    }
    fn float(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        self.has_floats = true;
        self.float = Some(self.float.map_or(value, |float| Self::better(float, value)));
    }
    fn int(&mut self, value: Option<impl Into<i128>>) {
        let Some(value) = value.map(Into::into) else { return };
        self.int = Some(self.int.map_or(value, |int| Self::better(int, value)));
    }
    fn scalar(&mut self, value: &Scalar) {
        match value {
            Scalar::Float(value) => self.float(Some(*value)),
            Scalar::Int(value) => self.int(Some(*value)),
            Scalar::Uint(value) => self.int(Some(*value)),
            Scalar::Bool(value) => self.int(Some(*value)),
            Scalar::Text(_) => {}
        }
    }
}

impl<const GREATEST: bool> Fold for Extreme<GREATEST> {
    fn add(&mut self, _: u32, points: Slice<'_>) -> usize {
        match points.values() {
            SliceValues::Float(values) => self.float(Self::best(values)),
            SliceValues::Int(values) => self.int(Self::best(values)),
            SliceValues::Uint(values) => self.int(Self::best(values)),
            SliceValues::Bool(values) => self.int(Self::best(values)),
            SliceValues::Text(_) => {}
            SliceValues::Mixed(values) => values.iter().for_each(|value| self.scalar(value)),
        }
        0
    }
    fn takes(summary: &Summary) -> bool {
        summary.numbers.is_some()
    }
    fn add_block(&mut self, _: u32, summary: &Summary) {
        let Some(numbers) = &summary.numbers else { return };
        self.has_floats |= numbers.exact.is_none();
        self.scalar(if GREATEST { &numbers.max } else { &numbers.min });
    }
    fn merge(&mut self, other: Self) {
        self.float(other.float);
        self.int(other.int);
        self.has_floats |= other.has_floats;
    }
    fn value(self, _: Aggregate) -> Option<Scalar> {
        if !self.has_floats {
            return self.int.map(integer);
        }
        let int = self.int.map(|int| int as f64);
        [self.float, int].into_iter().flatten().reduce(Self::better).and_then(finite)
    }
}
