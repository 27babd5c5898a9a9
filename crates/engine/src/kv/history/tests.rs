use manifold_store::disk::Reboot;

use super::*;
use crate::tests::{House, START, brief, delete_op, k, ns, put, set_op};

/// Versions and values of a key, newest first.
fn past(house: &House, key: &str, limit: usize) -> Vec<(u64, String)> {
    past_within(house, key, limit, usize::MAX)
}

fn past_within(house: &House, key: &str, limit: usize, max_bytes: usize) -> Vec<(u64, String)> {
    let revisions = house.history(&ns("n"), &k(key), limit, max_bytes).expect("history");
    let text = |revision: &Revision| String::from_utf8_lossy(&revision.value.bytes).into_owned();
    revisions.iter().map(|revision| (revision.version, text(revision))).collect()
}

fn values(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(version, value)| (*version, (*value).to_owned())).collect()
}

#[tokio::test]
async fn values_come_newest_first_and_those_of_other_keys_are_passed_over() {
    let mut house = House::new().await;
    for value in ["1", "2", "3"] {
        house.set("a", value).await;
        house.set("b", "0").await;
        house.put(&ns("other"), put("a", "0")).await.expect("put");
        house.advance(10);
    }
    for _ in 0..2 {
        assert_eq!(past(&house, "a", 8), values(&[(3, "3"), (2, "2"), (1, "1")]));
        assert_eq!(past(&house, "a", 2), values(&[(3, "3"), (2, "2")]));
        let times = house.history(&ns("n"), &k("a"), 8, usize::MAX).expect("history");
        assert!(times.iter().map(|revision| revision.updated_at.0).eq([START.0 + 20, START.0 + 10, START.0]));
        house.restart().await;
    }
    assert!(past(&house, "none", 8).is_empty());
}

#[tokio::test]
async fn a_removal_is_a_step_but_no_value() {
    let mut house = House::new().await;
    house.set("a", "1").await;
    house.remove("a").await;
    assert!(past(&house, "a", 8).is_empty(), "the key is not live");
    house.put(&ns("n"), brief("a", "3", 100)).await.expect("put");
    house.advance(100);
    assert!(past(&house, "a", 8).is_empty(), "due, whether or not it is swept");
    house.set("a", "5").await;
    for _ in 0..2 {
        assert_eq!(past(&house, "a", 8), values(&[(5, "5"), (3, "3"), (1, "1")]));
        house.crash(Reboot::Lost).await;
    }
}

#[tokio::test]
async fn what_a_batch_overwrote_is_part_of_it() {
    let house = House::new().await;
    house.set("a", "1").await;
    let operations =
        vec![set_op("a", "2"), set_op("b", "0"), delete_op("a"), set_op("a", "4"), set_op("b", "1"), set_op("a", "5")];
    house.batch(operations).await.expect("batch");
    assert_eq!(past(&house, "a", 8), values(&[(5, "5"), (4, "4"), (2, "2"), (1, "1")]));
    assert_eq!(past(&house, "b", 8), values(&[(2, "1"), (1, "0")]));
}

#[tokio::test]
async fn it_goes_as_far_as_the_feed_is_kept_and_always_has_the_live_value() {
    let mut house = House::with(|options| options.retention.records = 3).await;
    for value in ["1", "2", "3", "4", "5"] {
        house.set("a", value).await;
    }
    house.in_time("the trimming", |engine| engine.stats().feed_oldest == 3).await;
    assert_eq!(past(&house, "a", 8), values(&[(5, "5"), (4, "4"), (3, "3")]));
    house.restart_with(|options| options.retention.records = 0).await;
    house.in_time("the trimming of all", |engine| engine.stats().feed_oldest == 6).await;
    assert_eq!(past(&house, "a", 8), values(&[(5, "5")]));
    house.set("a", "6").await;
    assert_eq!(past(&house, "a", 1), values(&[(6, "6")]));
}

#[tokio::test]
async fn it_ends_before_it_is_too_large_but_has_the_newest() {
    let house = House::new().await;
    for value in ["1111", "2222", "3333"] {
        house.set("a", value).await;
    }
    assert_eq!(past_within(&house, "a", 8, 8), values(&[(3, "3333"), (2, "2222")]));
    assert_eq!(past_within(&house, "a", 8, 1), values(&[(3, "3333")]));
}
