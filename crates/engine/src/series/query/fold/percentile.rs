//! Percentiles.

use crate::series::{
    Aggregate, Scalar,
    column::Summary,
    query::{
        fold::{Fold, finite},
        slice::{Slice, SliceValues},
        step::floats,
    },
};

/// All values.
#[derive(Debug, Default)]
pub(in super::super) struct Sample(Vec<f64>);

impl Fold for Sample {
    fn add(&mut self, _: u32, points: Slice<'_>) -> usize {
        let before = self.0.len();
        match points.values() {
            SliceValues::Float(values) => self.0.extend_from_slice(values),
            SliceValues::Text(_) => {}
            _ => self.0.extend(floats(points.values())),
        }
        (self.0.len() - before) * size_of::<f64>()
    }
    fn takes(_: &Summary) -> bool {
        false
    }
    fn add_block(&mut self, _: u32, _: &Summary) {}
    fn merge(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
    fn value(self, what: Aggregate) -> Option<Scalar> {
        let Aggregate::Percentile(percent) = what else { return None };
        percentile(self.0, percent).and_then(finite)
    }
}

/// Linear interpolation between the two values around the rank.
fn percentile(mut values: Vec<f64>, percent: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let rank = (percent / 100.0 * last as f64).clamp(0.0, last as f64);
    let (at, part) = (rank as usize, rank.fract());
    let (_, &mut below, above) = values.select_nth_unstable_by(at, f64::total_cmp);
    let Some(above) = above.iter().copied().min_by(f64::total_cmp).filter(|_| part > 0.0) else { return Some(below) };
    let distance = above - below;
    // Two values may lie further apart than floats reach.
    Some(if distance.is_finite() { below + distance * part } else { below * (1.0 - part) + above * part })
}
