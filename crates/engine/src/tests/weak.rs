//! Levels weaker than `always` may lose their tail with the power. What they must not do is tell a reader one thing under
//! a number today and another tomorrow.

use manifold_store::Level;

use super::*;
use crate::feed::{Filter, Start, Step};

async fn weak() -> House {
    House::with(|options| options.level = Level::Os).await
}

const SKIP: u64 = 1_000_000;

#[tokio::test]
async fn a_lost_tail_takes_its_numbers_with_it() {
    let mut house = weak().await;
    house.set("a", "1").await;
    house.restart().await;
    for _ in 0..5 {
        house.set("a", "lost").await;
    }
    house.crash(Reboot::Lost).await;
    assert_eq!(house.read("a").expect("durable").version, 1);
    assert_eq!(house.head().expect("head"), 1);
    let fresh = house.set("b", "1").await;
    assert!(fresh.seq > 1 + SKIP, "{}", fresh.seq);

    let sound = house.page(1).await;
    assert_eq!((sound.reset, sound.truncated, numbers(&sound.changes)), (false, false, vec![fresh.seq]));
    for after in [2, 6, fresh.seq - 1] {
        let page = house.page(after).await;
        assert_eq!((page.reset, page.truncated, numbers(&page.changes)), (true, false, vec![fresh.seq]), "{after}");
        let mut follower = house.follow(Start::After(after), Filter::default()).expect("follow");
        let step = follower.next(10, 1 << 20).await.expect("step");
        assert!(matches!(step, Step::Reset { oldest_seq: 1, .. }), "{step:?}");
        assert_eq!(follower.position(), 1);
        assert!(matches!(follower.next(10, 1 << 20).await, Ok(Step::Changes { upto, .. }) if upto == fresh.seq));
    }
    assert_eq!(numbers(&house.feed().await), [1, fresh.seq]);
}

#[tokio::test]
async fn numbers_are_not_given_twice_however_often_the_power_fails() {
    let mut house = weak().await;
    let mut given = std::collections::BTreeSet::new();
    for round in 0..4 {
        for _ in 0..3 {
            let seq = house.set("a", "1").await.seq;
            assert!(given.insert(seq), "round {round}: {seq} again");
        }
        house.crash(Reboot::Lost).await;
    }
    house.restart().await;
    assert!(given.insert(house.set("a", "1").await.seq));
}

#[tokio::test]
async fn the_level_of_the_run_that_wrote_the_tail_decides() {
    let mut house = House::new().await;
    house.set("a", "1").await;
    house.options.level = Level::Os;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.set("a", "2").await.seq, 2, "the tail was written at always");
    house.options.level = Level::Always;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.read("a").expect("durable").version, 1);
    assert!(house.set("a", "3").await.seq > SKIP, "the tail was written at os");
    house.crash(Reboot::Lost).await;
    let next = house.set("a", "4").await.seq;
    house.restart().await;
    assert_eq!(house.set("a", "5").await.seq, next + 1);
}

#[tokio::test]
async fn skipped_numbers_survive_the_trimming_of_everything_around_them() {
    let mut house = weak().await;
    house.options.retention.age = Duration::from_secs(10);
    house.set("a", "1").await;
    house.restart().await;
    house.set("a", "lost").await;
    house.crash(Reboot::Lost).await;
    house.advance(20_000);
    house.in_time("the trimming", |engine| engine.stats().feed_oldest == 2).await;
    house.restart().await;
    let page = house.page(1).await;
    assert_eq!((page.last_seq, page.oldest_seq, page.reset, page.truncated), (1, 2, false, false));
    let fresh = house.set("b", "1").await.seq;
    assert!(fresh > SKIP);
    let page = house.page(1).await;
    assert_eq!((page.oldest_seq, page.reset, page.truncated, page.changes.len()), (fresh, false, false, 1));
    house.advance(20_000);
    house.in_time("the trimming", |engine| engine.stats().feed_oldest == fresh + 1).await;
    house.restart().await;
    assert_eq!(house.page(fresh).await.last_seq, fresh);
    assert_eq!(house.set("b", "2").await.seq, fresh + 1);
}

#[tokio::test]
async fn a_killed_process_at_a_weak_level_keeps_what_it_told() {
    let mut house = weak().await;
    for _ in 0..5 {
        house.set("a", "1").await;
    }
    house.crash(Reboot::Kept).await;
    assert_eq!(house.read("a").expect("kept").version, 5);
    assert!(house.set("a", "2").await.seq > 5 + SKIP);
}

#[tokio::test]
async fn what_was_synced_survives_the_power() {
    let mut house = weak().await;
    house.set("a", "kept").await;
    house.engine.sync().await.expect("a sound disk");
    house.set("a", "lost").await;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.read("a").expect("synced").version, 1);
    house.engine.close().await.expect("a sound disk");
    assert!(house.engine.sync().await.is_err(), "a closed engine syncs nothing");
}
