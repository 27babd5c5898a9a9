//! What an aggregate keeps of the points of a window.

use crate::series::{Aggregate, Scalar, column::Summary, query::slice::Slice};

mod count;
mod edge;
mod extreme;
mod percentile;
mod total;

pub(super) use count::Count;
pub(super) use edge::Edge;
pub(super) use extreme::Extreme;
pub(super) use percentile::Sample;
pub(super) use total::Total;

/// What is kept of the points of a window, of all streams that an aggregate pools. The order in which streams are added
/// does not matter: where it would, their ranks decide.
pub(super) trait Fold: Default + Send {
    /// Adds points of the stream of a rank, at least one, later than those of it before; tells how many bytes of memory
    /// that took, beside its own.
    fn add(&mut self, rank: u32, points: Slice<'_>) -> usize;
    /// Whether what is known of a block is enough.
    fn takes(summary: &Summary) -> bool;
    /// Adds such a block.
    fn add_block(&mut self, rank: u32, summary: &Summary);
    /// Adds what another one keeps of the same window.
    fn merge(&mut self, other: Self);
    /// The value; none when there is none, or none that is finite.
    fn value(self, what: Aggregate) -> Option<Scalar>;
    /// The time of the value, if it is that of a point.
    fn time(&self) -> Option<i64> {
        None
    }
}

/// An integer that fits 64 bits with a sign, or the float nearest to it.
fn integer(value: i128) -> Scalar {
    i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int)
}

fn finite(value: f64) -> Option<Scalar> {
    // Of the two zeros, the one that does not depend on the order of points.
    value.is_finite().then_some(Scalar::Float(value + 0.0))
}
