//! Points of one column as storage and queries hand them to each other.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Result,
    series::{Scalar, block},
};

/// Values of points, by type; those of a mixed column are kept as they came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Float(Vec<f64>),
    Int(Vec<i64>),
    Uint(Vec<u64>),
    Bool(Vec<bool>),
    Text(Vec<Bytes>),
    /// Numeric of more than one type.
    Mixed(Vec<Scalar>),
}

/// Points of a column, ascending by time, each instant once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) times: Vec<i64>,
    pub(crate) values: Values,
}

/// What is known of a block without reading it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// Times of its first and last point.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Points, at least one.
    pub(crate) count: u32,
    /// None for text.
    pub(crate) numbers: Option<Numbers>,
}

/// What is known of numeric values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    /// Sum, as an unevaluated sum of two floats (double-double), so that it does not depend on how points were cut into
    /// blocks.
    pub(crate) sum: (f64, f64),
    /// The exact sum, where all values are integers or booleans.
    pub(crate) exact: Option<i128>,
    pub(crate) min: Scalar,
    pub(crate) max: Scalar,
    pub(crate) first: Scalar,
    pub(crate) last: Scalar,
}

/// A column as a query sees it: blocks that do not overlap, ascending, and newer points that win over those of blocks at
/// the same instant.
pub(crate) struct ColumnView {
    pub(crate) blocks: Vec<BlockView>,
    pub(crate) newer: Run,
}

/// A block: what is known of it, and how to read it.
#[derive(Clone)]
pub(crate) struct BlockView {
    pub(crate) summary: Arc<Summary>,
    /// Compressed.
    pub(crate) body: Body,
}

impl BlockView {
    /// Its points.
    pub(crate) fn read(&self) -> Result<Run> {
        match &self.body {
            Body::Row(row) => block::decode(&self.summary, &row.body()?),
            #[cfg(test)]
            Body::Bytes(body) => block::decode(&self.summary, body),
        }
    }
}

/// Where a block's bytes are.
#[derive(Clone)]
pub(crate) enum Body {
    /// In a row.
    Row(manifold_store::Row),
    /// Here.
    #[cfg(test)]
    Bytes(Bytes),
}

/// What a query reads from.
pub(crate) trait Source {
    /// How many series the query's filters let pass; they are numbered by their keys' text.
    fn series(&self) -> usize;
    /// The tags of a series, by tag.
    fn tags(&self, series: usize) -> &[(Arc<str>, Arc<str>)];
    /// The fields asked for that the measurement has, by name: the name, and whether it holds text.
    fn fields(&self) -> &[(Arc<str>, bool)];
    /// Points before this instant do not count.
    fn oldest(&self) -> i64;
    /// The column of a field of a series between two instants, both included; none = it has no points there. Blocks and
    /// newer points that lie wholly outside are left out, others may reach beyond.
    fn column(&self, series: usize, field: usize, range: (i64, i64)) -> Result<Option<ColumnView>>;
}
