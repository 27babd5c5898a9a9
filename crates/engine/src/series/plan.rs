//! What a query computes. Which words ask for it is a dialect's business.

use crate::series::Pattern;

/// The value of a tag grouped by, in keys of series that lack it.
pub const UNTAGGED: &str = "_untagged_";

/// Reads points and passes them through stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The measurement.
    pub measurement: String,
    /// Which of its series: all must hold.
    pub filters: Vec<TagFilter>,
    /// First and last instant in nanoseconds, both included.
    pub range: (i64, i64),
    /// Which fields; none = every numeric one. Text only comes from a field that is named.
    pub fields: Option<Vec<String>>,
    /// In their order.
    pub stages: Vec<Stage>,
    /// Of each output series the latest so many points.
    pub limit: Option<usize>,
}

/// A condition on a tag. A tag that a series lacks has the empty value.
#[derive(Debug, Clone, PartialEq)]
pub struct TagFilter {
    /// The tag.
    pub tag: String,
    /// What must hold of its value.
    pub test: TagTest,
}

/// What must hold of a tag's value.
#[derive(Debug, Clone, PartialEq)]
pub enum TagTest {
    /// It is this.
    Is(String),
    /// It is not this.
    IsNot(String),
    /// This regular expression matches all of it.
    Matches(Pattern),
    /// This one does not.
    MatchesNot(Pattern),
}

/// A step of a query. Points come in as one stream per field and series; stages up to the first aggregate or pool see
/// them that way, later ones the streams of a field and group. A stream's tags are those on which all its series agree.
///
/// Integers and booleans (1 and 0) alone have exact sums, extremes and counts: integers, while they fit 64 bits with a
/// sign; floats among them make floats of them. First and last leave values as they are, but for integers that do not
/// fit; so do `Where`, `Top` and `Bottom`, without exception. `Round`, `Abs`, `Ceil` and `Floor` leave integers
/// integers; everything else gives floats. Text passes through `Pool`, first and last, and
/// is counted; other stages drop it. No value is ever infinite or not a number: such a point is left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// One point per window from all streams of a field, or of a field and a group.
    Aggregate {
        /// What to compute.
        what: Aggregate,
        /// Nanoseconds, aligned to the epoch; none (for first and last only) = one point over everything, at its own
        /// time.
        window: Option<i64>,
        /// The tags to group by; none = one group.
        by: Vec<String>,
    },
    /// Raw points of all streams of a field and a group in one stream.
    Pool {
        /// The tags to group by.
        by: Vec<String>,
    },
    /// Increase per second between neighbours, at the later one; a fall is a counter's reset to 0.
    Rate,
    /// Difference between neighbours, at the later one.
    Delta,
    /// Keeps points whose value compares so.
    Where(Comparison, f64),
    /// Computes each value anew; what is not finite is dropped.
    Math(Expr),
    /// To so many decimal places, half away from zero.
    Round(u32),
    /// Absolute value.
    Abs,
    /// Next integer above.
    Ceil,
    /// Next integer below.
    Floor,
    /// The streams with the greatest sums of points, so many of all; of equal sums, those with the smaller keys.
    Top(usize),
    /// The streams with the least.
    Bottom(usize),
}

/// What an aggregate computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// Arithmetic mean.
    Avg,
    /// Sum.
    Sum,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Number of points.
    Count,
    /// Value of the earliest point; at one instant, of the smallest series key.
    First,
    /// Value of the latest point; at one instant, of the greatest series key.
    Last,
    /// Linear interpolation at rank p/100 * (n-1); 0 to 100.
    Percentile(f64),
}

/// How a value compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// Arithmetic over a point's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The value.
    Value,
    /// A number.
    Number(f64),
    /// The opposite.
    Negate(Box<Expr>),
    /// Two of them and what to do.
    Binary(Box<Expr>, Operator, Box<Expr>),
}

/// What to do with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; by zero there is no result.
    Divide,
    /// The rest of a division, with the sign of the dividend; by zero there is none.
    Remainder,
}
