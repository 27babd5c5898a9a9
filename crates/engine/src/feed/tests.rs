use std::time::Duration;

use super::*;
use crate::{
    Engine, Kind, Level, Retention,
    kv::{Delete, Put},
    tests::{ANN, House, START, after_all, delete, ground, ns, numbers, put, refused, set_op},
};

fn tenant(name: &'static str) -> Filter {
    Filter { tenant: Some(name.into()), ..Filter::default() }
}

async fn write(house: &House, namespace: &str, key: &str) -> u64 {
    house.put(&ns(namespace), put(key, "1")).await.expect("put").seq
}

#[tokio::test]
async fn pages_are_read_in_turn_each_change_once() {
    let mut house = House::new().await;
    house.batch((0..250).map(|n| set_op(&format!("k{n}"), "1")).collect()).await.expect("batch");
    for _ in 0..2 {
        let mut after = 0;
        let mut sizes = Vec::new();
        while sizes.last() != Some(&0) {
            let page = house.changes(Changes { limit: 100, ..after_all(after) }).await.expect("changes");
            assert_eq!(numbers(&page.changes), (after + 1..=page.last_seq).collect::<Vec<_>>());
            sizes.push(page.changes.len());
            after = page.last_seq;
        }
        assert_eq!(sizes, [100, 100, 50, 0]);
        // The second round reads from the disk: memory holds no change after a restart.
        house.restart().await;
    }
}

#[tokio::test]
async fn the_cursor_of_a_quiet_tenant_keeps_up_with_the_head() {
    let house = House::new().await;
    write(&house, "tenant:a", "k").await;
    for _ in 0..5 {
        write(&house, "tenant:b/x", "k").await;
    }
    let page = house.changes(Changes { filter: tenant("a"), ..after_all(1) }).await.expect("changes");
    assert_eq!((page.changes.len(), page.last_seq, page.head), (0, 6, 6));
    let page = house.changes(Changes { filter: tenant("b"), limit: 2, ..after_all(0) }).await.expect("changes");
    assert_eq!((numbers(&page.changes), page.last_seq), (vec![2, 3], 3));
}

#[tokio::test]
async fn filters_hold_together() {
    let house = House::new().await;
    write(&house, "tenant:a", "x1").await;
    write(&house, "tenant:a/sub", "x2").await;
    write(&house, "tenant:a2", "x3").await;
    house.delete(&ns("tenant:a"), Delete { actor: Actor::fixed("bob"), ..delete("x1") }).await.expect("delete");
    let find = async |filter| numbers(&house.changes(Changes { filter, ..after_all(0) }).await.expect("page").changes);
    let tree = Filter { tree: Some("tenant:a".into()), ..Filter::default() };
    assert_eq!(find(tree.clone()).await, [1, 2, 4]);
    assert_eq!(find(Filter { prefix: Some("x1".into()), ..tree.clone() }).await, [1, 4]);
    assert_eq!(find(Filter { not_actor: Some("bob".into()), ..tree }).await, [1, 2]);
    assert_eq!(find(tenant("a2")).await, [3]);
    assert_eq!(find(tenant("")).await, [0u64; 0]);
}

#[tokio::test]
async fn a_page_ends_before_its_bytes_but_holds_one_change() {
    let mut house = House::new().await;
    for _ in 0..3 {
        house.put(&ns("n"), Put { value: crate::tests::json(&"x".repeat(1000)), ..put("k", "") }).await.expect("put");
    }
    for _ in 0..2 {
        let page = async |max_bytes| house.changes(Changes { max_bytes, ..after_all(0) }).await.expect("page");
        assert_eq!(numbers(&page(1).await.changes), [1]);
        assert_eq!(page(1).await.last_seq, 1);
        assert_eq!(numbers(&page(2500).await.changes), [1, 2]);
        assert_eq!(numbers(&page(1 << 20).await.changes), [1, 2, 3]);
        house.restart().await;
    }
}

#[tokio::test]
async fn a_position_beyond_the_head_is_reset_and_never_waits() {
    let house = House::new().await;
    write(&house, "n", "k").await;
    let page = house.changes(Changes { wait: Some(Duration::from_secs(60)), ..after_all(9) }).await.expect("page");
    assert_eq!((page.reset, page.truncated, page.changes.len(), page.last_seq), (true, false, 0, 1));
    assert!(!house.page(1).await.reset);
}

