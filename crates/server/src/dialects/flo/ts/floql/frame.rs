//! What a query means beyond its text: when it runs, and how exact its times are.

use super::{
    mistake::Mistake,
    script::{Instant, Range, When},
};

/// An hour, which is read when a query names no range.
const DEFAULT_RANGE: i64 = 3_600_000_000_000;

/// The unit of numbers that are instants, in the query and in its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Precision {
    Nanos,
    Micros,
    #[default]
    Millis,
    Seconds,
}

impl Precision {
    /// By its name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "ns" => Some(Precision::Nanos),
            "us" => Some(Precision::Micros),
            "ms" => Some(Precision::Millis),
            "s" => Some(Precision::Seconds),
            _ => None,
        }
    }

    /// Nanoseconds of one.
    pub(crate) fn nanos(self) -> i64 {
        match self {
            Precision::Nanos => 1,
            Precision::Micros => 1_000,
            Precision::Millis => 1_000_000,
            Precision::Seconds => 1_000_000_000,
        }
    }

    /// An instant as the answer spells it.
    pub(crate) fn floor(self, nanos: i64) -> i64 {
        nanos.div_euclid(self.nanos())
    }

    /// From the first nanosecond of the first to the last nanosecond of the second: an end belongs to the range as it is
    /// written, whatever is finer than the precision.
    fn around(self, (first, last): (i64, i64)) -> (i64, i64) {
        let first = first.saturating_sub(first.rem_euclid(self.nanos()));
        let last = last.saturating_add(self.nanos() - 1 - last.rem_euclid(self.nanos()));
        (first, last)
    }
}

/// What a request says beside its query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) precision: Precision,
    /// Nanoseconds since 1970-01-01 UTC.
    pub(crate) now: i64,
    /// First and last instant that replace what stands in brackets.
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl Frame {
    /// First and last nanosecond of a range as it is written; none when nothing names one. The first may come after the
    /// last where the query does not say the last.
    pub(super) fn range(&self, written: Option<&Range>) -> Result<Option<(i64, i64)>, Mistake> {
        let range = match (self.from, self.to, written) {
            (Some(from), to, _) => (from, to.unwrap_or(self.now)),
            (None, Some(to), _) => (to.saturating_sub(DEFAULT_RANGE), to),
            (None, None, Some(Range::Since(first))) => (self.instant(first), self.now),
            (None, None, Some(Range::Between(first, last))) => {
                let (at, range) = (first.at, (self.instant(first), self.instant(last)));
                if range.0 > range.1 {
                    return Err(Mistake::new(
                        at,
                        "the range starts after its end",
                        "a start that is not after the end",
                    ));
                }
                range
            }
            (None, None, None) => return Ok(None),
        };
        Ok(Some(self.precision.around(range)))
    }

    /// The range of a query that names none.
    pub(super) fn default_range(&self) -> (i64, i64) {
        self.precision.around((self.now.saturating_sub(DEFAULT_RANGE), self.now))
    }

    /// Instants beyond what nanoseconds in 64 bits can say stand for the end of what they can say: no point lies there.
    fn instant(&self, instant: &Instant) -> i64 {
        match instant.when {
            When::Number(number) => number.saturating_mul(self.precision.nanos()),
            When::Nanos(nanos) => nanos,
            When::Now => self.now,
            When::Ago(nanos) => self.now.saturating_sub(nanos),
        }
    }
}
