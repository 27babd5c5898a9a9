use std::sync::{Arc, atomic::AtomicBool};

use super::run::run;
use crate::{
    Error, QueryLimits, Result,
    series::{
        Aggregate, Point, Query, Scalar, SeriesPoints, Stage, block,
        column::{BlockView, Body, ColumnView, Run, Source, Values},
    },
};

mod bounds;
mod engine;
mod model;
mod oracle;
mod rules;

/// Points of a column as blocks and what is newer than they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) blocks: Vec<Vec<(i64, Scalar)>>,
    pub(super) newer: Vec<(i64, Scalar)>,
}

/// A source in memory.
#[derive(Default)]
pub(super) struct Shelf {
    tags: Vec<Vec<(Arc<str>, Arc<str>)>>,
    fields: Vec<(Arc<str>, bool)>,
    /// By series, then field.
    columns: Vec<Vec<Column>>,
    pub(super) oldest: Option<i64>,
}

pub(super) fn run_of(points: &[(i64, Scalar)]) -> Run {
    let mut run = Run { times: Vec::new(), values: Values::Float(Vec::new()) };
    points.iter().for_each(|(time, value)| run.push(*time, value.clone()));
    run
}

impl Shelf {
    /// Fields by name, each with whether it holds text.
    pub(super) fn new(fields: &[(&str, bool)]) -> Self {
        Shelf {
            fields: fields.iter().map(|(name, is_text)| (Arc::from(*name), *is_text)).collect(),
            ..Shelf::default()
        }
    }
    /// Adds a series after those with smaller keys.
    pub(super) fn add(&mut self, tags: &[(&str, &str)], columns: Vec<Column>) {
        let tags = tags.iter().map(|(tag, value)| (Arc::from(*tag), Arc::from(*value))).collect();
        self.tags.push(tags);
        self.columns.push(columns);
    }
}

impl Source for Shelf {
    fn series(&self) -> usize {
        self.tags.len()
    }
    fn tags(&self, series: usize) -> &[(Arc<str>, Arc<str>)] {
        &self.tags[series]
    }
    fn fields(&self) -> &[(Arc<str>, bool)] {
        &self.fields
    }
    fn oldest(&self) -> i64 {
        self.oldest.unwrap_or(i64::MIN)
    }
    fn column(&self, series: usize, field: usize, range: (i64, i64)) -> Result<Option<ColumnView>> {
        let column = &self.columns[series][field];
        let meets = |points: &[(i64, Scalar)]| {
            points.first().is_some_and(|first| first.0 <= range.1)
                && points.last().is_some_and(|last| last.0 >= range.0)
        };
        let blocks = column.blocks.iter().filter(|points| meets(points)).map(|points| {
            let encoded = block::encode(&run_of(points))?;
            Ok(BlockView { summary: Arc::new(encoded.summary), body: Body::Bytes(encoded.body.into()) })
        });
        let blocks = blocks.collect::<Result<Vec<_>>>()?;
        let newer = if meets(&column.newer) { run_of(&column.newer) } else { run_of(&[]) };
        Ok((!blocks.is_empty() || !newer.is_empty()).then_some(ColumnView { blocks, newer }))
    }
}

/// Of the measurement `m`, all that there is.
pub(super) fn query(stages: Vec<Stage>) -> Query {
    Query {
        measurement: "m".to_owned(),
        filters: Vec::new(),
        range: (i64::MIN, i64::MAX),
        fields: None,
        stages,
        limit: None,
    }
}

pub(super) fn every(what: Aggregate, window: i64) -> Stage {
    Stage::Aggregate { what, window: Some(window), by: Vec::new() }
}

pub(super) fn once(what: Aggregate) -> Stage {
    Stage::Aggregate { what, window: None, by: Vec::new() }
}

pub(super) fn ask(shelf: &Shelf, query: &Query) -> Result<Vec<SeriesPoints>> {
    run(shelf, query, &QueryLimits::default(), &AtomicBool::new(false))
}
