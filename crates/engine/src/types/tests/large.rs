//! Large collections: they come and go without anybody else noticing.

use std::{ops::Bound, time::Duration};

use manifold_store::disk::SimDisk;
use tokio::time::Instant;

use super::{zset::scored, *};
use crate::{
    Level, Options,
    kv::Expires,
    tests::{ANN, put},
};

const MANY: usize = 100_000;
/// Enough for ranks deep inside.
const LONG: usize = 30_000;

async fn spacious() -> House {
    House::with(|options| options.level = Level::Os).await
}

fn named(from: usize, count: usize) -> Vec<Bytes> {
    (from..from + count).map(|number| Bytes::from(format!("{number:06}"))).collect()
}

/// Adds elements to one collection of each type.
async fn grow(house: &House, from: usize, count: usize) {
    let n = ns("n");
    let names = named(from, count);
    let fields = names.iter().map(|name| (name.clone(), name.clone())).collect();
    house.hash_set(&n, &k("hash"), fields, FieldWhen::Always).await.expect("hash");
    house.list_push(&n, &k("list"), Side::Right, &names, PushTo::Any).await.expect("list");
    house.set_add(&n, &k("set"), &names).await.expect("set");
    let members = (from..).zip(names).map(|(at, member)| Scored { member, score: (at * 7919 % LONG) as f64 }).collect();
    house.zset_add(&n, &k("zset"), ScoreAdd { members, ..ScoreAdd::default() }).await.expect("zset");
}

const EACH: [&str; 4] = ["hash", "list", "set", "zset"];

#[tokio::test]
async fn a_hundred_thousand_elements_go_at_once_and_others_go_on_writing() {
    let house = spacious().await;
    let n = ns("n");
    for from in (0..MANY).step_by(10_000) {
        grow(&house, from, 10_000).await;
    }
    let full = element_rows(&house);
    assert_eq!(full, 6 * MANY as u64);
    for name in ["hash", "set"] {
        let expires = Expires::In(Duration::from_millis(10));
        house.key_expire(&n, &k(name), expires, &ANN).await.expect("expire").expect("there");
    }
    house.advance(10);
    assert_eq!(house.key_delete(&n, &[k("list"), k("zset")], &ANN).await.expect("delete"), 2);
    assert!(element_rows(&house) > full - 10_000, "nobody waited for the removal");
    let names: Vec<Key> = EACH.iter().map(|name| k(name)).collect();
    assert_eq!(house.key_info(&n, &names).expect("info"), [None; 4]);
    grow(&house, 0, 3).await;
    let mut written = 0;
    while element_rows(&house) > 6 * 3 {
        house.put(&n, put(&format!("other{}", written % 100), "1")).await.expect("put");
        written += 1;
        assert!(written < 1_000_000, "the removal comes to an end");
    }
    assert!(written > 100, "others wrote {written} times meanwhile");
    assert_eq!(house.lrange("list").await, Some(named(0, 3)));
    assert_eq!(house.stats().expired_total, 2);
}

#[tokio::test]
async fn a_removal_goes_on_after_a_restart() {
    let mut house = spacious().await;
    grow(&house, 0, 5_000).await;
    let names: Vec<Key> = EACH.iter().map(|name| k(name)).collect();
    assert_eq!(house.key_delete(&ns("n"), &names, &ANN).await.expect("delete"), 4);
    assert!(element_rows(&house) > 20_000);
    house.restart().await;
    house.until("the removal", |_| element_rows(&house) == 0).await;
    grow(&house, 0, 3).await;
    assert_eq!(house.smembers("set").await, Some(named(0, 3)));
}

