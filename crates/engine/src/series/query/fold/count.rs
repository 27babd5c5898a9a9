//! The number of points.

use crate::series::{
    Aggregate, Scalar,
    column::Summary,
    query::{fold::Fold, slice::Slice},
};

/// So many points, of any type.
#[derive(Debug, Default)]
pub(in super::super) struct Count(u64);

impl Fold for Count {
    fn add(&mut self, _: u32, points: Slice<'_>) -> usize {
        self.0 += points.len() as u64;
        0
    }
    fn takes(_: &Summary) -> bool {
        true
    }
    fn add_block(&mut self, _: u32, summary: &Summary) {
        self.0 += u64::from(summary.count);
    }
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
    fn value(self, _: Aggregate) -> Option<Scalar> {
        Some(Scalar::Int(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}
