//! One rule each, by the numbers of the contract where it has some.

use super::*;
use crate::series::{Comparison, Expr, Operator, UNTAGGED};

const SECOND: i64 = 1_000_000_000;

fn floats(points: &[(i64, f64)]) -> Column {
    let newer = points.iter().map(|(time, value)| (*time, Scalar::Float(*value))).collect();
    Column { newer, ..Column::default() }
}

fn ints(points: &[(i64, i64)]) -> Column {
    let newer = points.iter().map(|(time, value)| (*time, Scalar::Int(*value))).collect();
    Column { newer, ..Column::default() }
}

/// One series of one field.
fn one(column: Column) -> Shelf {
    let mut shelf = Shelf::new(&[("v", false)]);
    shelf.add(&[], vec![column]);
    shelf
}

fn points(answer: &[SeriesPoints]) -> Vec<(i64, Scalar)> {
    let [series] = answer else { panic!("not one series: {answer:?}") };
    series.points.iter().map(|point| (point.time, point.value.clone())).collect()
}

/// What stages make of one series.
fn made(column: Column, stages: Vec<Stage>) -> Vec<(i64, Scalar)> {
    points(&ask(&one(column), &query(stages)).expect("an answer"))
}

fn within(column: Column, range: (i64, i64), stages: Vec<Stage>) -> Vec<(i64, Scalar)> {
    points(&ask(&one(column), &Query { range, ..query(stages) }).expect("an answer"))
}

fn hosts() -> Shelf {
    let mut shelf = Shelf::new(&[("v", false)]);
    shelf.add(&[], vec![ints(&[(1, 5)])]);
    shelf.add(&[("dc", "x"), ("host", "a")], vec![ints(&[(1, 10)])]);
    shelf.add(&[("dc", "x"), ("host", "b")], vec![ints(&[(1, 20)])]);
    shelf
}

fn grouped(what: Aggregate, by: &[&str]) -> Query {
    let by = by.iter().map(|tag| (*tag).to_owned()).collect();
    Query { range: (0, 100), ..query(vec![Stage::Aggregate { what, window: Some(10), by }]) }
}

fn keys(answer: &[SeriesPoints]) -> Vec<&str> {
    answer.iter().map(|series| series.key.as_str()).collect()
}

#[test]
fn an_aggregate_pools_all_tag_sets() {
    let mut shelf = Shelf::new(&[("v", false)]);
    shelf.add(&[("host", "a")], vec![floats(&[(3, 10.0)])]);
    shelf.add(&[("host", "b")], vec![floats(&[(3, 20.0)])]);
    let value = |what| points(&ask(&shelf, &grouped(what, &[])).expect("an answer"));
    assert_eq!(value(Aggregate::Avg), [(0, Scalar::Float(15.0))]);
    assert_eq!(value(Aggregate::Sum), [(0, Scalar::Float(30.0))]);
    assert_eq!(value(Aggregate::Count), [(0, Scalar::Int(2))]);
    assert_eq!(value(Aggregate::Max), [(0, Scalar::Float(20.0))]);
    assert_eq!(value(Aggregate::Percentile(95.0)), [(0, Scalar::Float(19.5))]);
}

#[test]
fn groups_are_named_by_their_tags_in_the_order_given() {
    let answer = ask(&hosts(), &grouped(Aggregate::Sum, &["host", "dc"])).expect("an answer");
    let untagged = format!("m,host={UNTAGGED},dc={UNTAGGED}");
    assert_eq!(keys(&answer), [untagged.as_str(), "m,host=a,dc=x", "m,host=b,dc=x"]);
    assert_eq!(answer[0].tags, []);
    assert_eq!(answer[1].tags, [("dc".into(), "x".into()), ("host".into(), "a".into())]);
    assert_eq!(answer[2].points, [Point { time: 0, value: Scalar::Int(20) }]);
}

#[test]
fn tags_are_those_on_which_all_series_with_points_agree() {
    let answer = ask(&hosts(), &grouped(Aggregate::Sum, &["dc"])).expect("an answer");
    assert_eq!(keys(&answer), [&*format!("m,dc={UNTAGGED}"), "m,dc=x"]);
    assert_eq!(answer[1].tags, [("dc".into(), "x".into())]);
    // The series without tags has no points any more.
    let mut few = grouped(Aggregate::Sum, &[]);
    few.stages.insert(0, Stage::Where(Comparison::Greater, 5.0));
    assert_eq!(ask(&hosts(), &few).expect("an answer")[0].tags, [("dc".into(), "x".into())]);
    assert_eq!(ask(&hosts(), &grouped(Aggregate::Sum, &[])).expect("an answer")[0].tags, []);
}

