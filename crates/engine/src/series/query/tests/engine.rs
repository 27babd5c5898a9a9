//! The same through an engine: points written in any order, sealed, found again after a restart or a crash.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use manifold_store::disk::{Reboot, SimDisk};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    model::{FIELDS, any_query, spelled, time, value},
    *,
};
use crate::{
    Clock, Options,
    series::{Points, SeriesKey, TagFilter, TagTest, Tuning},
    tests::{House, START, cases, ns},
};

const TAGS: [&[(&str, &str)]; 5] =
    [&[], &[("host", "a")], &[("host", "a"), ("room", "x")], &[("host", "b"), ("room", "x")], &[("room", "y")]];

/// Series, time, and values by field.
type Line = (usize, i64, BTreeMap<usize, Scalar>);
/// By series and field.
type Model = BTreeMap<(usize, usize), BTreeMap<i64, Scalar>>;

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<Line>),
    /// All columns are sealed, small or not.
    Seal,
    Restart,
    Crash(Reboot),
    Query(Query),
}

fn line() -> impl Strategy<Value = Line> {
    let values = vec((0..FIELDS.len()).prop_flat_map(|at| (Just(at), value(FIELDS[at].0))), 1..4);
    (0..TAGS.len(), time(), values).prop_map(|(series, time, values)| (series, time, values.into_iter().collect()))
}

fn step() -> impl Strategy<Value = Step> {
    let filter = || (select(vec!["host", "room"]), select(vec!["", "a", "x"]), any::<bool>());
    let filters = vec(filter(), 0..2).prop_map(|filters| {
        let filter = |(tag, value, is): (&str, &str, bool)| TagFilter {
            tag: tag.to_owned(),
            test: if is { TagTest::Is(value.to_owned()) } else { TagTest::IsNot(value.to_owned()) },
        };
        filters.into_iter().map(filter).collect::<Vec<_>>()
    });
    let fields = prop::option::of(vec(select(vec!["b", "f", "i", "m", "t", "u", "none"]), 1..4));
    let fields = fields.prop_map(|fields| fields.map(|names| names.into_iter().map(str::to_owned).collect()));
    let query = (any_query(), filters, fields);
    prop_oneof![
        6 => vec(line(), 1..30).prop_map(Step::Write),
        2 => Just(Step::Seal),
        1 => Just(Step::Restart),
        1 => select(vec![Reboot::Lost, Reboot::Kept, Reboot::Mixed(7)]).prop_map(Step::Crash),
        9 => query.prop_map(|(query, filters, fields)| Step::Query(Query { filters, fields, ..query })),
    ]
}

/// Bounds so small that everything happens often.
fn tuning() -> impl Strategy<Value = Tuning> {
    (2_usize..10, 1_usize..4).prop_map(|(block_points, rewrites)| Tuning {
        block_points,
        rewrites,
        rewritten_per_point: 4,
        patient_points: 24,
        tick_points: 32,
        chunk_bytes: 96,
        backlog_bytes: 1 << 10,
        ..Tuning::default()
    })
}

async fn write(house: &House, lines: &[Line], model: &mut Model) {
    let mut points = Points::default();
    for (series, time, values) in lines {
        for (field, value) in values {
            let name = points.new_field(FIELDS[*field].0);
            match value {
                Scalar::Float(value) => points.float(name, *value),
                Scalar::Int(value) => points.int(name, *value),
                Scalar::Uint(value) => points.uint(name, *value),
                Scalar::Bool(value) => points.bool(name, *value),
                Scalar::Text(value) => points.text(name, |text| text.extend_from_slice(value)),
            }
            model.entry((*series, *field)).or_default().insert(*time, value.clone());
        }
        points.end_new(SeriesKey::new("m", TAGS[*series]).expect("tags named once"), *time);
    }
    let written = house.write_points(&ns("n"), points, false).await.expect("writes").expect("no epoch is over");
    assert_eq!((written.lines, written.refused), (lines.len() as u64, Vec::new()));
}

