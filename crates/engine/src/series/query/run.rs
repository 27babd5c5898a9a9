//! A query from its first stage to its answer.

use std::sync::atomic::AtomicBool;

use crate::{
    Error, Kind, QueryLimits, Result,
    series::{
        Aggregate, Point, Query, SeriesPoints, Stage,
        column::Source,
        query::{
            aggregate::{self, aggregate},
            budget::{Budget, Memory},
            collect::{self, collect},
            gather::{keep_latest, none, point_bytes},
            group::Groups,
            math,
            slice::Slice,
            step::{Step, is_step},
            streams::{Columns, Held, Streams},
            top::{Choice, choose},
            windows::Windows,
        },
    },
};

/// Computes a query; ends early once `given_up` is set.
pub(super) fn run<S: Source + Sync>(
    source: &S,
    query: &Query,
    limits: &QueryLimits,
    given_up: &AtomicBool,
) -> Result<Vec<SeriesPoints>> {
    let budget = Budget::new(limits, given_up);
    check(query, &budget)?;
    let range = (query.range.0.max(source.oldest()), query.range.1);
    if range.0 > range.1 || source.series() == 0 {
        return Ok(Vec::new());
    }
    let pooling = query.stages.iter().position(is_pooling).unwrap_or(query.stages.len());
    let (each, rest) = query.stages.split_at(pooling);
    let mut columns = columns(source, query, range);
    for stage in each {
        match choice(stage) {
            Some(choice) => {
                let chosen = choose(&columns, choice, &budget)?;
                columns.narrow(&chosen);
            }
            None => columns.steps.push(stage),
        }
    }
    let mut tail = Tail { query, range, budget: &budget };
    let mut streams = match rest {
        [] => {
            columns.latest = query.limit;
            collect(&columns, &query.measurement, purpose(query), &budget)?
        }
        [stage, rest @ ..] => {
            columns.latest = match stage {
                Stage::Aggregate { what: Aggregate::Last, window: None, .. } => Some(1),
                Stage::Pool { .. } if rest.is_empty() => query.limit,
                _ => None,
            };
            let purpose = if rest.is_empty() { purpose(query) } else { collect::For::Stages };
            tail.pool(stage, &columns, purpose)?
        }
    };
    for stage in rest.iter().skip(1) {
        streams = tail.apply(stage, streams)?;
    }
    answer(source, query, streams, &budget)
}

