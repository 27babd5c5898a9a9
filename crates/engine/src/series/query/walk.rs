//! The points of a column in their order, out of its blocks and what is newer than they are; without copying any.

use crate::{
    Result,
    series::{
        column::{ColumnView, Summary},
        query::{budget::Budget, slice::Slice},
    },
};

/// What is shown the points of a stream, in their order.
pub(super) trait Visit {
    /// A whole block at once, if that is enough; otherwise false, and its points follow.
    fn block(&mut self, summary: &Summary) -> Result<bool>;
    /// At least one point.
    fn points(&mut self, points: Slice<'_>) -> Result<()>;
}

/// Shows the points of a column between two instants, both included.
pub(super) fn walk(column: &ColumnView, range: (i64, i64), budget: &Budget<'_>, visit: &mut impl Visit) -> Result<()> {
    let mut newer = Slice::of(&column.newer).within(range);
    for block in &column.blocks {
        budget.check()?;
        let Summary { first, last, .. } = *block.summary;
        if last < range.0 || first > range.1 {
            continue;
        }
        let (before, rest) = newer.split_before(first);
        show(before, visit)?;
        let (over, after) = rest.split_after(last);
        newer = after;
        let is_whole = over.is_empty() && range.0 <= first && last <= range.1;
        if is_whole && visit.block(&block.summary)? {
            continue;
        }
        let run = block.read()?;
        merge(Slice::of(&run).within(range), over, visit)?;
    }
    show(newer, visit)
}

/// Shows two runs of points as one; at the same instant the newer point counts.
fn merge(mut older: Slice<'_>, mut newer: Slice<'_>, visit: &mut impl Visit) -> Result<()> {
    while let Some(&next) = newer.times().first() {
        let (before, rest) = older.split_before(next);
        show(before, visit)?;
        let replaced = rest.times().first() == Some(&next);
        older = rest.split_at(usize::from(replaced)).1;
        let (due, after) = match older.times().first() {
            Some(&time) => newer.split_before(time),
            None => newer.split_at(newer.len()),
        };
        show(due, visit)?;
        newer = after;
    }
    show(older, visit)
}

fn show(points: Slice<'_>, visit: &mut impl Visit) -> Result<()> {
    if points.is_empty() { Ok(()) } else { visit.points(points) }
}

/// A range with the same end that still holds the latest `points` points of a column, all of them when it has less; often
/// much shorter.
pub(super) fn latest(column: &ColumnView, range: (i64, i64), points: usize) -> (i64, i64) {
    let newer = Slice::of(&column.newer).within(range);
    let mut from = match newer.len().checked_sub(points) {
        Some(at) if at < newer.len() => newer.times()[at],
        _ => range.0,
    };
    let mut left = points;
    for block in column.blocks.iter().rev() {
        let Summary { first, last, count, .. } = *block.summary;
        if range.0 <= first && last <= range.1 {
            left = left.saturating_sub(count as usize);
            if left == 0 {
                from = from.max(first);
                break;
            }
        }
    }
    (from, range.1)
}
