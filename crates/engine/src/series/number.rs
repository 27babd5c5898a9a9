//! Numbers of columns: one order over all types, and sums that do not depend on how points were cut into pieces.

use std::cmp::Ordering;

use crate::series::{FieldType, Scalar};

#[cfg(test)]
mod tests;

impl Scalar {
    /// Its type.
    pub fn kind(&self) -> FieldType {
        match self {
            Scalar::Float(_) => FieldType::Float,
            Scalar::Int(_) => FieldType::Int,
            Scalar::Uint(_) => FieldType::Uint,
            Scalar::Bool(_) => FieldType::Bool,
            Scalar::Text(_) => FieldType::Text,
        }
    }

    /// The nearest float, 1 and 0 for true and false; none for text.
    pub(crate) fn float(&self) -> Option<f64> {
        match self {
            Scalar::Float(value) => Some(*value),
            Scalar::Int(value) => Some(*value as f64),
            Scalar::Uint(value) => Some(*value as f64),
            Scalar::Bool(value) => Some(f64::from(u8::from(*value))),
            Scalar::Text(_) => None,
        }
    }

    /// The integer, 1 and 0 for true and false; none for floats and text.
    pub(crate) fn integer(&self) -> Option<i128> {
        match self {
            Scalar::Int(value) => Some(i128::from(*value)),
            Scalar::Uint(value) => Some(i128::from(*value)),
            Scalar::Bool(value) => Some(i128::from(*value)),
            Scalar::Float(_) | Scalar::Text(_) => None,
        }
    }

    /// A total order: by value, exactly, whatever the types; what is equal by value, by type. -0 is below 0. Text comes
    /// after numbers.
    pub(crate) fn order(&self, other: &Scalar) -> Ordering {
        let by_value = match (self, other) {
            (Scalar::Float(a), Scalar::Float(b)) => a.total_cmp(b),
            (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
            (Scalar::Text(_), _) => Ordering::Greater,
            (_, Scalar::Text(_)) => Ordering::Less,
            (Scalar::Float(a), b) => float_to_integer(*a, b.integer().unwrap_or_default()),
            (a, Scalar::Float(b)) => float_to_integer(*b, a.integer().unwrap_or_default()).reverse(),
            (a, b) => a.integer().cmp(&b.integer()),
        };
        by_value.then_with(|| (self.kind() as u8).cmp(&(other.kind() as u8)))
    }
}

/// How a float compares with an integer of at most 65 bits.
fn float_to_integer(float: f64, integer: i128) -> Ordering {
    // The cast saturates far beyond such integers and cuts towards zero: what it cut off decides between equals.
    let whole = float as i128;
    whole.cmp(&integer).then_with(|| float.total_cmp(&(whole as f64)))
}

/// A sum of floats as an unevaluated sum of two (double-double): about 106 bits, so that in whatever order points are
/// added the nearest float is the same.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    pub(crate) fn new((high, low): (f64, f64)) -> Self {
        Sum { high, low }
    }

    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let (high, lost) = two_sum(self.high, value);
        self.set(high, self.low + lost);
    }

    /// Adds values, quicker than one by one.
    pub(crate) fn add_all(&mut self, values: &[f64]) {
        let Sum { mut high, mut low } = *self;
        for value in values {
            let lost;
            (high, lost) = two_sum(high, *value);
            // What is lost stays far below what is left of the 106 bits before it is set right again.
            low += lost;
        }
        self.set(high, low);
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: Sum) {
        let (high, lost) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, lost) = quick_two_sum(high, lost + low);
        self.set(high, lost + rest);
    }

    #[inline]
    fn set(&mut self, high: f64, low: f64) {
        let (high, low) = quick_two_sum(high, low);
        // Once beyond all floats it stays there, without a sign: two that went beyond on opposite sides have no sum.
        (self.high, self.low) = if high.is_finite() { (high, low) } else { (f64::INFINITY, 0.0) };
    }

    /// The nearest float; infinite when a sum on the way was beyond all.
    pub(crate) fn total(self) -> f64 {
        self.high + self.low
    }

    pub(crate) fn parts(self) -> (f64, f64) {
        (self.high, self.low)
    }
}

impl From<i128> for Sum {
    /// Exact for what is below 2^106.
    fn from(exact: i128) -> Self {
        let high = exact as f64;
        Sum { high, low: exact.saturating_sub(high as i128) as f64 }
    }
}

/// The rounded sum of two floats, and what rounding lost (Knuth).
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// The same for |a| >= |b| (Dekker).
#[inline]
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}
