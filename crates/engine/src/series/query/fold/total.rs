//! Sums and averages.

use crate::series::{
    Aggregate, Scalar,
    column::Summary,
    number::Sum,
    query::{
        fold::{Fold, finite},
        slice::{Slice, SliceValues},
    },
};

/// A sum of numbers: exact as long as they are integers or booleans.
#[derive(Debug, Default)]
pub(in super::super) struct Total {
    floats: Sum,
    ints: i128,
    has_floats: bool,
    count: u64,
}

impl Total {
    /// The nearest float.
    pub(in super::super) fn float(&self) -> f64 {
        if !self.has_floats {
            return self.ints as f64;
        }
        let mut sum = self.floats;
        sum.merge(Sum::from(self.ints));
        sum.total()
    }

    fn add_ints<T: Copy + Into<i128>>(&mut self, values: &[T]) {
        self.ints += values.iter().map(|value| (*value).into()).sum::<i128>();
        self.count += values.len() as u64;
    }

    fn add_scalar(&mut self, value: &Scalar) {
        if let Some(value) = value.integer() {
            self.ints += value;
            self.count += 1;
        } else if let Some(value) = value.float() {
            self.has_floats = true;
            self.floats.add(value);
            self.count += 1;
        }
    }
}

impl Fold for Total {
    fn add(&mut self, _: u32, points: Slice<'_>) -> usize {
        match points.values() {
            SliceValues::Float(values) => {
                self.has_floats = true;
                self.floats.add_all(values);
                self.count += values.len() as u64;
            }
            SliceValues::Int(values) => self.add_ints(values),
            SliceValues::Uint(values) => self.add_ints(values),
            SliceValues::Bool(values) => self.add_ints(values),
            SliceValues::Text(_) => {}
            SliceValues::Mixed(values) => values.iter().for_each(|value| self.add_scalar(value)),
        }
        0
    }
    fn takes(summary: &Summary) -> bool {
        summary.numbers.is_some()
    }
    fn add_block(&mut self, _: u32, summary: &Summary) {
        let Some(numbers) = &summary.numbers else { return };
        self.count += u64::from(summary.count);
        match numbers.exact {
            Some(exact) => self.ints += exact,
            None => {
                self.has_floats = true;
                self.floats.merge(Sum::new(numbers.sum));
            }
        }
    }
    fn merge(&mut self, other: Self) {
        self.floats.merge(other.floats);
        self.ints += other.ints;
        self.has_floats |= other.has_floats;
        self.count += other.count;
    }
    fn value(self, what: Aggregate) -> Option<Scalar> {
        if self.count == 0 {
            return None;
        }
        match what {
            Aggregate::Avg => finite(self.float() / self.count as f64),
            _ if self.has_floats => finite(self.float()),
            _ => Some(i64::try_from(self.ints).map_or(Scalar::Float(self.ints as f64), Scalar::Int)),
        }
    }
}
