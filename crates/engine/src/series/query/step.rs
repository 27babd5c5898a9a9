//! Stages that take the points of one stream and give points of one stream.

use crate::{
    Result,
    series::{
        Comparison, Scalar, Stage,
        column::{Run, Summary, Values},
        query::{
            gather::none,
            math,
            slice::{Slice, SliceValues},
            walk::Visit,
        },
    },
};

/// Such a stage at work on one stream.
#[derive(Debug)]
pub(super) struct Step<'a> {
    stage: &'a Stage,
    /// The point before the next one, for what needs two.
    before: Option<(i64, Number)>,
}

/// Whether a stage is one of these.
pub(super) fn is_step(stage: &Stage) -> bool {
    match stage {
        Stage::Rate
        | Stage::Delta
        | Stage::Where(..)
        | Stage::Math(_)
        | Stage::Round(_)
        | Stage::Abs
        | Stage::Ceil
        | Stage::Floor => true,
        Stage::Aggregate { .. } | Stage::Pool { .. } | Stage::Top(_) | Stage::Bottom(_) => false,
    }
}

impl<'a> Step<'a> {
    /// At the beginning of a stream.
    pub(super) fn new(stage: &'a Stage) -> Self {
        Step { stage, before: None }
    }

    /// What becomes of the next points of the stream.
    pub(super) fn apply(&mut self, points: Run) -> Run {
        match self.stage {
            Stage::Rate => self.pairs(&points, rate),
            Stage::Delta => self.pairs(&points, delta),
            Stage::Where(comparison, number) => filter(points, |value| holds(*comparison, value, *number)),
            Stage::Math(expr) => {
                let values = math::evaluate(expr, &floats(Slice::of(&points).values()));
                finite(points.times, values)
            }
            Stage::Round(places) => rounded(points, |value| round(value, *places)),
            Stage::Abs => absolute(points),
            Stage::Ceil => rounded(points, f64::ceil),
            Stage::Floor => rounded(points, f64::floor),
            Stage::Aggregate { .. } | Stage::Pool { .. } | Stage::Top(_) | Stage::Bottom(_) => points,
        }
    }

    /// What each point and the one before it give.
    fn pairs(&mut self, points: &Run, of: impl Fn(u64, Number, Number) -> Option<f64>) -> Run {
        let times = &points.times;
        match &points.values {
            Values::Float(values) => self.pairs_of(times, values.iter().map(|value| Number::Float(*value)), of),
            Values::Int(values) => self.pairs_of(times, values.iter().map(|value| Number::Int((*value).into())), of),
            Values::Uint(values) => self.pairs_of(times, values.iter().map(|value| Number::Int((*value).into())), of),
            Values::Bool(values) => self.pairs_of(times, values.iter().map(|value| Number::Int((*value).into())), of),
            Values::Text(_) => none(),
            Values::Mixed(values) => self.pairs_of(times, values.iter().filter_map(Number::of), of),
        }
    }

    fn pairs_of(
        &mut self,
        times: &[i64],
        values: impl Iterator<Item = Number>,
        of: impl Fn(u64, Number, Number) -> Option<f64>,
    ) -> Run {
        let (mut at, mut floats) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
        let mut before = self.before;
        for (time, value) in times.iter().zip(values) {
            if let Some((then, old)) = before.replace((*time, value))
                && let Some(result) = of(time.abs_diff(then), old, value)
                && result.is_finite()
            {
                at.push(*time);
                floats.push(result);
            }
        }
        self.before = before;
        Run { times: at, values: Values::Float(floats) }
    }
}

/// Passes on what becomes of points on their way through steps.
pub(super) struct Through<'a, V> {
    pub(super) steps: Vec<Step<'a>>,
    pub(super) visit: &'a mut V,
}

impl<V: Visit> Visit for Through<'_, V> {
    fn block(&mut self, _: &Summary) -> Result<bool> {
        Ok(false)
    }
    fn points(&mut self, points: Slice<'_>) -> Result<()> {
        let points = self.steps.iter_mut().fold(points.to_run(), |points, step| step.apply(points));
        if points.times.is_empty() { Ok(()) } else { self.visit.points(Slice::of(&points)) }
    }
}

/// A number as it came, so that differences of great integers are exact.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Float(f64),
    Int(i128),
}

impl Number {
    fn of(value: &Scalar) -> Option<Self> {
        value.integer().map(Number::Int).or_else(|| value.float().map(Number::Float))
    }
    fn float(self) -> f64 {
        match self {
            Number::Float(value) => value,
            Number::Int(value) => value as f64,
        }
    }
    fn less(self, other: Number) -> f64 {
        match (self, other) {
            (Number::Int(one), Number::Int(other)) => (one - other) as f64,
            (one, other) => one.float() - other.float(),
        }
    }
}

