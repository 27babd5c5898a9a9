//! From a script to what the engine computes.

use manifold_engine::series::{Aggregate, DeletePoints, Query, Stage};

use super::{
    frame::Frame,
    mistake::Mistake,
    script::{Script, Step},
};

/// The window of an aggregate that has none: a minute.
const DEFAULT_WINDOW: i64 = 60_000_000_000;

/// What the engine is asked, and what is done with its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) query: Query,
    /// The key of all series of the answer.
    pub(crate) alias: Option<String>,
}

impl Script {
    /// What to compute; of each series the latest `limit` points.
    pub(crate) fn plan(self, frame: &Frame, limit: Option<usize>) -> Result<Plan, Mistake> {
        let range = frame.range(self.source.range.as_ref())?.unwrap_or_else(|| frame.default_range());
        let query = Query {
            measurement: self.source.measurement,
            filters: self.source.filters,
            range,
            fields: fields(&self.steps),
            stages: stages(&self.steps),
            limit,
        };
        let alias = self.steps.into_iter().rev().find_map(|step| match step {
            Step::Alias(name) => Some(name),
            _ => None,
        });
        Ok(Plan { query, alias })
    }

    /// What to delete: everything when no range is named.
    pub(crate) fn deletion(self, frame: &Frame) -> Result<DeletePoints, Mistake> {
        let range = frame.range(self.source.range.as_ref())?;
        Ok(DeletePoints { measurement: self.source.measurement, filters: self.source.filters, range })
    }
}

/// The fields that all who name any agree on; none = nobody names one.
fn fields(steps: &[Step]) -> Option<Vec<String>> {
    let named = steps.iter().filter_map(|step| match step {
        Step::Field(names) => Some(names.clone()),
        Step::Aggregate { field: Some(name), .. } => Some(vec![name.clone()]),
        _ => None,
    });
    named.reduce(|agreed, names| agreed.into_iter().filter(|name| names.contains(name)).collect())
}

fn stages(steps: &[Step]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::with_capacity(steps.len());
    // What `window` and `group_by` said for the aggregates that follow.
    let (mut pending, mut grouping): (Option<i64>, Vec<String>) = (None, Vec::new());
    for (index, step) in steps.iter().enumerate() {
        let behind = &steps[index + 1..];
        let stage = match step {
            Step::Aggregate { what, window, .. } => {
                let window = window.or_else(|| pending.take()).or_else(|| default_window(*what));
                Stage::Aggregate { what: *what, window, by: grouping.clone() }
            }
            Step::Window(window) if is_average(behind) => {
                Stage::Aggregate { what: Aggregate::Avg, window: Some(*window), by: grouping.clone() }
            }
            Step::Window(window) => {
                pending = Some(*window);
                continue;
            }
            Step::GroupBy(tags) if behind.iter().any(is_aggregate) => {
                grouping = distinct(tags);
                continue;
            }
            // With no aggregate behind it, it groups the one before it, if there is one.
            Step::GroupBy(tags) => match last_aggregate(&mut stages) {
                Some(by) => {
                    *by = distinct(tags);
                    continue;
                }
                None => Stage::Pool { by: distinct(tags) },
            },
            Step::Rate => Stage::Rate,
            Step::Delta => Stage::Delta,
            Step::Where(comparison, number) => Stage::Where(*comparison, *number),
            Step::Math(expression) => Stage::Math(expression.clone()),
            Step::Round(places) => Stage::Round(*places),
            Step::Abs => Stage::Abs,
            Step::Ceil => Stage::Ceil,
            Step::Floor => Stage::Floor,
            Step::Top(count) => Stage::Top(*count),
            Step::Bottom(count) => Stage::Bottom(*count),
            Step::Field(_) | Step::Alias(_) => continue,
        };
        stages.push(stage);
    }
    stages
}

/// Whether a window is the average over it: when no aggregate could take it, and no other window replaces it.
fn is_average(behind: &[Step]) -> bool {
    !behind.iter().any(is_aggregate)
}

/// Whether it is an aggregate, or a window that will be one if it stands last.
fn is_aggregate(step: &Step) -> bool {
    matches!(step, Step::Aggregate { .. } | Step::Window(_))
}

fn default_window(what: Aggregate) -> Option<i64> {
    match what {
        Aggregate::First | Aggregate::Last => None,
        Aggregate::Avg
        | Aggregate::Sum
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::Percentile(_) => Some(DEFAULT_WINDOW),
    }
}

fn last_aggregate(stages: &mut [Stage]) -> Option<&mut Vec<String>> {
    stages.iter_mut().rev().find_map(|stage| match stage {
        Stage::Aggregate { by, .. } => Some(by),
        _ => None,
    })
}

/// A tag named twice groups once.
fn distinct(tags: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !distinct.contains(tag) {
            distinct.push(tag.clone());
        }
    }
    distinct
}
