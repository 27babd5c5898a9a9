use super::*;
use crate::{Timestamp, tests::START};

fn keep(records: Option<u64>, bytes: Option<u64>, age_ms: Option<u64>) -> StreamRetention {
    StreamRetention { age: age_ms.map(Duration::from_millis), records, bytes }
}

/// The first offset kept, as readers see it.
fn first(engine: &crate::Engine) -> u64 {
    let live = engine.live().expect("a live engine");
    let key = crate::keys::stream(&ns("n"), &name("s"));
    let stream = live.streams.find(live, &key).expect("readable").expect("a stream");
    stream.bounds(&live.store).first
}

#[tokio::test]
async fn a_trim_moves_the_first_offset_only() {
    let mut house = House::new().await;
    house.add_each(0..10).await;
    assert_eq!(house.trim_to(StreamTrim::MaxLen(6)).await, StreamTrimmed { trimmed: 4, first: 4 });
    assert_eq!(house.trim_to(StreamTrim::BeforeOffset(3)).await, StreamTrimmed { trimmed: 0, first: 4 });
    assert_eq!(house.trim_to(StreamTrim::BeforeOffset(5)).await, StreamTrimmed { trimmed: 1, first: 5 });
    house.restart().await;
    assert_eq!(offsets(&house.page_from(0).await.records), [5, 6, 7, 8, 9]);
    assert_eq!(house.trim_to(StreamTrim::BeforeOffset(99)).await, StreamTrimmed { trimmed: 5, first: 10 });
    house.restart().await;
    let info = house.describe().await;
    assert_eq!((info.first, info.end, info.bytes), (10, 10, 0));
    assert_eq!(house.add(&["10"]).await.first, 10);
    assert_eq!(texts(&house.page_from(0).await), ["10"]);
}

#[tokio::test]
async fn a_trim_by_age_keeps_what_is_young_enough() {
    let house = House::new().await;
    house.add_each(0..3).await;
    house.advance(1000);
    house.add_each(3..5).await;
    let done = house.trim_to(StreamTrim::MaxAge(Duration::from_millis(999))).await;
    assert_eq!(done, StreamTrimmed { trimmed: 3, first: 3 });
    house.advance(5000);
    assert_eq!(house.trim_to(StreamTrim::MaxAge(Duration::from_secs(1))).await.first, 5);
}

#[tokio::test]
async fn a_trim_inside_a_row_of_many_is_exact() {
    let mut house = House::new().await;
    house.append(&ns("n"), appending((0..500).map(|n| record(&n.to_string())).collect())).await.expect("append");
    house.trim_to(StreamTrim::BeforeOffset(100)).await;
    assert_eq!(rows(&house.engine)[1], 2);
    house.restart().await;
    let page = house.page_from(0).await;
    assert_eq!((page.records[0].offset, page.records.len(), texts(&page)[0].as_str()), (100, 400, "100"));
    house.trim_to(StreamTrim::BeforeOffset(256)).await;
    assert_eq!(rows(&house.engine)[1], 1);
}

#[tokio::test]
async fn a_trim_of_very_many_rows_is_finished_in_the_background() {
    let mut house = House::new().await;
    // Rows that are full by their size, so that nothing seals them.
    let big = "x".repeat(256 << 10);
    for _ in 0..300 {
        house.add(&[&big]).await;
    }
    house.trim_to(StreamTrim::BeforeOffset(290)).await;
    house.restart().await;
    assert_eq!(house.page_from(0).await.first, 290);
    house.until("the sweep", |engine| rows(engine) == [1, 10, 0, 0, 0, 0]).await;
    assert_eq!(house.page_from(0).await.records.len(), 10);
}

#[tokio::test]
async fn the_newest_so_many_are_kept() {
    let mut house = House::new().await;
    house.create_stream(&ns("n"), &name("s"), keep(Some(5), None, None)).await.expect("create");
    house.add_each(0..20).await;
    house.in_time("the retention", |engine| first(engine) == 15).await;
    house.restart().await;
    house.add_each(20..22).await;
    house.in_time("the retention", |engine| first(engine) == 17).await;
    assert_eq!(offsets(&house.page_from(0).await.records), [17, 18, 19, 20, 21]);
}