fn rate(nanos: u64, old: Number, new: Number) -> Option<f64> {
    if nanos == 0 {
        return None;
    }
    let rise = new.less(old);
    // A counter that fell began again at 0.
    let rise = if rise < 0.0 { new.float() } else { rise };
    Some(rise / (nanos as f64 / 1e9))
}

fn delta(_: u64, old: Number, new: Number) -> Option<f64> {
    Some(new.less(old))
}

fn holds(comparison: Comparison, value: f64, number: f64) -> bool {
    match comparison {
        Comparison::Greater => value > number,
        Comparison::GreaterOrEqual => value >= number,
        Comparison::Less => value < number,
        Comparison::LessOrEqual => value <= number,
        Comparison::Equal => value == number,
        Comparison::NotEqual => value != number,
    }
}

/// Keeps points as they are.
fn filter(points: Run, keep: impl Fn(f64) -> bool) -> Run {
    fn kept<T>(values: Vec<T>, mask: &[bool]) -> Vec<T> {
        values.into_iter().zip(mask).filter(|(_, keep)| **keep).map(|(value, _)| value).collect()
    }
    if let Values::Text(_) = points.values {
        return none();
    }
    let mask: Vec<bool> = floats(Slice::of(&points).values()).into_iter().map(keep).collect();
    let values = match points.values {
        Values::Float(values) => Values::Float(kept(values, &mask)),
        Values::Int(values) => Values::Int(kept(values, &mask)),
        Values::Uint(values) => Values::Uint(kept(values, &mask)),
        Values::Bool(values) => Values::Bool(kept(values, &mask)),
        Values::Text(values) => Values::Text(kept(values, &mask)),
        Values::Mixed(values) => Values::Mixed(kept(values, &mask)),
    };
    Run { times: kept(points.times, &mask), values }
}

/// Values as floats; text has none.
pub(super) fn floats(values: SliceValues<'_>) -> Vec<f64> {
    match values {
        SliceValues::Float(values) => values.to_vec(),
        SliceValues::Int(values) => values.iter().map(|value| *value as f64).collect(),
        SliceValues::Uint(values) => values.iter().map(|value| *value as f64).collect(),
        SliceValues::Bool(values) => values.iter().map(|value| f64::from(*value)).collect(),
        SliceValues::Text(_) => Vec::new(),
        SliceValues::Mixed(values) => values.iter().filter_map(Scalar::float).collect(),
    }
}

/// Points of new values; those that are not finite are left out.
fn finite(times: Vec<i64>, values: Vec<f64>) -> Run {
    let (times, values) = times.into_iter().zip(values).filter(|(_, value)| value.is_finite()).unzip();
    Run { times, values: Values::Float(values) }
}

/// Floats through a function; integers are what they were, and booleans become integers.
fn rounded(points: Run, of: impl Fn(f64) -> f64) -> Run {
    let Run { times, values } = points;
    match values {
        Values::Float(values) => finite(times, values.into_iter().map(of).collect()),
        Values::Bool(values) => Run { times, values: Values::Int(values.into_iter().map(i64::from).collect()) },
        Values::Int(_) | Values::Uint(_) => Run { times, values },
        Values::Text(_) => none(),
        Values::Mixed(values) => {
            let values = values.into_iter().map(|value| match value {
                Scalar::Float(value) => Scalar::Float(of(value)),
                Scalar::Bool(value) => Scalar::Int(value.into()),
                value => value,
            });
            Run { times, values: Values::Mixed(values.collect()) }
        }
    }
}

fn absolute(points: Run) -> Run {
    let Run { times, values } = rounded(points, f64::abs);
    let values = match values {
        Values::Int(values) if values.contains(&i64::MIN) => {
            Values::Mixed(values.into_iter().map(|value| absolute_int(Scalar::Int(value))).collect())
        }
        Values::Int(values) => Values::Int(values.into_iter().map(i64::abs).collect()),
        Values::Mixed(values) => Values::Mixed(values.into_iter().map(absolute_int).collect()),
        values => values,
    };
    Run { times, values }
}

fn absolute_int(value: Scalar) -> Scalar {
    match value {
        // Signed integers have no opposite of their least one.
        Scalar::Int(i64::MIN) => Scalar::Uint(i64::MIN.unsigned_abs()),
        Scalar::Int(value) => Scalar::Int(value.abs()),
        value => value,
    }
}

/// To so many decimal places, half away from zero.
fn round(value: f64, places: u32) -> f64 {
    let scale = 10f64.powi(places.min(300) as i32);
    let scaled = value * scale;
    // So great a float has no such places.
    if scaled.abs() >= 9_007_199_254_740_992.0 { value } else { scaled.round() / scale }
}
