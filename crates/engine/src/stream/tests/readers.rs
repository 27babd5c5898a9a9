use super::*;
use crate::{Timestamp, tests::START};

#[tokio::test]
async fn a_page_starts_where_it_is_asked_to() {
    let mut house = House::new().await;
    house.add_each(0..10).await;
    for _ in 0..2 {
        assert_eq!(offsets(&house.page_at(StreamStart::Last(3)).await.records), [7, 8, 9]);
        assert_eq!(house.page_at(StreamStart::Last(30)).await.records.len(), 10);
        assert_eq!(house.page_at(StreamStart::First).await.records.len(), 10);
        let page = house.page_at(StreamStart::End).await;
        assert_eq!((page.records.len(), page.next), (0, 10));
        let page = house.page_from(100).await;
        assert_eq!((page.records.len(), page.next, page.end), (0, 100, 10));
        house.restart().await;
    }
    house.trim_to(StreamTrim::BeforeOffset(4)).await;
    let page = house.page_from(1).await;
    assert_eq!((page.records[0].offset, page.first), (4, 4));
}

#[tokio::test]
async fn a_page_ends_at_its_bounds_but_holds_one_record_at_least() {
    let mut house = House::new().await;
    house.add(&[&"x".repeat(5000), &"y".repeat(100), &"z".repeat(100)]).await;
    for _ in 0..2 {
        let page = async |offset, limit, max_bytes| {
            let read = StreamRead { limit, max_bytes, ..all_from(offset) };
            let page = house.read_stream(&ns("n"), &name("s"), read).await.expect("a page");
            (offsets(&page.records), page.next)
        };
        assert_eq!(page(0, 1000, 10).await, (vec![0], 1));
        assert_eq!(page(1, 1000, 10).await, (vec![1], 2));
        assert_eq!(page(1, 1000, 300).await, (vec![1, 2], 3));
        assert_eq!(page(0, 2, usize::MAX).await, (vec![0, 1], 2));
        assert_eq!(page(0, 0, usize::MAX).await, (vec![0], 1));
        house.restart().await;
    }
}

#[tokio::test]
async fn records_are_found_by_their_time() {
    let mut house = House::new().await;
    for offset in 0..30u64 {
        house.add_each(offset..offset + 1).await;
        if offset % 3 == 2 {
            house.advance(10);
        }
    }
    for _ in 0..2 {
        for ms in 0..120u64 {
            let expected = (ms.div_ceil(10) * 3).min(30);
            let page = house.page_at(StreamStart::Since(Timestamp(START.0 + ms))).await;
            assert_eq!(page.next - page.records.len() as u64, expected, "{ms}");
        }
        assert_eq!(house.page_at(StreamStart::Since(Timestamp(0))).await.records.len(), 30);
        assert_eq!(house.page_at(StreamStart::Since(Timestamp(u64::MAX))).await.next, 30);
        house.restart().await;
    }
}

#[tokio::test]
async fn a_read_waits_for_a_record_and_for_the_stream() {
    let house = House::new().await;
    let engine = house.engine.clone();
    let reader =
        tokio::spawn(async move { engine.read_stream(&ns("n"), &name("s"), waiting(all_from(0), 60_000)).await });
    tokio::task::yield_now().await;
    house.create_stream(&ns("n"), &name("s"), StreamRetention::default()).await.expect("create");
    tokio::task::yield_now().await;
    assert!(!reader.is_finished());
    house.add(&["a"]).await;
    assert_eq!(texts(&reader.await.expect("a reader").expect("a page")), ["a"]);
}

#[tokio::test]
async fn a_wait_ends_in_time_with_what_there_is() {
    let house = House::new().await;
    let read = |stream: &str, offset| {
        let (engine, stream) = (house.engine.clone(), name(stream));
        tokio::spawn(async move { engine.read_stream(&ns("n"), &stream, waiting(all_from(offset), 1000)).await })
    };
    house.add(&["a"]).await;
    let (late, never) = (read("s", 1), read("t", 0));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    house.advance(1000);
    let page = late.await.expect("a reader").expect("a page");
    assert_eq!((page.records.len(), page.next, page.end), (0, 1, 1));
    assert_eq!(*refused(never.await.expect("a reader")).kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_wait_ends_when_the_engine_stops() {
    let house = House::new().await;
    house.add(&["a"]).await;
    let engine = house.engine.clone();
    let reader =
        tokio::spawn(async move { engine.read_stream(&ns("n"), &name("s"), waiting(all_from(1), 60_000)).await });
    tokio::task::yield_now().await;
    house.engine.close().await.expect("closes");
    assert!(reader.await.expect("a reader").expect("a page").records.is_empty());
}

#[tokio::test]
async fn records_are_shown_although_their_appender_went_away() {
    let house = House::new().await;
    house.add(&["a"]).await;
    let engine = house.engine.clone();
    let reader =
        tokio::spawn(async move { engine.read_stream(&ns("n"), &name("s"), waiting(all_from(1), 60_000)).await });
    tokio::task::yield_now().await;
    {
        // Polled once: committed, not durable yet, and dropped.
        let n = ns("n");
        let mut append = std::pin::pin!(house.append(&n, appending(vec![record("b")])));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::future::Future::poll(append.as_mut(), context).is_ready())
        });
        polled.await;
    }
    assert_eq!(texts(&reader.await.expect("a reader").expect("a page")), ["b"]);
}