#[tokio::test]
async fn an_element_costs_in_thirty_thousand_what_it_costs_in_ten() {
    let house = spacious().await;
    let n = ns("n");
    let logged = || house.live().expect("live").store.stats().log_bytes;
    let mut costs = Vec::new();
    for (from, count) in [(0, 10), (10, LONG)] {
        for from in (from..from + count).step_by(10_000) {
            grow(&house, from, count.min(10_000)).await;
        }
        // An index is there too, and has to follow.
        house.zset_rank(&n, &k("zset"), named(5, 1).remove(0), Direction::Ascending).await.expect("rank");
        let before = logged();
        house.list_push(&n, &k("list"), Side::Left, &all_of(&["x"]), PushTo::Any).await.expect("push");
        house.set_add(&n, &k("set"), &all_of(&["x"])).await.expect("add");
        house.zadd("zset", &[("x", 0.5)]).await;
        house.hash_set(&n, &k("hash"), vec![(b("x"), b("x"))], FieldWhen::Always).await.expect("set");
        house.list_pop(&n, &k("list"), Side::Left, 1).await.expect("pop");
        house.set_remove(&n, &k("set"), &all_of(&["x"])).await.expect("remove");
        house.zset_remove(&n, &k("zset"), &all_of(&["x"])).await.expect("remove");
        house.hash_delete(&n, &k("hash"), &all_of(&["x"])).await.expect("delete");
        costs.push(logged() - before);
    }
    assert!(costs[1] <= costs[0] + 100, "{costs:?}");
}

#[tokio::test]
async fn ranks_deep_inside_are_right() {
    let house = spacious().await;
    let n = ns("n");
    for from in (0..LONG).step_by(10_000) {
        grow(&house, from, 10_000).await;
    }
    for score in [0, 300, 4_711, 15_000, 29_999] {
        // Each score is given once.
        let one = house.zset_part(&n, &k("zset"), score, score, Direction::Ascending).await.expect("part").remove(0);
        assert_eq!(one.score, score as f64);
        let rank = house.zset_rank(&n, &k("zset"), one.member.clone(), Direction::Descending).await.expect("rank");
        assert_eq!(rank, Some(LONG as u64 - 1 - score as u64));
        let range = ScoreRange { min: Bound::Excluded(score as f64), ..ScoreRange::ALL };
        let above = house.zset_count(&n, &k("zset"), range).await.expect("count");
        assert_eq!(above, LONG as u64 - 1 - score as u64);
    }
    house
        .list_insert(&n, &k("list"), &Insert { side: Side::Left, pivot: Sought::Bytes(b("015000")), value: b("new") })
        .await
        .expect("insert");
    assert_eq!(house.list_index(&n, &k("list"), 15_000).await.expect("index"), Some(b("new")));
    assert_eq!(house.list_range(&n, &k("list"), 16_000, 16_001).await.expect("range"), Some(named(15_999, 2)));
    assert_eq!(house.list_range(&n, &k("list"), -14_002, -14_001).await.expect("range"), Some(named(15_998, 2)));
    house.list_trim(&n, &k("list"), 14_999, 15_001).await.expect("trim");
    assert_eq!(house.lrange("list").await, Some(all_of(&["014999", "new", "015000"])));
    assert_eq!(house.zset_remove_ranks(&n, &k("zset"), 500, -501).await.expect("remove"), LONG as u64 - 1000);
    assert_eq!(house.zrange("zset").await.len(), 1000);
}