/// Refuses what cannot be computed, before anything is.
fn check(query: &Query, budget: &Budget<'_>) -> Result<()> {
    let invalid = |message: &str| Err(Error::new(Kind::Invalid, message));
    for stage in &query.stages {
        match stage {
            Stage::Math(expr) => math::check(expr)?,
            Stage::Aggregate { what: Aggregate::Percentile(percent), .. } if !(0.0..=100.0).contains(percent) => {
                return invalid("a percentile is from 0 to 100");
            }
            Stage::Aggregate { window: Some(width), .. } if *width < 1 => return invalid("a window has some length"),
            Stage::Aggregate { window: Some(width), .. } => {
                budget.check_windows(Windows::Every(*width).count(query.range))?;
            }
            Stage::Aggregate { what, window: None, .. } if !matches!(what, Aggregate::First | Aggregate::Last) => {
                return invalid("an aggregate other than first and last needs a window");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a stage makes one stream of several.
fn is_pooling(stage: &Stage) -> bool {
    matches!(stage, Stage::Aggregate { .. } | Stage::Pool { .. })
}

fn choice(stage: &Stage) -> Option<Choice> {
    match stage {
        Stage::Top(count) => Some(Choice::Greatest(*count)),
        Stage::Bottom(count) => Some(Choice::Least(*count)),
        _ => None,
    }
}

/// What raw points are collected for when no stage follows.
fn purpose(query: &Query) -> collect::For {
    query.limit.map_or(collect::For::Answer, collect::For::Latest)
}

fn columns<'a, S: Source>(source: &'a S, query: &Query, range: (i64, i64)) -> Columns<'a, S> {
    let text_matters = keeps_text(&query.stages);
    let fields = source.fields().iter().enumerate();
    let fields = fields.filter(|(_, (_, is_text))| text_matters || !is_text).map(|(field, _)| field);
    let fields = fields.collect();
    Columns { source, range, fields, steps: Vec::new(), chosen: None, latest: None }
}

/// Whether stages have a result for text.
fn keeps_text(stages: &[Stage]) -> bool {
    for stage in stages {
        match stage {
            Stage::Aggregate { what: Aggregate::Count, .. } => return true,
            Stage::Aggregate { what: Aggregate::First | Aggregate::Last, .. } | Stage::Pool { .. } => {}
            _ => return false,
        }
    }
    true
}

/// The stages from the first that pools streams.
struct Tail<'q, 'a> {
    query: &'q Query,
    /// Of the times of points.
    range: (i64, i64),
    budget: &'a Budget<'a>,
}

impl<'a> Tail<'_, 'a> {
    fn apply(&mut self, stage: &Stage, mut streams: Vec<Held<'a>>) -> Result<Vec<Held<'a>>> {
        self.budget.check()?;
        if let Some(choice) = choice(stage) {
            let mut chosen = choose(&streams, choice, self.budget)?.into_iter().peekable();
            let mut number = 0..;
            streams.retain(|_| chosen.next_if_eq(&number.next().unwrap_or_default()).is_some());
            return Ok(streams);
        }
        if is_step(stage) {
            streams.iter_mut().try_for_each(|stream| step(stage, stream))?;
            return Ok(streams);
        }
        self.pool(stage, &streams, collect::For::Stages)
    }

    /// Applies a stage that makes one stream of several.
    fn pool(&mut self, stage: &Stage, streams: &impl Streams, purpose: collect::For) -> Result<Vec<Held<'a>>> {
        let measurement = &self.query.measurement;
        match stage {
            Stage::Aggregate { what, window, by } => {
                let groups = Groups::new(streams, measurement, by, self.budget)?;
                let windows = window.map_or(Windows::Whole, Windows::Every);
                let plan = aggregate::Plan { what: *what, windows, range: self.range };
                self.range = windows.reach(self.range);
                aggregate(streams, &groups, plan, self.budget)
            }
            Stage::Pool { by } => {
                let groups = Groups::new(streams, measurement, by, self.budget)?;
                collect::pool(streams, &groups, measurement, purpose, self.budget)
            }
            _ => Err(Error::new(Kind::Bug, format!("{stage:?} pools nothing"))),
        }
    }
}

/// Applies a stage to a stream by itself.
fn step(stage: &Stage, stream: &mut Held<'_>) -> Result<()> {
    let before = Slice::of(&stream.points).size_bytes();
    // While it runs there are two of it.
    stream.memory.grow(before)?;
    stream.points = Step::new(stage).apply(std::mem::replace(&mut stream.points, none()));
    stream.memory.shrink(before);
    Ok(())
}

fn answer<S: Source>(
    source: &S,
    query: &Query,
    mut streams: Vec<Held<'_>>,
    budget: &Budget<'_>,
) -> Result<Vec<SeriesPoints>> {
    if let Some(limit) = query.limit {
        streams.iter_mut().for_each(|stream| keep_latest(&mut stream.points, limit));
    }
    budget.check_points(streams.iter().map(|stream| stream.points.times.len()).sum())?;
    let mut memory = Memory::new(budget);
    let mut answer = Vec::new();
    for stream in streams {
        let Held { field, key, tags, points, memory: _held } = stream;
        if points.times.is_empty() {
            continue;
        }
        let mut shown = Vec::with_capacity(points.len());
        for (time, value) in Slice::of(&points).points() {
            memory.grow(point_bytes(&value))?;
            shown.push(Point { time, value });
        }
        answer.push(SeriesPoints { key, field: source.fields()[field].0.clone(), tags, points: shown });
    }
    Ok(answer)
}
