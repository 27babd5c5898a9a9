//! The storage of time series against an engine: what was written is there, whatever happens to buffers, blocks and the
//! process.

use std::{collections::BTreeMap, time::Duration};

use manifold_store::disk::SimDisk;

use super::*;
use crate::{
    Engine, Kind, Result,
    tests::{House, ns, refused},
};

mod checker;
mod crash;
mod deleting;
mod deleting_model;
mod faults;
mod keeping;
mod model;
mod naming;
mod sealing;
mod writing;

/// Bounds so small that everything happens often.
fn small() -> Tuning {
    Tuning {
        block_points: 8,
        rewritten_per_point: 4,
        patient_points: 24,
        rewrites: 3,
        tick_points: 32,
        chunk_bytes: 96,
        backlog_bytes: 1 << 10,
        ..Tuning::default()
    }
}

/// Lines for one write, by names.
#[derive(Debug, Default)]
struct Lines(Points);

impl Lines {
    /// A line of a series `m,host=h`.
    fn line(mut self, host: &str, time: i64, values: &[(&str, Scalar)]) -> Self {
        let points = &mut self.0;
        for (field, value) in values {
            let field = points.new_field(field);
            match value {
                Scalar::Float(value) => points.float(field, *value),
                Scalar::Int(value) => points.int(field, *value),
                Scalar::Uint(value) => points.uint(field, *value),
                Scalar::Bool(value) => points.bool(field, *value),
                Scalar::Text(value) => points.text(field, |text| text.extend_from_slice(value)),
            }
        }
        points.end_new(key(host), time);
        self
    }

    /// Lines with one float each, of one field.
    fn floats(host: &str, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let line = |lines: Lines, (time, value)| lines.line(host, time, &[("v", Scalar::Float(value))]);
        points.into_iter().fold(Lines::default(), line)
    }
}

fn key(host: &str) -> SeriesKey {
    SeriesKey::new("m", &[("host", host)]).expect("a key")
}

fn text(text: &str) -> Scalar {
    Scalar::Text(Bytes::copy_from_slice(text.as_bytes()))
}

impl House {
    async fn write(&self, lines: Lines) -> Written {
        self.write_points(&ns("n"), lines.0, false).await.expect("writes").expect("no epoch to be over")
    }

    /// Lets time go by until all columns are sealed, small or not.
    async fn age(&self) {
        for _ in 0..2000 {
            if self.series_stats().buffered == 0 {
                return;
            }
            self.advance(3_600_000);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("some columns are not sealed");
    }

    /// All that is durable of a column.
    fn column(&self, host: &str, field: &str) -> Vec<(i64, Scalar)> {
        self.column_within(host, field, (i64::MIN, i64::MAX))
    }

    fn column_within(&self, host: &str, field: &str, range: (i64, i64)) -> Vec<(i64, Scalar)> {
        let live = self.live().expect("a live engine");
        let Some(space) = live.series.find(&ns("n")) else { return Vec::new() };
        let catalog = space.catalog.read();
        let Some(series) = catalog.find(&key(host)).and_then(|slot| catalog.series(slot)) else { return Vec::new() };
        let Some((field, _)) = catalog.find_field(&series.measurement, field) else { return Vec::new() };
        let cut = space.cut(&live.store);
        let view = columns::view(live, &space, series, field, range, cut).expect("readable");
        let Some(view) = view else { return Vec::new() };
        let mut points = BTreeMap::new();
        for block in &view.blocks {
            let column::Body::Row(row) = &block.body else { panic!("blocks are rows") };
            let run = block::decode(&block.summary, &row.body().expect("readable")).expect("a block");
            let last = points.last_key_value().map(|(time, _)| *time);
            assert!(last.is_none_or(|last| last < run.times[0]), "blocks do not overlap");
            points.extend(each(&run));
        }
        points.extend(each(&view.newer));
        points.into_iter().filter(|(time, _)| range.0 <= *time && *time <= range.1).collect()
    }
}

fn each(run: &column::Run) -> impl Iterator<Item = (i64, Scalar)> {
    (0..run.len()).map(|at| (run.times[at], run.values.get(at).expect("a value for each time")))
}

fn floats(points: impl IntoIterator<Item = (i64, f64)>) -> Vec<(i64, Scalar)> {
    points.into_iter().map(|(time, value)| (time, Scalar::Float(value))).collect()
}