#[tokio::test]
async fn thousands_of_elements_are_taken_out_in_one_change() {
    let mut house = spacious().await;
    let n = ns("n");
    grow(&house, 0, 10_000).await;
    let popped = house.list_pop(&n, &k("list"), Side::Right, 5_000).await.expect("pop").expect("a list");
    assert!(popped.iter().eq(named(5_000, 5_000).iter().rev()));
    let last = Sought::Bytes(b("004999"));
    assert_eq!(house.list_remove(&n, &k("list"), &last, Equal::All).await.expect("remove"), 1);
    let drawn = house.set_pop(&n, &k("set"), 6_000).await.expect("pop").expect("a set");
    assert!(!house.set_has(&n, &k("set"), &drawn).expect("has").contains(&true));
    let highest = house.zset_pop(&n, &k("zset"), Direction::Descending, 5_000).await.expect("pop");
    assert!(highest.is_sorted_by(|a, z| a.score > z.score));
    let above = ScoreRange { min: Bound::Included(highest[4_999].score), ..ScoreRange::ALL };
    assert_eq!(house.zset_count(&n, &k("zset"), above).await.expect("count"), 0);
    let lowest = house.zset_part(&n, &k("zset"), 0, 9, Direction::Ascending).await.expect("part");
    let others = ScoreRange { min: Bound::Excluded(lowest[9].score), ..ScoreRange::ALL };
    assert_eq!(house.zset_remove_range(&n, &k("zset"), others).await.expect("remove"), 4_990);
    house.restart().await;
    assert_eq!(house.lrange("list").await, Some(named(0, 4_999)));
    assert_eq!(house.set_len(&n, &k("set")).expect("len"), Some(4_000));
    assert_eq!(house.zrange("zset").await, lowest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_and_readers_of_ranks_agree_while_an_index_is_filled() {
    let house = std::sync::Arc::new(spacious().await);
    let n = ns("n");
    for from in (0..20_000).step_by(10_000) {
        grow(&house, from, 10_000).await;
    }
    let writer = |side: Side, from: usize| {
        let (engine, n) = (house.engine.clone(), n.clone());
        tokio::spawn(async move {
            for number in from..from + 300 {
                let member = Bytes::from(format!("w{number}"));
                let members = vec![Scored { member, score: (number * 31 % 20_000) as f64 }];
                engine.zset_add(&n, &k("zset"), ScoreAdd { members, ..ScoreAdd::default() }).await.expect("add");
                let direction = if side == Side::Left { Direction::Ascending } else { Direction::Descending };
                engine.zset_pop(&n, &k("zset"), direction, 1).await.expect("pop");
            }
        })
    };
    let reader = {
        let (engine, n) = (house.engine.clone(), n.clone());
        tokio::spawn(async move {
            for _ in 0..100 {
                let middle = engine.zset_part(&n, &k("zset"), 9_000, 9_010, Direction::Ascending).await.expect("part");
                assert_eq!(middle.len(), 11);
                assert!(middle.is_sorted_by(|a, z| (a.score, &a.member) < (z.score, &z.member)));
            }
        })
    };
    let (a, z) = (writer(Side::Left, 0), writer(Side::Right, 1000));
    for task in [a, z, reader] {
        task.await.expect("no task panics");
    }
    let all = house.zrange("zset").await;
    assert_eq!(all.len(), 20_000);
    for rank in [0, 700, 10_000, 19_999] {
        let found =
            house.zset_rank(&n, &k("zset"), all[rank].member.clone(), Direction::Ascending).await.expect("rank");
        assert_eq!(found, Some(rank as u64));
    }
}

#[tokio::test]
async fn a_full_disk_takes_removals_and_refuses_growth() {
    let house = House::new().await;
    grow(&house, 0, 50).await;
    house.disk.set_capacity(Some(house.disk.used()));
    let error = loop {
        let value = Bytes::from(vec![b'x'; 3_000]);
        if let Err(error) = house.list_push(&ns("n"), &k("list"), Side::Left, &[value], PushTo::Any).await {
            break error;
        }
    };
    assert_eq!(error.kind(), &Kind::Full);
    assert!(house.list_pop(&ns("n"), &k("list"), Side::Right, 1).await.expect("pop").is_some());
    assert_eq!(house.set_remove(&ns("n"), &k("set"), &named(0, 1)).await.expect("remove"), 1);
    assert_eq!(house.key_delete(&ns("n"), &[k("hash")], &ANN).await.expect("delete"), 1);
    house.disk.set_capacity(None);
    assert_eq!(house.zadd("zset", &[("x", 1.0)]).await.added, 1);
}

#[tokio::test]
async fn at_the_memory_limit_elements_may_go_but_not_come() {
    let house = House::new().await;
    grow(&house, 0, 10).await;
    let mut house = house;
    house.restart_with(|options| options.limits.memory_bytes = 1).await;
    let n = ns("n");
    let full = |error: Error| assert_eq!(error.kind(), &Kind::Full);
    full(refused(house.list_push(&n, &k("list"), Side::Left, &all_of(&["x"]), PushTo::Any).await));
    full(refused(house.set_add(&n, &k("set"), &all_of(&["x"])).await));
    full(refused(house.hash_set(&n, &k("hash"), vec![(b("x"), b("x"))], FieldWhen::Always).await));
    let add = ScoreAdd { members: vec![scored("x", 1.0)], ..ScoreAdd::default() };
    full(refused(house.zset_add(&n, &k("zset"), add).await));
    assert!(house.list_pop(&n, &k("list"), Side::Left, 3).await.expect("pop").is_some());
    assert!(house.set_pop(&n, &k("set"), 3).await.expect("pop").is_some());
    assert_eq!(house.zset_pop(&n, &k("zset"), Direction::Ascending, 3).await.expect("pop").len(), 3);
    assert_eq!(house.hash_delete(&n, &k("hash"), &named(0, 3)).await.expect("delete"), 3);
}

#[tokio::test]
async fn nobody_is_told_of_a_removal_that_is_not_durable() {
    let house = House::new().await;
    let n = ns("n");
    house.rpush("list", &["a"]).await;
    house.disk.fail_syncs(true);
    assert!(house.key_delete(&n, &[k("list")], &ANN).await.is_err());
    // The newest state has no list, but nobody may be told.
    assert_eq!(refused(house.set_add(&n, &k("list"), &all_of(&["x"])).await).kind(), &Kind::Storage);
    assert_eq!(refused(house.list_pop(&n, &k("list"), Side::Left, 1).await).kind(), &Kind::Storage);
    assert_eq!(refused(house.delete(&n, crate::tests::delete("list")).await).kind(), &Kind::Storage);
    assert_eq!(house.lrange("list").await, Some(all_of(&["a"])));
    let options = Options { ..house.options.clone() };
    let disk: SimDisk = house.disk.reboot(manifold_store::disk::Reboot::Lost);
    let house = House::on(disk, options).await;
    assert_eq!(house.lrange("list").await, Some(all_of(&["a"])));
}

#[tokio::test]
async fn a_command_with_many_elements_leaves_others_their_turn() {
    let house = spacious().await;
    let (n, names) = (ns("n"), named(0, LONG));
    let (hash, list, set, zset) = (k("hash"), k("list"), k("set"), k("zset"));
    let mut work = std::pin::pin!(async {
        grow(&house, 0, LONG).await;
        assert_eq!(house.hash_delete(&n, &hash, &names[1..]).await.expect("delete"), LONG as u64 - 1);
        assert_eq!(
            house.list_push(&n, &list, Side::Left, &names, PushTo::Existing).await.expect("push"),
            2 * LONG as u64
        );
        assert_eq!(house.set_remove(&n, &set, &names[1..]).await.expect("remove"), LONG as u64 - 1);
        assert_eq!(house.zset_remove(&n, &zset, &names[1..]).await.expect("remove"), LONG as u64 - 1);
    });
    let start = Instant::now();
    let (mut last, mut longest) = (start, Duration::ZERO);
    loop {
        tokio::select! {
            biased;
            () = &mut work => break,
            () = tokio::task::yield_now() => {}
        }
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    // There are seven others of such a length.
    let all = start.elapsed();
    assert!(longest < all / 10, "others waited {longest:?} of {all:?}");
    assert_eq!(house.hash_fields(&n, &hash).await.expect("fields"), names[..1]);
    assert_eq!(house.list_range(&n, &list, 0, 0).await.expect("range").expect("a list"), names[LONG - 1..]);
    assert_eq!((house.set_len(&n, &set).expect("len"), house.zset_len(&n, &zset).expect("len")), (Some(1), 1));
}
