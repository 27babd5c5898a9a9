//! What a query may not use.

use std::{sync::atomic::Ordering, time::Duration};

use super::*;
use crate::{
    Clock, Kind,
    series::{Expr, Points, SeriesKey},
    tests::{House, START, ns, refused},
};

/// So many series of so many points each, a second apart.
fn many(series: usize, points: i64) -> Shelf {
    let mut shelf = Shelf::new(&[("v", false)]);
    for number in 0..series {
        let newer = (0..points).map(|at| (at * 1_000_000_000, Scalar::Int(at))).collect();
        shelf.add(&[("id", &format!("{number:05}"))], vec![Column { newer, ..Column::default() }]);
    }
    shelf
}

fn bounded(shelf: &Shelf, query: &Query, limits: QueryLimits) -> Error {
    refused(run(shelf, query, &limits, &AtomicBool::new(false)))
}

#[test]
fn a_range_of_too_many_windows_is_refused_though_few_have_points() {
    let range = |seconds: i64| (0, seconds * 1_000_000_000 - 1);
    let stages = || vec![every(Aggregate::Avg, 1_000_000_000)];
    let shelf = many(1, 3);
    let just = Query { range: range(1_000_000), ..query(stages()) };
    assert_eq!(ask(&shelf, &just).expect("an answer")[0].points.len(), 3);
    let error = refused(ask(&shelf, &Query { range: range(1_000_001), ..query(stages()) }));
    assert_eq!(*error.kind(), Kind::Invalid);
    assert_eq!(error.to_string(), "the range has 1000001 windows, more than 1000000");
    let all_of_time = refused(ask(&Shelf::new(&[]), &query(vec![every(Aggregate::Avg, 1)])));
    assert_eq!(all_of_time.to_string(), format!("the range has {} windows, more than 1000000", u64::MAX));
}

#[test]
fn an_answer_of_too_many_points_is_refused() {
    let shelf = many(30, 10);
    let limits = QueryLimits { points: 299, ..QueryLimits::default() };
    for stages in [vec![], vec![Stage::Pool { by: Vec::new() }], vec![Stage::Pool { by: Vec::new() }, Stage::Abs]] {
        let error = bounded(&shelf, &query(stages), limits);
        assert_eq!((error.kind(), &*error.to_string()), (&Kind::Invalid, "the answer has more than 299 points"));
    }
    // Those that are left count.
    let last = Query { limit: Some(9), ..query(vec![]) };
    let answer = run(&shelf, &last, &limits, &AtomicBool::new(false)).expect("an answer");
    assert_eq!(answer.iter().map(|series| series.points.len()).sum::<usize>(), 270);
}

#[test]
fn a_query_that_needs_too_much_memory_is_refused() {
    let shelf = many(20, 1000);
    let limits = QueryLimits { memory_bytes: 100_000, ..QueryLimits::default() };
    let range = (0, 1_000_000_000_000);
    for stages in [
        vec![],
        vec![Stage::Pool { by: Vec::new() }],
        vec![every(Aggregate::Percentile(50.0), range.1)],
        vec![Stage::Aggregate { what: Aggregate::Avg, window: Some(1_000_000_000), by: vec!["id".to_owned()] }],
    ] {
        let error = bounded(&shelf, &Query { range, ..query(stages) }, limits);
        assert_eq!(error.to_string(), "the query needs more than 100000 bytes of memory");
        assert_eq!(*error.kind(), Kind::Invalid);
    }
    // The same points, not held.
    let cheap = Query { range, ..query(vec![every(Aggregate::Avg, range.1)]) };
    run(&shelf, &cheap, &limits, &AtomicBool::new(false)).expect("an answer");
}

#[test]
fn a_query_that_nobody_waits_for_ends() {
    let given_up = AtomicBool::new(true);
    let error = refused(run(&many(1, 1), &query(vec![]), &QueryLimits::default(), &given_up));
    assert_eq!(*error.kind(), Kind::Busy);
}

#[test]
fn stages_that_mean_nothing_are_refused() {
    let shelf = many(1, 1);
    let deep = (0..300).fold(Expr::Value, |expr, _| Expr::Negate(expr.into()));
    for (stage, why) in [
        (once(Aggregate::Avg), "an aggregate other than first and last needs a window"),
        (every(Aggregate::Avg, 0), "a window has some length"),
        (every(Aggregate::Percentile(100.5), 10), "a percentile is from 0 to 100"),
        (every(Aggregate::Percentile(f64::NAN), 10), "a percentile is from 0 to 100"),
        (Stage::Math(deep), "an expression is nested more than 256 times"),
    ] {
        let error = refused(ask(&shelf, &query(vec![stage])));
        assert_eq!((error.kind(), &*error.to_string()), (&Kind::Invalid, why));
    }
}

