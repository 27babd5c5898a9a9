//! The earliest and the latest point.

use crate::series::{
    Aggregate, Scalar,
    column::Summary,
    query::{
        fold::{Fold, integer},
        gather::{detached, text_bytes},
        slice::Slice,
    },
};

/// The latest point, or the earliest one. At one instant: of the stream with the greatest rank, or the smallest.
#[derive(Debug, Default)]
pub(in super::super) struct Edge<const LATEST: bool>(Option<Found>);

#[derive(Debug)]
struct Found {
    time: i64,
    rank: u32,
    value: Scalar,
}

impl<const LATEST: bool> Edge<LATEST> {
    /// Whether a point that comes later in its stream than the one found would take its place.
    fn yields_to(&self, time: i64, rank: u32) -> bool {
        let Some(found) = &self.0 else { return true };
        let (it, other) = ((found.time, found.rank), (time, rank));
        if LATEST { other >= it } else { other < it }
    }
    fn put(&mut self, time: i64, rank: u32, value: Scalar) -> usize {
        if !self.yields_to(time, rank) {
            return 0;
        }
        let old = self.0.as_ref().map_or(0, |found| text_bytes(&found.value));
        let value = detached(value);
        let more = text_bytes(&value).saturating_sub(old);
        self.0 = Some(Found { time, rank, value });
        more
    }
}

impl<const LATEST: bool> Fold for Edge<LATEST> {
    fn add(&mut self, rank: u32, points: Slice<'_>) -> usize {
        let at = if LATEST { points.len().saturating_sub(1) } else { 0 };
        let point = points.split_at(at).1.points().next();
        point.map_or(0, |(time, value)| self.put(time, rank, value))
    }
    fn takes(summary: &Summary) -> bool {
        summary.numbers.is_some()
    }
    fn add_block(&mut self, rank: u32, summary: &Summary) {
        let Some(numbers) = &summary.numbers else { return };
        let (time, value) = match LATEST {
            true => (summary.last, &numbers.last),
            false => (summary.first, &numbers.first),
        };
        self.put(time, rank, value.clone());
    }
    fn merge(&mut self, other: Self) {
        if let Some(found) = other.0
            && self.yields_to(found.time, found.rank)
        {
            self.0 = Some(found);
        }
    }
    fn value(self, _: Aggregate) -> Option<Scalar> {
        self.0.map(|found| match found.value {
            Scalar::Uint(value) => integer(value.into()),
            value => value,
        })
    }
    fn time(&self) -> Option<i64> {
        self.0.as_ref().map(|found| found.time)
    }
}