#[test]
fn a_later_aggregate_pools_the_streams_of_the_one_before() {
    let sum = Stage::Aggregate { what: Aggregate::Sum, window: Some(10), by: vec!["host".to_owned()] };
    let max = Stage::Aggregate { what: Aggregate::Max, window: Some(100), by: vec!["dc".to_owned()] };
    let answer = ask(&hosts(), &Query { range: (0, 100), ..query(vec![sum, max]) }).expect("an answer");
    assert_eq!(keys(&answer), [&*format!("m,dc={UNTAGGED}"), "m,dc=x"]);
    assert_eq!(answer[1].points, [Point { time: 0, value: Scalar::Int(20) }]);
}

#[test]
fn windows_are_aligned_to_the_epoch_also_before_it() {
    let column = ints(&[(-11, 1), (-10, 2), (-1, 3), (0, 4), (9, 5), (10, 6)]);
    let counts = within(column, (-100, 100), vec![every(Aggregate::Count, 10)]);
    assert_eq!(counts, [(-20, Scalar::Int(1)), (-10, Scalar::Int(2)), (0, Scalar::Int(2)), (10, Scalar::Int(1))]);
}

#[test]
fn the_ends_of_time_have_windows_too() {
    let column = || ints(&[(i64::MIN, 1), (i64::MAX, 2)]);
    let counts = |window| made(column(), vec![every(Aggregate::Count, window)]);
    // The first window would begin before time does.
    let start = i64::MAX / 3_000_000_000_000_000_000 * 3_000_000_000_000_000_000;
    assert_eq!(counts(3_000_000_000_000_000_000), [(i64::MIN, Scalar::Int(1)), (start, Scalar::Int(1))]);
    assert_eq!(counts(i64::MAX), [(i64::MIN, Scalar::Int(1)), (i64::MAX, Scalar::Int(1))]);
    let rate = made(column(), vec![Stage::Rate]);
    assert_eq!(rate, [(i64::MAX, Scalar::Float(1.0 / (u64::MAX as f64 / 1e9)))]);
}

#[test]
fn first_and_last_without_a_window_are_one_point_at_its_own_time() {
    let column = || ints(&[(3, 1), (70, 2), (99, 3)]);
    assert_eq!(made(column(), vec![once(Aggregate::First)]), [(3, Scalar::Int(1))]);
    assert_eq!(made(column(), vec![once(Aggregate::Last)]), [(99, Scalar::Int(3))]);
    let by_window = within(column(), (0, 100), vec![every(Aggregate::Last, 60)]);
    assert_eq!(by_window, [(0, Scalar::Int(1)), (60, Scalar::Int(3))]);
}

#[test]
fn at_one_instant_the_smallest_key_is_first_and_the_greatest_last() {
    let answer = |what| points(&ask(&hosts(), &query(vec![once(what)])).expect("an answer"));
    assert_eq!(answer(Aggregate::First), [(1, Scalar::Int(5))]);
    assert_eq!(answer(Aggregate::Last), [(1, Scalar::Int(20))]);
}

#[test]
fn a_counter_that_falls_began_again_at_zero() {
    let column = || floats(&[(0, 10.0), (10 * SECOND, 20.0), (20 * SECOND, 5.0)]);
    let rates = [(10 * SECOND, Scalar::Float(1.0)), (20 * SECOND, Scalar::Float(0.5))];
    assert_eq!(made(column(), vec![Stage::Rate]), rates);
    let deltas = [(10 * SECOND, Scalar::Float(10.0)), (20 * SECOND, Scalar::Float(-15.0))];
    assert_eq!(made(column(), vec![Stage::Delta]), deltas);
    assert_eq!(ask(&one(floats(&[(1, 1.0)])), &query(vec![Stage::Rate])).expect("an answer"), []);
}

#[test]
fn rates_of_pooled_points_at_one_instant_are_skipped() {
    let mut shelf = Shelf::new(&[("v", false)]);
    shelf.add(&[("host", "a")], vec![ints(&[(0, 1), (SECOND, 2)])]);
    shelf.add(&[("host", "b")], vec![ints(&[(0, 4)])]);
    let pool = Stage::Pool { by: Vec::new() };
    let rates = ask(&shelf, &query(vec![pool.clone(), Stage::Rate])).expect("an answer");
    assert_eq!(points(&rates), [(SECOND, Scalar::Float(2.0))]);
    let pooled = ask(&shelf, &query(vec![pool])).expect("an answer");
    assert_eq!(points(&pooled), [(0, Scalar::Int(1)), (0, Scalar::Int(4)), (SECOND, Scalar::Int(2))]);
}