#[test]
fn threads_share_the_work_and_agree() {
    let shelf = many(500, 40);
    let by = || vec!["id".to_owned()];
    let pooled = ask(&shelf, &query(vec![every(Aggregate::Sum, i64::MAX)])).expect("an answer");
    assert_eq!(pooled[0].points, [Point { time: 0, value: Scalar::Int(500 * 39 * 20) }]);
    let windows = Query {
        range: (0, 39_000_000_000),
        ..query(vec![
            Stage::Aggregate { what: Aggregate::Last, window: Some(1_000_000_000), by: by() },
            every(Aggregate::Count, 1_000_000_000),
        ])
    };
    let counts = ask(&shelf, &windows).expect("an answer");
    assert!(counts[0].points.iter().all(|point| point.value == Scalar::Int(500)));
    assert_eq!(counts[0].points.len(), 40);
    let raw = ask(&shelf, &query(vec![])).expect("an answer");
    assert!(raw.is_sorted_by(|one, other| one.key < other.key) && raw.len() == 500);
}

#[test]
fn a_failure_of_one_thread_is_that_of_the_query() {
    let mut shelf = many(200, 10);
    let broken = Column { blocks: vec![vec![(2, Scalar::Int(1)), (1, Scalar::Int(1))]], ..Column::default() };
    shelf.add(&[("id", "99999")], vec![broken]);
    let error = refused(ask(&shelf, &Query { range: (0, 10), ..query(vec![]) }));
    assert_eq!(error.to_string(), "points out of order cannot become a block");
}

async fn written() -> House {
    let house = House::with(|options| {
        options.clock = Clock::manual(START);
        options.limits.query.time = Duration::from_secs(5);
    })
    .await;
    let mut points = Points::default();
    let field = points.new_field("v");
    points.float(field, 1.5);
    points.end_new(SeriesKey::new("m", &[]).expect("a key"), 1);
    house.write_points(&ns("n"), points, false).await.expect("writes").expect("no epoch is over");
    house
}

#[tokio::test]
async fn a_query_waits_for_its_turn_and_not_longer_than_it_may() {
    let house = written().await;
    let live = house.live().expect("a live engine");
    let turns = live.series.queries.all().await;
    let engine = house.engine.clone();
    let waiting = tokio::spawn(async move { engine.query_points(&ns("n"), query(vec![])).await });
    while !waiting.is_finished() {
        house.advance(1000);
        tokio::task::yield_now().await;
    }
    let error = refused(waiting.await.expect("ends"));
    assert_eq!((error.kind(), &*error.to_string()), (&Kind::Busy, "the query takes longer than 5s"));
    drop(turns);
    let answer = house.query_points(&ns("n"), query(vec![])).await.expect("an answer");
    assert_eq!(answer[0].points, [Point { time: 1, value: Scalar::Float(1.5) }]);
}

#[tokio::test]
async fn what_does_not_exist_has_no_points() {
    let house = written().await;
    assert_eq!(house.query_points(&ns("other"), query(vec![])).await.expect("an answer"), []);
    let unknown = Query { measurement: "other".to_owned(), ..query(vec![]) };
    assert_eq!(house.query_points(&ns("n"), unknown).await.expect("an answer"), []);
    let field = Query { fields: Some(vec!["w".to_owned()]), ..query(vec![]) };
    assert_eq!(house.query_points(&ns("n"), field).await.expect("an answer"), []);
    let reversed = Query { range: (5, 1), ..query(vec![]) };
    assert_eq!(house.query_points(&ns("n"), reversed).await.expect("an answer"), []);
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_query_up() {
    let house = written().await;
    let live = house.live().expect("a live engine");
    let turns = live.series.queries.all().await;
    let engine = house.engine.clone();
    let gone = tokio::spawn(async move { engine.query_points(&ns("n"), query(vec![])).await });
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    drop(turns);
    // Its turn is free again.
    drop(live.series.queries.all().await);
    let given_up = Arc::new(AtomicBool::new(false));
    drop(super::super::verb::GiveUp(given_up.clone()));
    assert!(given_up.load(Ordering::Relaxed));
}