#[tokio::test]
async fn a_wait_ends_with_the_first_match_or_with_the_time() {
    let house = House::new().await;
    let engine = house.engine.clone();
    let waiting = tokio::spawn(async move {
        let changes = Changes { filter: tenant("a"), wait: Some(Duration::from_secs(5)), ..after_all(0) };
        engine.changes(changes).await.expect("page")
    });
    write(&house, "tenant:b", "k").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    write(&house, "tenant:a", "k").await;
    let page = waiting.await.expect("task");
    assert_eq!((numbers(&page.changes), page.last_seq), (vec![2], 2));

    let engine = house.engine.clone();
    let waiting = tokio::spawn(async move {
        let changes = Changes { filter: tenant("a"), wait: Some(Duration::from_secs(5)), ..after_all(2) };
        engine.changes(changes).await.expect("page")
    });
    write(&house, "tenant:b", "k").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.advance(5000);
    let page = waiting.await.expect("task");
    assert_eq!((page.changes.len(), page.last_seq, page.head), (0, 3, 3));
}

#[tokio::test]
async fn waits_and_followers_end_when_the_engine_stops() {
    let house = House::new().await;
    let engine = house.engine.clone();
    let waiting =
        tokio::spawn(
            async move { engine.changes(Changes { wait: Some(Duration::from_secs(60)), ..after_all(0) }).await },
        );
    let mut follower = house.follow(Start::Head, Filter::default()).expect("follow");
    let following = tokio::spawn(async move { follower.next(10, 1 << 20).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.close().await.expect("closes");
    assert!(waiting.await.expect("task").expect("page").changes.is_empty());
    assert_eq!(refused(following.await.expect("task")).kind(), &Kind::Closed);
    assert_eq!(refused(house.changes(after_all(0)).await).kind(), &Kind::Closed);
}

#[tokio::test]
async fn reach_waits_for_a_number() {
    let house = House::new().await;
    write(&house, "n", "k").await;
    assert!(house.reach(1, Duration::ZERO).await.expect("reach"));
    let engine = house.engine.clone();
    let reaching = tokio::spawn(async move { engine.reach(2, Duration::from_secs(5)).await.expect("reach") });
    write(&house, "n", "k").await;
    assert!(reaching.await.expect("task"));
    let engine = house.engine.clone();
    let reaching = tokio::spawn(async move { engine.reach(3, Duration::from_secs(5)).await.expect("reach") });
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.advance(5000);
    assert!(!reaching.await.expect("task"));
}

/// Follows until the follower has seen everything up to `upto`.
async fn followed(follower: &mut Follower, upto: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while follower.position() < upto {
        match follower.next(7, 1 << 20).await.expect("step") {
            Step::Changes { changes, .. } => seen.extend(numbers(&changes)),
            Step::Reset { oldest_seq, head } => panic!("reset to {oldest_seq} of {head}"),
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_joins_replay_and_live_without_gap_or_duplicate_across_a_restart() {
    let mut house = House::new().await;
    house.batch((0..300).map(|n| set_op(&format!("k{n}"), "1")).collect()).await.expect("batch");
    house.restart().await;
    let mut follower = house.follow(Start::After(0), Filter::default()).expect("follow");
    let engine = house.engine.clone();
    let writer = tokio::spawn(async move {
        for n in 0..100 {
            engine.put(&ns("n"), put(&format!("live{n}"), "1")).await.expect("put");
        }
    });
    assert_eq!(followed(&mut follower, 400).await, (1..=400).collect::<Vec<_>>());
    assert!(follower.try_next(10, 1 << 20).expect("step").is_none());
    writer.await.expect("writer");

    house.restart().await;
    write(&house, "n", "k").await;
    let mut again = house.follow(Start::After(398), Filter::default()).expect("follow");
    assert_eq!(followed(&mut again, 401).await, [399, 400, 401]);
}

#[tokio::test]
async fn a_follower_at_the_head_is_given_only_what_comes() {
    let house = House::new().await;
    write(&house, "tenant:a", "k").await;
    let mut follower = house.follow(Start::Head, tenant("a")).expect("follow");
    assert!(follower.try_next(10, 1 << 20).expect("step").is_none());
    write(&house, "tenant:b", "k").await;
    write(&house, "tenant:a", "k").await;
    assert_eq!(followed(&mut follower, 3).await, [3]);
}

async fn trimmed_house(records: u64, writes: usize) -> House {
    let house = House::with(|options| options.retention = Retention { records, ..Retention::default() }).await;
    house.batch((0..writes).map(|n| set_op(&format!("k{n}"), "1")).collect()).await.expect("batch");
    trim(&house).await;
    house
}

/// Waits for the retention worker.
async fn trim(house: &House) {
    let bound = house.options.retention.records;
    let kept = |engine: &Engine| engine.stats().feed_head + 1 - engine.stats().feed_oldest;
    house.in_time("the trimming", |engine| kept(engine) <= bound).await;
}

#[tokio::test]
async fn retention_by_number_keeps_the_newest_and_tells_who_fell_behind() {
    let mut house = trimmed_house(100, 1000).await;
    for _ in 0..2 {
        let page = house.page(5).await;
        assert_eq!((page.truncated, page.reset, page.oldest_seq), (true, false, 901));
        assert_eq!(numbers(&page.changes), (901..=1000).collect::<Vec<_>>());
        assert!(!house.page(900).await.truncated);
        let from_the_start = house.page(0).await;
        assert_eq!((from_the_start.truncated, from_the_start.changes.len()), (false, 100));
        house.restart().await;
    }
    assert_eq!(house.stats().kv_entries, 1000, "entries are never affected");
    assert_eq!(write(&house, "n", "k").await, 1001);
}

#[tokio::test]
async fn retention_by_age_may_empty_the_feed_and_numbers_and_time_go_on() {
    let mut house = House::with(|options| options.retention.age = Duration::from_secs(10)).await;
    house.advance(5);
    write(&house, "n", "k").await;
    house.advance(10_000);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(house.stats().feed_oldest, 1, "as old as allowed, and no older");
    house.in_time("the trimming", |engine| engine.stats().feed_oldest == 2).await;
    house.restart().await;
    let page = house.page(1).await;
    assert_eq!((page.last_seq, page.oldest_seq, page.truncated, page.reset), (1, 2, false, false));
    house.restart_with(|options| options.clock = crate::Clock::manual(START)).await;
    let entry = house.set("k", "2").await;
    let remembered = Timestamp(START.0 + 5);
    assert_eq!((entry.seq, entry.updated_at), (2, remembered), "numbers and time go on");
}

#[tokio::test]
async fn retention_by_bytes_counts_what_is_stored() {
    let house = House::with(|options| options.retention.bytes = 10_000).await;
    for _ in 0..50 {
        house.put(&ns("n"), Put { value: crate::tests::json(&"x".repeat(1000)), ..put("k", "") }).await.expect("put");
    }
    house.in_time("the trimming", |engine| engine.stats().feed_bytes <= 10_000).await;
    assert!(house.stats().feed_bytes > 8_000);
}

#[tokio::test]
async fn a_follower_overtaken_by_retention_is_reset_to_the_oldest_change() {
    let house = House::with(|options| options.retention.records = 10).await;
    write(&house, "n", "k").await;
    let mut behind = house.follow(Start::After(1), Filter::default()).expect("follow");
    let mut from_the_start = house.follow(Start::After(0), Filter::default()).expect("follow");
    house.batch((0..99).map(|n| set_op(&format!("k{n}"), "1")).collect()).await.expect("batch");
    trim(&house).await;
    let step = behind.next(100, 1 << 20).await.expect("step");
    assert!(matches!(step, Step::Reset { oldest_seq: 91, head: 100 }), "{step:?}");
    assert_eq!(behind.position(), 90);
    assert_eq!(followed(&mut behind, 100).await, (91..=100).collect::<Vec<_>>());
    assert_eq!(followed(&mut from_the_start, 100).await, (91..=100).collect::<Vec<_>>(), "never promised the rest");
}

#[tokio::test]
async fn a_clean_stop_at_a_weak_level_skips_nothing() {
    let mut house = House::with(|options| options.level = Level::Os).await;
    write(&house, "n", "k").await;
    house.restart().await;
    assert_eq!(write(&house, "n", "k").await, 2);
    house.restart_with(|options| options.level = Level::Always).await;
    assert_eq!(write(&house, "n", "k").await, 3);
}

#[tokio::test]
async fn time_never_runs_backwards_along_the_feed() {
    let mut house = House::new().await;
    house.advance(1000);
    write(&house, "n", "k").await;
    house.restart_with(|options| options.clock = crate::Clock::manual(START)).await;
    write(&house, "n", "k").await;
    let feed = house.feed().await;
    assert_eq!(feed[0].at, feed[1].at);
    assert_eq!(feed[1].actor, ANN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_sees_every_change_once_while_the_log_is_cleaned() {
    for level in [Level::Always, Level::Os] {
        let mut house = House::with(|options| {
            options.level = level;
            options.retention.records = 100;
        })
        .await;
        let mut ground = ground(&house.disk);
        ground.store.maintenance = true;
        house.close().await.expect("closes");
        house.engine = Engine::open_on(ground, house.options.clone());
        house.recovered().await.expect("recovers");

        let mut follower = house.follow(Start::Head, Filter::default()).expect("follow");
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let engine = house.engine.clone();
                tokio::spawn(async move {
                    for _ in 0..300 {
                        engine.put(&ns("n"), put(&format!("k{writer}"), &"x".repeat(500))).await.expect("put");
                    }
                })
            })
            .collect();
        assert_eq!(followed(&mut follower, 1200).await, (1..=1200).collect::<Vec<_>>());
        for writer in writers {
            writer.await.expect("writer");
        }
        trim(&house).await;
        house.set("last", "1").await;
        house.in_time("some cleaning", |engine| engine.stats().store.cleaned_bytes > 0).await;
        assert_eq!(house.set("last", "2").await.seq, 1202);
        house.restart().await;
        assert_eq!(house.head().expect("head"), 1202);
    }
}