async fn seal(house: &House) {
    for _ in 0..2000 {
        if house.series_stats().buffered == 0 {
            return;
        }
        house.advance(3_600_000);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("some columns are not sealed");
}

fn expected(model: &Model, query: &Query) -> Vec<SeriesPoints> {
    let passes = |series: usize| {
        query.filters.iter().all(|filter| {
            let value = TAGS[series].iter().find(|tag| tag.0 == filter.tag).map_or("", |tag| tag.1);
            match &filter.test {
                TagTest::Is(other) => value == other,
                TagTest::IsNot(other) => value != other,
                test => panic!("{test:?} is not among the tests"),
            }
        })
    };
    let asked = |field: usize| match &query.fields {
        Some(names) => names.iter().any(|name| name == FIELDS[field].0),
        None => !FIELDS[field].1,
    };
    let streams = model.iter().filter(|((series, field), _)| passes(*series) && asked(*field));
    let streams = streams.map(|((series, field), points)| {
        oracle::stream(FIELDS[*field].0, TAGS[*series], points.clone().into_iter().collect())
    });
    spelled(oracle::answer(streams.collect(), query))
}

proptest! {
    #![proptest_config(cases(48, 1))]
    #[test]
    fn an_engine_gives_what_the_plainest_computation_does_in_every_model_life(
        steps in vec(step(), 1..30),
        tuning in tuning(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
            let mut house = House::tuned(SimDisk::new(), options, tuning).await;
            let mut model = Model::new();
            for step in &steps {
                match step {
                    Step::Write(lines) => write(&house, lines, &mut model).await,
                    Step::Seal => seal(&house).await,
                    Step::Restart => house.restart().await,
                    Step::Crash(how) => house.crash(*how).await,
                    Step::Query(query) => {
                        let answer = house.query_points(&ns("n"), query.clone()).await;
                        assert_eq!(answer.expect("an answer"), expected(&model, query), "{query:?}");
                    }
                }
            }
        });
    }
}

/// While points are written, and written again, and sealed, each query counts all points that were there when it began,
/// and none that had not begun to be written when it ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checker_counts_all_points_all_the_time() {
    const POINTS: i64 = 2000;
    let tuning =
        Tuning { block_points: 8, rewritten_per_point: 4, patient_points: 24, rewrites: 2, ..Tuning::default() };
    let house = House::tuned(SimDisk::new(), Options::new("/data"), tuning).await;
    let (begun, done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let writer = tokio::spawn({
        let (engine, begun, done) = (house.engine.clone(), begun.clone(), done.clone());
        async move {
            for number in 0..POINTS {
                begun.store(number + 1, Ordering::SeqCst);
                let mut points = Points::default();
                // Neighbours in time come far apart, and one that was there comes again.
                for time in [number * 7 % POINTS, number / 2 * 7 % POINTS] {
                    let field = points.new_field("v");
                    points.int(field, time);
                    points.end_new(SeriesKey::new("m", &[]).expect("a key"), time);
                }
                engine.write_points(&ns("n"), points, false).await.expect("writes").expect("no epoch is over");
                done.store(number + 1, Ordering::SeqCst);
            }
        }
    });
    let count = Query { range: (0, POINTS), ..query(vec![every(Aggregate::Count, 2 * POINTS)]) };
    while !writer.is_finished() {
        let least = done.load(Ordering::SeqCst);
        let answer = house.query_points(&ns("n"), count.clone()).await.expect("an answer");
        let most = begun.load(Ordering::SeqCst);
        match answer.first().map(|series| &series.points[0].value) {
            Some(Scalar::Int(found)) => assert!((least..=most).contains(found), "{found} of {least} to {most}"),
            found => assert!(found.is_none() && least == 0, "{found:?} of {least}"),
        }
    }
    writer.await.expect("the writer ends");
    let sum = Query { range: (0, POINTS), ..query(vec![every(Aggregate::Sum, 2 * POINTS)]) };
    let answer = house.query_points(&ns("n"), sum).await.expect("an answer");
    assert_eq!(answer[0].points, [Point { time: 0, value: Scalar::Int(POINTS * (POINTS - 1) / 2) }]);
    assert!(house.series_stats().sealed > 0);
}
