//! The streams of points that stages pass on: columns as they are stored, or points in memory.

use std::{cmp::Ordering, sync::Arc};

use crate::{
    Result,
    series::{
        Stage,
        catalog::key_text,
        column::{Run, Source},
        query::{
            budget::{Budget, Memory},
            slice::Slice,
            step::{Step, Through},
            walk::{Visit, latest, walk},
        },
    },
};

/// A tag and its value.
pub(super) type Tag = (Arc<str>, Arc<str>);

/// Streams of points, each of one field; by field, then key.
pub(super) trait Streams: Sync {
    /// How many streams there are.
    fn len(&self) -> usize;
    /// The field of a stream.
    fn field(&self, stream: usize) -> usize;
    /// Streams of several fields may have the tags of the same member.
    fn member(&self, stream: usize) -> usize;
    /// How many members there are.
    fn members(&self) -> usize;
    /// The tags of a member.
    fn tags(&self, member: usize) -> &[Tag];
    /// The key of a stream.
    fn key(&self, stream: usize, measurement: &str) -> String;
    /// The order of two streams by their keys.
    fn compare_keys(&self, one: usize, other: usize) -> Ordering;
    /// Shows the points of a stream.
    fn walk(&self, stream: usize, budget: &Budget<'_>, visit: &mut impl Visit) -> Result<()>;
}

/// The columns that a query reads, with what is done to each by itself.
pub(super) struct Columns<'a, S> {
    pub(super) source: &'a S,
    pub(super) range: (i64, i64),
    /// Fields of the source that matter.
    pub(super) fields: Vec<usize>,
    pub(super) steps: Vec<&'a Stage>,
    /// The streams that were chosen, ascending; none = all.
    pub(super) chosen: Option<Vec<usize>>,
    /// When only so many of the latest points of each matter.
    pub(super) latest: Option<usize>,
}

impl<S: Source> Columns<'_, S> {
    /// Leaves the streams chosen, ascending, of those that there are.
    pub(super) fn narrow(&mut self, chosen: &[usize]) {
        let columns = chosen.iter().map(|stream| self.chosen.as_ref().map_or(*stream, |columns| columns[*stream]));
        self.chosen = Some(columns.collect());
    }

    /// Field (of those that matter) and series of a stream.
    fn place(&self, stream: usize) -> (usize, usize) {
        let column = self.chosen.as_ref().map_or(stream, |chosen| chosen[stream]);
        let series = self.source.series();
        (column / series, column % series)
    }
}

impl<S: Source + Sync> Streams for Columns<'_, S> {
    fn len(&self) -> usize {
        self.chosen.as_ref().map_or(self.fields.len().saturating_mul(self.source.series()), Vec::len)
    }
    fn field(&self, stream: usize) -> usize {
        self.fields[self.place(stream).0]
    }
    fn member(&self, stream: usize) -> usize {
        self.place(stream).1
    }
    fn members(&self) -> usize {
        self.source.series()
    }
    fn tags(&self, member: usize) -> &[Tag] {
        self.source.tags(member)
    }
    fn key(&self, stream: usize, measurement: &str) -> String {
        key_text(measurement, self.tags(self.member(stream)))
    }
    fn compare_keys(&self, one: usize, other: usize) -> Ordering {
        self.member(one).cmp(&self.member(other))
    }
    fn walk(&self, stream: usize, budget: &Budget<'_>, visit: &mut impl Visit) -> Result<()> {
        budget.check()?;
        let (_, series) = self.place(stream);
        let Some(column) = self.source.column(series, self.field(stream), self.range)? else { return Ok(()) };
        if self.steps.is_empty() {
            let range = self.latest.map_or(self.range, |points| latest(&column, self.range, points));
            return walk(&column, range, budget, visit);
        }
        let steps = self.steps.iter().map(|stage| Step::new(stage)).collect();
        walk(&column, self.range, budget, &mut Through { steps, visit })
    }
}

/// A stream in memory.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) field: usize,
    pub(super) key: String,
    pub(super) tags: Vec<Tag>,
    /// Pooled raw points may have the same time.
    pub(super) points: Run,
    pub(super) memory: Memory<'a>,
}

impl Streams for Vec<Held<'_>> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }
    fn field(&self, stream: usize) -> usize {
        self[stream].field
    }
    fn member(&self, stream: usize) -> usize {
        stream
    }
    fn members(&self) -> usize {
        self.as_slice().len()
    }
    fn tags(&self, member: usize) -> &[Tag] {
        &self[member].tags
    }
    fn key(&self, stream: usize, _: &str) -> String {
        self[stream].key.clone()
    }
    fn compare_keys(&self, one: usize, other: usize) -> Ordering {
        self[one].key.cmp(&self[other].key)
    }
    fn walk(&self, stream: usize, budget: &Budget<'_>, visit: &mut impl Visit) -> Result<()> {
        budget.check()?;
        let points = Slice::of(&self[stream].points);
        if points.is_empty() { Ok(()) } else { visit.points(points) }
    }
}

/// Leaves those tags on which two agree.
pub(super) fn agree(tags: &mut Vec<Tag>, others: &[Tag]) {
    if !tags.is_empty() && tags.as_slice() != others {
        tags.retain(|tag| others.binary_search(tag).is_ok());
    }
}