#[tokio::test]
async fn a_bound_by_number_holds_at_every_moment() {
    let mut house = House::new().await;
    house.create_stream(&ns("n"), &name("s"), keep(Some(3), None, None)).await.expect("create");
    for n in 1..20_u64 {
        house.add(&["x"]).await;
        assert_eq!(first(&house.engine), n.saturating_sub(3));
        assert_eq!(house.page_from(0).await.records.len() as u64, n.min(3));
    }
    house.append(&ns("n"), appending((0..5).map(|_| record("y")).collect())).await.expect("append");
    assert_eq!(texts(&house.page_from(0).await), ["y"; 3]);
    house.restart().await;
    assert_eq!((first(&house.engine), house.page_from(0).await.records.len()), (21, 3));
}

#[tokio::test]
async fn so_many_bytes_are_kept_but_the_newest_row_always() {
    let house = House::new().await;
    let create = keep(None, Some(1000), None);
    let big = |len| vec![record(&"x".repeat(len))];
    for _ in 0..5 {
        house.append(&ns("n"), Append { create, ..appending(big(284)) }).await.expect("append");
    }
    // Each weighs 300.
    house.in_time("the retention", |engine| first(engine) == 2).await;
    assert_eq!(house.describe().await.bytes, 900);
    house.append(&ns("n"), appending(big(5000))).await.expect("append");
    house.in_time("the retention", |engine| first(engine) == 5).await;
    assert_eq!(house.page_from(0).await.records.len(), 1);
}

#[tokio::test]
async fn records_go_when_they_are_too_old_also_after_a_restart() {
    let mut house = House::new().await;
    let create = keep(None, None, Some(10_000));
    house.append(&ns("n"), Append { create, ..appending(vec![record("a")]) }).await.expect("append");
    house.advance(4000);
    house.add(&["b"]).await;
    house.advance(5999);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(first(&house.engine), 0);
    house.restart().await;
    house.advance(1);
    house.until("the first to go", |engine| first(engine) == 1).await;
    house.in_time("the second to go", |engine| first(engine) == 2).await;
    // An empty stream has no timer, the next record brings one.
    let timers = |engine: &crate::Engine| engine.live().expect("live").store.rows(crate::keys::TIMER);
    assert_eq!(timers(&house.engine), 0);
    house.add(&["c"]).await;
    assert_eq!(timers(&house.engine), 1);
    house.delete_stream(&ns("n"), &name("s")).await.expect("delete");
    assert_eq!(timers(&house.engine), 0);
}

#[tokio::test]
async fn a_retention_can_be_given_and_taken_later() {
    let mut house = House::new().await;
    house.add_each(0..10).await;
    let (n, s) = (ns("n"), name("s"));
    house.retain_stream(&n, &s, keep(Some(4), None, Some(60_000))).await.expect("retain");
    assert_eq!(house.describe().await.retention, keep(Some(4), None, Some(60_000)));
    house.in_time("the retention", |engine| first(engine) == 6).await;
    house.retain_stream(&n, &s, keep(None, None, None)).await.expect("retain");
    house.restart().await;
    house.advance(120_000);
    house.add_each(10..14).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(first(&house.engine), 6);
    assert!(house.page_at(StreamStart::Since(Timestamp(START.0 + 1))).await.records.len() == 4);
}

#[tokio::test]
async fn a_retention_is_changed_only_where_it_is_wanted() {
    let mut house = House::new().await;
    let (n, s) = (ns("n"), name("s"));
    let old = keep(None, None, Some(60_000));
    let new = keep(None, None, Some(10_000));
    house.retain_stream_if(&n, &s, new, |_| panic!("it is not there")).await.expect("no stream");
    assert!(house.streams(&n, None, 10).await.expect("a list").is_empty());
    house.append(&n, Append { create: old, ..appending(vec![record("a")]) }).await.expect("append");
    house.restart().await;
    house.advance(10_000);
    house.retain_stream_if(&n, &s, new, |kept| kept != old).await.expect("retain");
    assert_eq!(house.describe().await.retention, old);
    house.retain_stream_if(&n, &s, new, |kept| kept == old).await.expect("retain");
    assert_eq!(house.describe().await.retention, new);
    house.in_time("the first to go", |engine| first(engine) == 1).await;
    house.restart().await;
    assert_eq!(house.describe().await.retention, new);
}
