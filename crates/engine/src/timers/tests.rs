use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Clock,
    feed::{Changes, Filter},
    kv::{Expires, Put},
    tests::{House, after_all, brief, k, ns, numbers, put, set_op},
};

proptest! {
    #[test]
    fn timer_keys_are_read_as_written_and_sort_by_deadline(a: u64, b: u64, row: Vec<u8>) {
        let key = |deadline| row_key(Timestamp(deadline), Target::Key(&row));
        let key_of_a = key(a);
        prop_assert_eq!(read_row_key(&key_of_a), Some((Timestamp(a), Target::Key(&row[..]))));
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(row: Vec<u8>) {
        read_row_key(&row);
    }
}

#[tokio::test]
async fn an_expiry_becomes_a_change_of_its_own() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 100)).await.expect("put");
    house.set("b", "1").await;
    house.advance(100);
    let page = house.changes(Changes { wait: Some(Duration::from_secs(3600)), ..after_all(2) }).await.expect("page");
    let change = &page.changes[0];
    assert_eq!((change.seq, change.op, change.version), (3, crate::feed::ChangeOp::Expire, 2));
    assert_eq!(change.actor, crate::Actor::fixed("system:ttl"));
    assert_eq!(house.stats().kv_entries, 1);
    assert_eq!(house.set("a", "2").await.version, 3);
}

#[tokio::test]
async fn an_earlier_deadline_wakes_the_worker() {
    let house = House::new().await;
    house.put(&ns("n"), brief("late", "1", 10_000)).await.expect("put");
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.put(&ns("n"), brief("early", "1", 100)).await.expect("put");
    house.advance(100);
    house.until("the early expiry", |engine| engine.stats().expired_total == 1).await;
    assert!(house.read("late").is_some());
    house.advance(10_000);
    house.until("the late expiry", |engine| engine.stats().expired_total == 2).await;
}

#[tokio::test]
async fn what_falls_due_while_stopped_expires_before_the_engine_has_recovered() {
    let mut house = House::new().await;
    let operations = (0..600).map(|n| crate::kv::Op::Put(ns("n"), brief(&format!("k{n}"), "1", 100))).collect();
    house.batch(operations).await.expect("batch");
    house.set("stays", "1").await;
    house.restart_with(|options| options.clock = Clock::manual(Timestamp(crate::tests::START.0 + 100))).await;
    assert_eq!(house.head().expect("head"), 1201);
    assert_eq!(house.stats().kv_entries, 1);
}

#[tokio::test]
async fn a_deadline_survives_a_restart_unchanged() {
    let mut house = House::new().await;
    let written = house.put(&ns("n"), brief("a", "1", 1000)).await.expect("put");
    house.restart().await;
    assert_eq!(house.read("a").expect("live").expires_at, written.expires_at);
    house.advance(1000);
    house.until("the expiry", |engine| engine.stats().expired_total == 1).await;
}

#[tokio::test]
async fn a_moved_or_cleared_deadline_rings_no_more() {
    let house = House::new().await;
    house.put(&ns("n"), brief("moved", "1", 100)).await.expect("put");
    house.put(&ns("n"), brief("moved", "2", 200)).await.expect("put");
    house.put(&ns("n"), brief("cleared", "1", 100)).await.expect("put");
    house.batch(vec![set_op("cleared", "2")]).await.expect("batch");
    house.advance(100);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(numbers(&house.feed().await).len(), 4);
    house.advance(100);
    house.until("the expiry", |engine| engine.stats().expired_total == 1).await;
    assert!(house.get(&ns("n"), &k("cleared")).expect("get").it.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_wall_clock_an_expiry_is_recorded_within_fifty_milliseconds() {
    let house = House::with(|options| {
        options.clock = Clock::system();
        options.level = crate::Level::Os;
    })
    .await;
    let deadline = house.put(&ns("n"), brief("a", "1", 150)).await.expect("put").expires_at.expect("a deadline");
    let busy = tokio::spawn({
        let engine = house.engine.clone();
        async move {
            for n in 0..20_000 {
                let expires = Expires::In(Duration::from_millis(1 + n % 100));
                if engine.put(&ns("load"), Put { expires, ..put(&format!("k{n}"), "1") }).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let filter = Filter { prefix: Some("a".into()), ..Filter::default() };
    let changes = Changes { filter, wait: Some(Duration::from_secs(5)), ..after_all(1) };
    let page = house.changes(changes).await.expect("page");
    let late = page.changes[0].at.0 - deadline.0;
    assert!(late <= 50, "recorded {late} ms after the deadline");
    house.close().await.expect("closes");
    busy.await.expect("writer");
}