#[test]
fn great_integers_stay_exact() {
    let column = ints(&[(0, 9_007_199_254_740_993), (SECOND, 9_007_199_254_740_994)]);
    assert_eq!(made(column.clone(), vec![])[0].1, Scalar::Int(9_007_199_254_740_993));
    assert_eq!(made(column.clone(), vec![Stage::Delta])[0].1, Scalar::Float(1.0));
    let sum = within(column, (0, SECOND), vec![every(Aggregate::Sum, 10 * SECOND)]);
    assert_eq!(sum, [(0, Scalar::Int(18_014_398_509_481_987))]);
}

#[test]
fn a_sum_beyond_signed_integers_is_a_float() {
    let sum = made(ints(&[(0, i64::MAX), (1, 1)]), vec![every(Aggregate::Sum, i64::MAX)]);
    assert_eq!(sum, [(0, Scalar::Float(9_223_372_036_854_775_808.0))]);
    let greatest = Column { newer: vec![(0, Scalar::Uint(u64::MAX)), (1, Scalar::Int(-1))], ..Column::default() };
    let float = [(0, Scalar::Float(u64::MAX as f64))];
    assert_eq!(made(greatest.clone(), vec![every(Aggregate::Max, i64::MAX)]), float);
    assert_eq!(made(greatest, vec![every(Aggregate::First, i64::MAX)]), float);
}

#[test]
fn integers_among_floats_are_floats() {
    let column = Column { newer: vec![(0, Scalar::Int(1)), (1, Scalar::Float(2.5))], ..Column::default() };
    let value = |what| made(column.clone(), vec![every(what, i64::MAX)]).remove(0).1;
    assert_eq!(value(Aggregate::Min), Scalar::Float(1.0));
    assert_eq!(value(Aggregate::Sum), Scalar::Float(3.5));
    // What is but picked out stays as it is.
    assert_eq!(value(Aggregate::First), Scalar::Int(1));
}

#[test]
fn booleans_count_as_one_and_zero_except_where_they_are_picked_out() {
    let newer = [true, false, true].into_iter().enumerate().map(|(at, value)| (at as i64, Scalar::Bool(value)));
    let column = Column { newer: newer.collect(), ..Column::default() };
    let value = |stages| made(column.clone(), stages).pop().expect("a point").1;
    assert_eq!(value(vec![]), Scalar::Bool(true));
    assert_eq!(value(vec![once(Aggregate::Last)]), Scalar::Bool(true));
    assert_eq!(value(vec![Stage::Where(Comparison::Greater, 0.0)]), Scalar::Bool(true));
    assert_eq!(value(vec![every(Aggregate::Sum, i64::MAX)]), Scalar::Int(2));
    assert_eq!(value(vec![every(Aggregate::Min, i64::MAX)]), Scalar::Int(0));
    assert_eq!(value(vec![Stage::Abs]), Scalar::Int(1));
    assert_eq!(value(vec![Stage::Delta]), Scalar::Float(1.0));
}

#[test]
fn text_is_only_shown_picked_out_or_counted() {
    let newer = vec![(1, Scalar::Text("a".into())), (2, Scalar::Text("b".into()))];
    let mut shelf = Shelf::new(&[("t", true)]);
    shelf.add(&[], vec![Column { newer, ..Column::default() }]);
    let answer = |stages| ask(&shelf, &query(stages)).expect("an answer");
    assert_eq!(points(&answer(vec![])).len(), 2);
    assert_eq!(points(&answer(vec![once(Aggregate::First)])), [(1, Scalar::Text("a".into()))]);
    assert_eq!(points(&answer(vec![every(Aggregate::Last, i64::MAX)])), [(0, Scalar::Text("b".into()))]);
    let doubled = Stage::Math(Expr::Binary(Expr::Value.into(), Operator::Multiply, Expr::Number(2.0).into()));
    let counted = answer(vec![every(Aggregate::Count, i64::MAX), doubled]);
    assert_eq!(points(&counted), [(0, Scalar::Float(4.0))]);
    for stage in [Stage::Rate, Stage::Abs, Stage::Top(1), Stage::Where(Comparison::NotEqual, 1.0)] {
        assert_eq!(answer(vec![stage, every(Aggregate::Count, i64::MAX)]), []);
    }
    assert_eq!(answer(vec![every(Aggregate::Avg, i64::MAX)]), []);
}

