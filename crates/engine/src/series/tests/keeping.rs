//! Retention in the background. What queries hide at once is their business.

use std::time::Duration;

use super::*;
use crate::{Clock, Options, tests::START};

const MINUTE_MS: u64 = 60_000;

/// An instant so many minutes before the start of the clock.
fn ago(minutes: i64) -> i64 {
    (START.0 as i64 - minutes * MINUTE_MS as i64) * 1_000_000
}

async fn keeping(rules: Vec<SeriesRetention>) -> House {
    let options = Options { clock: Clock::manual(START), series_retention: rules, ..Options::new("/data") };
    House::tuned(SimDisk::new(), options, small()).await
}

fn keep(minutes: u64) -> SeriesRetention {
    SeriesRetention { namespace: None, measurement: None, keep: Duration::from_secs(minutes * 60) }
}

#[tokio::test]
async fn what_is_too_old_is_invisible_at_once() {
    let house = keeping(vec![keep(10)]).await;
    house.write(Lines::floats("a", (0..30).map(|minutes| (ago(minutes), minutes as f64)))).await;
    let query = |range| Query {
        measurement: "m".to_owned(),
        filters: Vec::new(),
        range,
        fields: None,
        stages: Vec::new(),
        limit: None,
    };
    let count = async |range| {
        let found = house.query_points(&ns("n"), query(range)).await.expect("answers");
        found.first().map_or(0, |series| series.points.len())
    };
    assert_eq!(count((i64::MIN, i64::MAX)).await, 11);
    assert_eq!(count((ago(20), ago(9))).await, 2);
    assert_eq!(count((ago(30), ago(20))).await, 0);
    house.advance(5 * MINUTE_MS);
    assert_eq!(count((i64::MIN, i64::MAX)).await, 6);
}

#[tokio::test]
async fn blocks_go_when_all_their_points_are_too_old() {
    let mut house = keeping(vec![keep(200)]).await;
    for minutes in (0..100).rev() {
        house.write(Lines::floats("a", [(ago(minutes), minutes as f64)])).await;
    }
    // Time passes: the first half of the points is too old, and buffers are sealed.
    house.advance(150 * MINUTE_MS);
    let oldest = |house: &House| house.column("a", "v").first().map(|(time, _)| *time);
    house.in_time("the removal of old blocks", |_| oldest(&house).is_some_and(|oldest| oldest > ago(60))).await;
    assert!(oldest(&house) <= Some(ago(40)), "what is young enough stays");
    assert_eq!(house.column("a", "v").last(), Some(&(ago(0), Scalar::Float(0.0))));
    let left = house.column("a", "v");
    house.restart().await;
    assert_eq!(house.column("a", "v"), left);
}

#[tokio::test]
async fn a_series_with_nothing_left_goes_with_its_names() {
    let mut house = keeping(vec![keep(10)]).await;
    house.write(Lines::floats("a", [(ago(0), 1.0)])).await;
    house.write(Lines::floats("b", [(ago(0) + 80 * MINUTE_MS as i64 * 1_000_000, 1.0)])).await;
    let epoch = house.series_epoch(&ns("n")).expect("an epoch");
    // An hour on, small buffers are sealed too.
    house.advance(61 * MINUTE_MS);
    house.in_time("the removal of the series", |engine| engine.series_stats().series == 1).await;
    assert_ne!(house.series_epoch(&ns("n")).expect("an epoch"), epoch);
    assert_eq!(house.column("a", "v"), []);
    house.restart().await;
    assert_eq!(house.series_stats().series, 1);
    house.advance(60 * MINUTE_MS);
    house.in_time("the removal of the other", |engine| engine.series_stats().series == 0).await;
    assert_eq!(house.measurements(&ns("n"), None, 9).await.expect("lists"), []);
}

#[tokio::test]
async fn what_no_rule_names_is_kept() {
    let other = SeriesRetention { namespace: Some(ns("other")), ..keep(1) };
    let house = keeping(vec![other]).await;
    for minutes in (0..20).rev() {
        house.write(Lines::floats("a", [(ago(minutes), 1.0)])).await;
    }
    house.advance(300 * MINUTE_MS);
    house.in_time("sealing", |engine| engine.series_stats().buffered == 0).await;
    house.advance(300 * MINUTE_MS);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(house.column("a", "v").len(), 20);
}