#[tokio::test]
async fn a_follower_replays_and_goes_on_live_without_gap_or_duplicate() {
    let mut house = House::new().await;
    house.add_each(0..300).await;
    house.restart().await;
    let mut follower = house.follow_from(StreamStart::First).await;
    let engine = house.engine.clone();
    let appender = tokio::spawn(async move {
        for _ in 300..700u64 {
            engine.append(&ns("n"), appending(vec![record("x")])).await.expect("append");
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 700 {
        match follower.next(64, usize::MAX).await.expect("a step") {
            StreamStep::Records(records) => seen.extend(offsets(&records)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, (0..700).collect::<Vec<_>>());
    appender.await.expect("the appender");
    assert!(follower.try_next(1, 1).expect("a step").is_none());
    assert_eq!(house.describe().await.followers, 1);
    assert_eq!((house.stats().streams, house.stats().stream_followers), (1, 1));
    drop(follower);
    assert_eq!(house.describe().await.followers, 0);
}

#[tokio::test]
async fn a_follower_that_was_overtaken_is_told_and_goes_on() {
    let house = House::new().await;
    house.add_each(0..10).await;
    let mut follower = house.follow_from(StreamStart::Offset(2)).await;
    house.trim_to(StreamTrim::BeforeOffset(5)).await;
    match follower.next(10, usize::MAX).await.expect("a step") {
        StreamStep::Dropped { expected, first } => assert_eq!((expected, first), (2, 5)),
        other => panic!("{other:?}"),
    }
    match follower.next(10, usize::MAX).await.expect("a step") {
        StreamStep::Records(records) => assert_eq!(offsets(&records), [5, 6, 7, 8, 9]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_follower_ends_with_its_stream() {
    let house = House::new().await;
    house.add(&["a"]).await;
    let mut follower = house.follow_from(StreamStart::End).await;
    let next = tokio::spawn(async move { follower.next(10, usize::MAX).await });
    tokio::task::yield_now().await;
    house.delete_stream(&ns("n"), &name("s")).await.expect("delete");
    assert!(matches!(next.await.expect("a follower"), Ok(StreamStep::Deleted)));
}

#[tokio::test]
async fn nothing_is_shown_that_a_crash_could_take_back() {
    let mut house = House::new().await;
    house.add(&["a"]).await;
    house.disk.crash();
    let n = ns("n");
    let lost = house.append(&n, appending(vec![record("b")]));
    let lost = tokio::time::timeout(Duration::from_millis(200), lost);
    assert!(!matches!(lost.await, Ok(Ok(_))));
    assert_eq!(texts(&house.page_from(0).await), ["a"]);
    assert_eq!(house.page_from(0).await.end, 1);
    house.crash(manifold_store::disk::Reboot::Lost).await;
    assert_eq!(house.add(&["c"]).await.first, 1);
    assert_eq!(texts(&house.page_from(0).await), ["a", "c"]);
}

#[tokio::test]
async fn news_of_a_stream_outlive_the_look_that_found_nothing_and_come_once_there_is_more() {
    let house = House::new().await;
    house.add(&["a"]).await;
    let mut follower = house.follow_stream(&ns("n"), &name("s"), StreamStart::End).await.expect("a follower");
    assert!(follower.try_next(10, 1000).expect("a look").is_none());
    let news = tokio::spawn(follower.news());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!news.is_finished());
    house.add(&["b"]).await;
    news.await.expect("no panic");
    assert!(matches!(follower.try_next(10, 1000), Ok(Some(StreamStep::Records(records))) if offsets(&records) == [1]));
    // What came between the look and the wait counts as well.
    assert!(follower.try_next(10, 1000).expect("a look").is_none());
    house.add(&["c"]).await;
    follower.news().await;
    assert!(house.delete_stream(&ns("n"), &name("s")).await.expect("delete"));
    assert!(matches!(follower.try_next(10, 1000), Ok(Some(StreamStep::Deleted))));
}
