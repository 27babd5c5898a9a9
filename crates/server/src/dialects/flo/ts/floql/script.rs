//! A query as it was written.

use manifold_engine::series::{Aggregate, Comparison, Expr, TagFilter};

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    /// What it reads.
    pub(super) source: Source,
    /// What happens to it, in order.
    pub(super) steps: Vec<Step>,
}

/// Which series, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    pub(super) measurement: String,
    pub(super) filters: Vec<TagFilter>,
    pub(super) range: Option<Range>,
}

/// The brackets behind a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Range {
    /// From there to now: `[1h]` is `[-1h]`.
    Since(Instant),
    /// Between two.
    Between(Instant, Instant),
}

/// An instant, and the byte where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instant {
    pub(super) at: usize,
    pub(super) when: When,
}

/// How an instant is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A number in the precision of the request.
    Number(i64),
    /// Nanoseconds since 1970-01-01 UTC, written as date and time.
    Nanos(i64),
    /// When the query starts.
    Now,
    /// So many nanoseconds before that.
    Ago(i64),
}

/// A stage.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// An aggregate; with the field it names, and its own window in nanoseconds.
    Aggregate {
        what: Aggregate,
        field: Option<String>,
        window: Option<i64>,
    },
    /// The window of the next aggregate that has none.
    Window(i64),
    Rate,
    Delta,
    Where(Comparison, f64),
    Math(Expr),
    Round(u32),
    Abs,
    Ceil,
    Floor,
    GroupBy(Vec<String>),
    Top(usize),
    Bottom(usize),
    /// The fields to read.
    Field(Vec<String>),
    /// What the answer calls its series.
    Alias(String),
}
