//! Time series: typed values at instants, by measurement, tags and field.
//!
//! A series is a measurement and a set of tags; it has a column of points for each of its fields. Writes go into one row
//! of the log per call and into buffers in memory; full buffers are sealed into compressed blocks, one row each. The
//! same instant of a column written again replaces what was there.

use std::{cmp::Ordering, sync::Arc};

use bytes::Bytes;

mod backlog;
pub(crate) mod block;
mod buffer;
mod catalog;
pub(crate) mod chunk;
mod column;
mod columns;
mod delete;
mod export;
mod list;
mod number;
mod open;
mod pattern;
mod plan;
mod points;
mod query;
mod remove;
mod restore;
mod retain;
mod run;
mod seal;
mod sealer;
mod search;
mod space;
mod stats;
mod tuning;
mod upkeep;
mod verbs;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use catalog::count_measurements;
pub(crate) use export::export;
pub(crate) use open::recover;
pub use pattern::Pattern;
pub use plan::{Aggregate, Comparison, Expr, Operator, Query, Stage, TagFilter, TagTest, UNTAGGED};
pub use points::{FieldRef, Mark, Points, SeriesRef};
pub(crate) use restore::{namespace, restore};
pub(crate) use retain::{Retain, Rules};
pub(crate) use space::Spaces;
pub(crate) use tuning::Tuning;
pub(crate) use upkeep::Seal;

/// A value of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Finite.
    Float(f64),
    /// Signed.
    Int(i64),
    /// Unsigned.
    Uint(u64),
    /// True or false.
    Bool(bool),
    /// Any UTF-8.
    Text(Bytes),
}

/// The type of a [`Scalar`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// [`Scalar::Float`].
    Float,
    /// [`Scalar::Int`].
    Int,
    /// [`Scalar::Uint`].
    Uint,
    /// [`Scalar::Bool`].
    Bool,
    /// [`Scalar::Text`].
    Text,
}

impl FieldType {
    /// Fields are either numeric (all other types, freely mixed) or text.
    pub fn is_text(self) -> bool {
        self == FieldType::Text
    }
}

/// What a series is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    measurement: Arc<str>,
    /// By tag, each once.
    tags: Box<[(Arc<str>, Arc<str>)]>,
}

impl SeriesKey {
    /// Sorts the tags. None when a tag is named twice.
    pub fn new(measurement: &str, tags: &[(&str, &str)]) -> Option<Self> {
        let mut tags: Box<[(Arc<str>, Arc<str>)]> =
            tags.iter().map(|(tag, value)| (Arc::from(*tag), Arc::from(*value))).collect();
        tags.sort_unstable();
        let twice = tags.windows(2).any(|pair| pair[0].0.cmp(&pair[1].0) == Ordering::Equal);
        (!twice).then(|| SeriesKey { measurement: measurement.into(), tags })
    }
    /// Its measurement.
    pub fn measurement(&self) -> &Arc<str> {
        &self.measurement
    }
    /// Its tags with their values, by tag.
    pub fn tags(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.tags
    }
}

/// What became of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Lines written.
    pub lines: u64,
    /// Values in them.
    pub values: u64,
    /// Lines that were not, ascending.
    pub refused: Vec<Refused>,
}

/// A line that was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Index of the line in its [`Points`].
    pub line: usize,
    /// Index of the value in the line; 0 when the line itself is refused.
    pub value: usize,
    /// Why.
    pub why: Refusal,
}

/// Why a line was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The field is numeric and the value is text, or the other way round.
    Type {
        /// The field.
        field: Arc<str>,
        /// Its measurement.
        measurement: Arc<str>,
        /// The type of the value.
        given: FieldType,
        /// The type of the field's first value.
        exists: FieldType,
    },
    /// The namespace has as many series as it may have.
    TooManySeries {
        /// How many that is.
        limit: u64,
    },
    /// The measurement has as many fields as it may have.
    TooManyFields {
        /// How many that is.
        limit: u64,
    },
}

/// The points of one output series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoints {
    /// The measurement, then `,tag=value` for each tag of a raw series (by tag), or for each tag grouped by (in the
    /// order given, [`UNTAGGED`] where the series has no such tag). Nothing is escaped.
    pub key: String,
    /// The field.
    pub field: Arc<str>,
    /// The tags on which all series in it agree, by tag.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// Ascending by time. Pooled raw points may have the same time.
    pub points: Vec<Point>,
}

/// A value at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Nanoseconds since 1970-01-01 UTC.
    pub time: i64,
    /// The value.
    pub value: Scalar,
}

/// What to delete. Points that are written while it runs may or may not be.
#[derive(Debug, Clone)]
pub struct DeletePoints {
    /// The measurement.
    pub measurement: String,
    /// Which of its series: all must hold.
    pub filters: Vec<TagFilter>,
    /// First and last instant, both included; `None` = all.
    pub range: Option<(i64, i64)>,
}

/// A measurement and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurementInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How many series it has.
    pub series: u64,
    /// Its fields by name, each with the type of its first value.
    pub fields: Vec<(Arc<str>, FieldType)>,
}

/// How long points of a namespace are kept. The rule that names most wins; without one, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRetention {
    /// For this namespace; none = all.
    pub namespace: Option<crate::Namespace>,
    /// For this measurement; none = all.
    pub measurement: Option<String>,
    /// Older points are invisible at once and removed in the background; zero = for ever.
    pub keep: std::time::Duration,
}

/// Numbers for metrics, over all namespaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeriesStats {
    /// Series.
    pub series: u64,
    /// Points in buffers.
    pub buffered: u64,
    /// Points in blocks.
    pub sealed: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes of their bodies.
    pub block_bytes: u64,
}