#[test]
fn what_is_not_finite_is_no_point() {
    let by = |left: Expr, operator, right: Expr| Expr::Binary(left.into(), operator, right.into());
    let column = || floats(&[(1, 0.0), (2, 4.0), (3, -7.0)]);
    let math = |expr| {
        let answer = ask(&one(column()), &query(vec![Stage::Math(expr)])).expect("an answer");
        if answer.is_empty() { Vec::new() } else { points(&answer) }
    };
    let over_value = |operator| by(Expr::Number(2.0), operator, Expr::Value);
    assert_eq!(math(over_value(Operator::Divide)).len(), 2);
    assert_eq!(math(over_value(Operator::Remainder)), [(2, Scalar::Float(2.0)), (3, Scalar::Float(2.0))]);
    // No result is no result, whatever is done with it.
    assert_eq!(math(by(Expr::Number(1.0), Operator::Divide, over_value(Operator::Divide))).len(), 2);
    assert_eq!(math(by(Expr::Value, Operator::Divide, Expr::Number(0.0))), []);
    let rest = math(by(Expr::Value, Operator::Remainder, Expr::Number(4.0)));
    assert_eq!(rest.last(), Some(&(3, Scalar::Float(-3.0))));
    let far = || floats(&[(0, f64::MAX), (1, -f64::MAX), (2, 0.5)]);
    assert_eq!(made(far(), vec![Stage::Delta]), [(2, Scalar::Float(f64::MAX))]);
    let middle = within(far(), (0, 9), vec![every(Aggregate::Percentile(75.0), 1000)]);
    assert_eq!(middle, [(0, Scalar::Float(f64::MAX / 2.0))]);
    let sums = ask(&one(floats(&[(0, f64::MAX), (1, f64::MAX)])), &query(vec![every(Aggregate::Sum, i64::MAX)]));
    assert_eq!(sums.expect("an answer"), []);
}

#[test]
fn a_percentile_lies_between_its_neighbours() {
    let column = || ints(&[(0, 40), (1, 10), (2, 30), (3, 20)]);
    let value = |percent| within(column(), (0, 9), vec![every(Aggregate::Percentile(percent), 10)]).remove(0).1;
    assert_eq!(value(0.0), Scalar::Float(10.0));
    assert_eq!(value(50.0), Scalar::Float(25.0));
    assert_eq!(value(100.0), Scalar::Float(40.0));
}

#[test]
fn values_are_rounded_half_away_from_zero() {
    let column = || floats(&[(1, 2.5), (2, -2.5), (3, 1.25), (4, 1e300)]);
    let values = |stage| made(column(), vec![stage]).into_iter().map(|point| point.1).collect::<Vec<_>>();
    let floats = |values: [f64; 4]| values.map(Scalar::Float);
    assert_eq!(values(Stage::Round(0)), floats([3.0, -3.0, 1.0, 1e300]));
    assert_eq!(values(Stage::Round(1)), floats([2.5, -2.5, 1.3, 1e300]));
    assert_eq!(values(Stage::Ceil), floats([3.0, -2.0, 2.0, 1e300]));
    assert_eq!(values(Stage::Floor), floats([2.0, -3.0, 1.0, 1e300]));
    let least = made(ints(&[(1, i64::MIN), (2, -3)]), vec![Stage::Abs]);
    assert_eq!(least, [(1, Scalar::Uint(1 << 63)), (2, Scalar::Int(3))]);
}

#[test]
fn streams_of_equal_sums_are_chosen_by_their_keys() {
    let mut shelf = Shelf::new(&[("v", false), ("w", false)]);
    for host in ["a", "b", "c"] {
        let sum = if host == "b" { 9 } else { 4 };
        shelf.add(&[("host", host)], vec![ints(&[(1, sum)]), Column::default()]);
    }
    let answer = |stage| ask(&shelf, &query(vec![stage])).expect("an answer");
    assert_eq!(keys(&answer(Stage::Top(2))), ["m,host=a", "m,host=b"]);
    assert_eq!(keys(&answer(Stage::Bottom(1))), ["m,host=a"]);
    assert_eq!(keys(&answer(Stage::Bottom(9))), ["m,host=a", "m,host=b", "m,host=c"]);
}

#[test]
fn the_limit_keeps_the_latest_points_of_each_series() {
    let query = Query { limit: Some(2), ..query(vec![]) };
    let blocks = vec![vec![(1, Scalar::Int(1)), (2, Scalar::Int(2))], vec![(5, Scalar::Int(5))]];
    let column = Column { blocks, newer: vec![(2, Scalar::Int(7)), (4, Scalar::Int(4))] };
    assert_eq!(points(&ask(&one(column), &query).expect("an answer")), [(4, Scalar::Int(4)), (5, Scalar::Int(5))]);
}

#[test]
fn what_is_too_old_does_not_count() {
    let shelf = Shelf { oldest: Some(3), ..one(ints(&[(1, 1), (3, 3), (4, 4)])) };
    let answer = ask(&shelf, &query(vec![])).expect("an answer");
    assert_eq!(points(&answer), [(3, Scalar::Int(3)), (4, Scalar::Int(4))]);
    let shelf = Shelf { oldest: Some(5), ..shelf };
    assert_eq!(ask(&shelf, &query(vec![])).expect("an answer"), []);
}
