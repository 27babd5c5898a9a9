use std::time::Duration;

use super::*;
use crate::{
    Kind, Timestamp,
    feed::{ChangeOp, How},
    tests::{House, START, brief, delete, delete_op, json, k, line, ns, numbers, put, refused, set_op},
    types::{FieldWhen, KeyType},
};

#[tokio::test]
async fn versions_count_writes_deletes_and_survive_both() {
    let mut house = House::new().await;
    assert_eq!(house.set("a", "1").await.version, 1);
    assert_eq!(house.set("a", "1").await.version, 2);
    assert_eq!(house.remove("a").await, Some(Changed { version: 3, seq: 3 }));
    assert!(house.read("a").is_none());
    house.restart().await;
    assert_eq!(house.set("a", "2").await.version, 4);
    assert_eq!(house.stats().kv_tombstones, 0);
}

#[tokio::test]
async fn a_put_answers_the_entry_that_is_read_afterwards() {
    let mut house = House::new().await;
    let binary = Value { encoding: Encoding::Binary, bytes: vec![0, 255, 0].into() };
    let large = Value { encoding: Encoding::Json, bytes: vec![b'7'; 100_000].into() };
    for value in [json(r#"{"n":9007199254740993, "x":1.10}"#), binary, large] {
        let written = house.put(&ns("n"), Put { value: value.clone(), ..put("a", "") }).await.expect("put");
        let read = house.read("a").expect("an entry");
        assert_eq!(format!("{written:?}"), format!("{read:?}"));
        house.restart().await;
        assert_eq!(house.read("a").expect("an entry").value, value);
    }
}

#[tokio::test]
async fn deleting_an_absent_key_changes_nothing() {
    let house = House::new().await;
    house.set("a", "1").await;
    let done = house.delete(&ns("n"), delete("b")).await.expect("delete");
    assert_eq!((done.head, done.it), (1, None));
    assert_eq!(house.feed().await.len(), 1);
}

#[tokio::test]
async fn conditions_hold_or_refuse_with_the_live_version() {
    let house = House::new().await;
    let write = async |when| house.put(&ns("n"), Put { when, ..put("a", "1") }).await;
    let conflict = |error: crate::Error| match error.kind() {
        Kind::Conflict { current } => *current,
        other => panic!("{other:?}"),
    };
    assert_eq!(conflict(refused(write(When::Present).await)), 0);
    assert_eq!(conflict(refused(write(When::Version(1)).await)), 0);
    assert_eq!(write(When::Absent).await.expect("put").version, 1);
    assert_eq!(conflict(refused(write(When::Absent).await)), 1);
    assert_eq!(write(When::Version(1)).await.expect("put").version, 2);
    assert_eq!(conflict(refused(write(When::Version(1)).await)), 2);
    assert_eq!(write(When::Present).await.expect("put").version, 3);

    let remove = async |when| house.delete(&ns("n"), Delete { when, ..delete("a") }).await;
    assert_eq!(conflict(refused(remove(When::Absent).await)), 3);
    assert_eq!(conflict(refused(remove(When::Version(2)).await)), 3);
    assert!(remove(When::Version(3)).await.expect("delete").it.is_some());
    assert!(remove(When::Absent).await.expect("delete").it.is_none());
    assert_eq!(house.stats().conflicts_total, 6);
}

#[tokio::test]
async fn a_batch_applies_in_order_as_one_commit() {
    let house = House::new().await;
    let operations = vec![set_op("a", "1"), set_op("a", "2"), delete_op("b"), delete_op("a"), set_op("a", "3")];
    let done = house.batch(operations).await.expect("batch");
    let versions: Vec<Option<u64>> = done.it.iter().map(|outcome| outcome.map(|changed| changed.version)).collect();
    assert_eq!(versions, [Some(1), Some(2), None, Some(3), Some(4)]);
    assert_eq!(done.head, 4);
    let feed = house.feed().await;
    assert!(feed.iter().all(|change| change.commit == (1, 4) && change.at == START));
    assert_eq!(house.read("a").expect("live").value, json("3"));
    assert_eq!(house.stats().kv_tombstones, 0);
}

#[tokio::test]
async fn a_key_set_and_deleted_in_one_batch_leaves_a_tombstone_only() {
    let mut house = House::new().await;
    house.batch(vec![Op::Put(ns("n"), brief("a", "1", 50)), delete_op("a")]).await.expect("batch");
    assert!(house.read("a").is_none());
    house.restart().await;
    let stats = house.stats();
    assert_eq!((stats.kv_entries, stats.kv_tombstones), (0, 1));
    assert_eq!(house.set("a", "2").await.version, 3);
}

#[tokio::test]
async fn a_refused_operation_names_its_index_and_undoes_the_batch() {
    let house = House::new().await;
    let late = Op::Put(ns("n"), Put { when: When::Version(7), ..put("a", "2") });
    let error = refused(house.batch(vec![set_op("b", "1"), set_op("a", "1"), late]).await);
    assert_eq!(error.operation(), Some(2));
    assert_eq!(error.kind(), &Kind::Conflict { current: 1 }, "it sees the operations before it");
    assert!(house.read("a").is_none());
    assert!(house.read("b").is_none());
    assert!(house.feed().await.is_empty());
    assert_eq!(house.set("c", "1").await.seq, 1, "no number was used up");
}

#[tokio::test]
async fn a_key_that_holds_a_collection_is_absent_and_refuses_writes() {
    let house = House::new().await;
    house.set("z", "1").await;
    house.hash_set(&ns("n"), &k("hash"), vec![("f".into(), "v".into())], FieldWhen::Always).await.expect("hash_set");

    let wrong = Kind::WrongType { actual: KeyType::Hash, expected: KeyType::String };
    assert!(house.read("hash").is_none());
    let all = List { limit: 10, max_bytes: usize::MAX, ..List::default() };
    assert_eq!(listed(&house, all), (names(&["z"]), false));
    assert_eq!(refused(house.put(&ns("n"), put("hash", "1")).await).kind(), &wrong);
    assert_eq!(refused(house.delete(&ns("n"), delete("hash")).await).kind(), &wrong);
    let error = refused(house.batch(vec![set_op("a", "1"), delete_op("hash")]).await);
    assert_eq!((error.kind(), error.operation()), (&wrong, Some(1)));
    assert!(house.read("a").is_none());
}

#[tokio::test]
async fn limits_refuse_large_values_and_long_batches() {
    let house = House::with(|options| {
        options.limits.value_bytes = 4;
        options.limits.batch_ops = 2;
    })
    .await;
    assert!(house.put(&ns("n"), put("a", "1234")).await.is_ok());
    assert_eq!(refused(house.put(&ns("n"), put("a", "12345")).await).kind(), &Kind::TooLarge);
    let error = refused(house.batch(vec![set_op("a", "1"), set_op("b", "12345")]).await);
    assert_eq!((error.kind(), error.operation()), (&Kind::TooLarge, Some(1)));
    let error = refused(house.batch(vec![delete_op("a"), delete_op("b"), delete_op("c")]).await);
    assert_eq!(error.kind(), &Kind::Invalid);
    assert!(house.batch(Vec::new()).await.expect("an empty batch").it.is_empty());
}

#[tokio::test]
async fn at_the_memory_limit_growth_is_refused_and_deletes_are_not() {
    let house = House::with(|options| options.limits.memory_bytes = 1 << 20).await;
    let filling = async {
        for n in 0..10_000 {
            house.put(&ns("n"), put(&format!("k{n}"), &"x".repeat(1000))).await?;
        }
        Ok(())
    };
    assert_eq!(refused(filling.await).kind(), &Kind::Full);
    assert_eq!(house.state(), crate::State::Ready);
    assert!(house.remove("k0").await.is_some());
}

#[tokio::test]
async fn at_the_memory_limit_what_shrinks_is_written_and_what_grows_is_not() {
    let mut house = House::new().await;
    house.put(&ns("n"), put("a", &"x".repeat(1000))).await.expect("put");
    house.put(&ns("n"), put("b", &"x".repeat(1000))).await.expect("put");
    let used = house.stats().accounted_bytes;
    house.restart_with(|options| options.limits.memory_bytes = used).await;
    assert_eq!(refused(house.put(&ns("n"), put("a", &"x".repeat(2000))).await).kind(), &Kind::Full);
    assert_eq!(refused(house.put(&ns("n"), put("c", "1")).await).kind(), &Kind::Full);
    // A batch is weighed as a whole, with the last write of each key.
    let grows = vec![set_op("a", "1"), set_op("b", "1"), set_op("a", &"x".repeat(3000))];
    assert_eq!(refused(house.batch(grows).await).kind(), &Kind::Full);
    let shrinks = vec![set_op("c", "2"), delete_op("b"), set_op("a", &"x".repeat(900))];
    house.batch(shrinks).await.expect("it makes room");
    assert!(house.stats().accounted_bytes < used);
    house.put(&ns("n"), put("d", "1")).await.expect("there is room");
}

#[tokio::test]
async fn the_memory_limit_counts_the_names_of_keys() {
    let house = House::new().await;
    let used = house.stats().accounted_bytes;
    house.put(&ns("n"), put(&"k".repeat(4000), "1")).await.expect("put");
    let grown = house.stats().accounted_bytes - used;
    assert!((4000..4500).contains(&grown), "{grown}");
    house.remove(&"k".repeat(4000)).await.expect("it was there");
    let left = house.stats().accounted_bytes - used;
    assert!(left < 200, "{left}");
}

#[tokio::test]
async fn several_keys_are_refused_when_they_hold_more_than_an_answer_may() {
    let house = House::with(|options| options.limits.answer_bytes = 200).await;
    house.set("a", &format!("\"{}\"", "x".repeat(98))).await;
    let wanted = |times| vec![(ns("n"), k("a")); times];
    assert_eq!(house.get_many(&wanted(2)).expect("get").it.len(), 2);
    assert_eq!(refused(house.get_many(&wanted(3))).kind(), &Kind::TooLarge);
}

#[tokio::test]
async fn an_expired_key_is_absent_before_the_sweep_and_everywhere() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 100)).await.expect("put");
    assert_eq!(house.read("a").expect("live").expires_at, Some(START.plus(Duration::from_millis(100))));
    house.advance(99);
    assert!(house.read("a").is_some());
    house.advance(1);
    assert!(house.read("a").is_none());
    assert!(house.get_many(&[(ns("n"), k("a"))]).expect("get").it[0].is_none());
    assert!(listed(&house, List { limit: 10, max_bytes: usize::MAX, ..List::default() }).0.is_empty());
    assert!(house.scan(&ns("n"), b"", false).expect("scan").next_chunk().expect("chunk").is_none());
}

#[tokio::test]
async fn a_write_to_a_due_key_records_the_expiry_first() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 100)).await.expect("put");
    house.advance(100);
    let written = house.set("a", "2").await;
    assert_eq!(written.version, 3);
    let feed = house.feed().await;
    let lines: Vec<_> = feed.iter().map(|change| line(change)).collect();
    let a = || "a".to_owned();
    assert_eq!(
        lines,
        [(1, ChangeOp::Set(How::Put), a(), 1), (2, ChangeOp::Expire, a(), 2), (3, ChangeOp::Set(How::Put), a(), 3)]
    );
    assert_eq!(feed[1].actor, crate::Actor::fixed("system:ttl"));
}

#[tokio::test]
async fn a_delete_of_a_due_key_records_the_expiry_and_deletes_nothing() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 100)).await.expect("put");
    house.advance(100);
    assert_eq!(house.remove("a").await, None);
    let feed = house.feed().await;
    assert_eq!(numbers(&feed), [1, 2]);
    assert_eq!(feed[1].op, ChangeOp::Expire);
    assert_eq!(house.stats().expired_total, 1);
}

#[tokio::test]
async fn a_put_clears_keeps_or_moves_the_deadline() {
    let mut house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 100)).await.expect("put");
    house.put(&ns("n"), brief("b", "1", 100)).await.expect("put");
    let kept = Put { expires: Expires::Keep, ..put("b", "2") };
    assert_eq!(house.put(&ns("n"), kept).await.expect("put").expires_at, Some(Timestamp(START.0 + 100)));
    assert_eq!(house.set("a", "2").await.expires_at, None);
    let fresh = Put { expires: Expires::Keep, ..put("c", "1") };
    assert_eq!(house.put(&ns("n"), fresh).await.expect("put").expires_at, None);
    house.restart().await;
    house.advance(100);
    house.until("the expiry of b", |engine| engine.stats().expired_total == 1).await;
    assert_eq!(house.stats().kv_entries, 2);
}

#[tokio::test]
async fn keeping_a_deadline_set_earlier_in_the_same_batch_keeps_it() {
    let house = House::new().await;
    let kept = Put { expires: Expires::Keep, ..put("a", "2") };
    house.batch(vec![Op::Put(ns("n"), brief("a", "1", 100)), Op::Put(ns("n"), kept)]).await.expect("batch");
    assert_eq!(house.read("a").expect("live").expires_at, Some(Timestamp(START.0 + 100)));
}

#[tokio::test]
async fn forgotten_tombstones_raise_the_floor_of_their_namespace() {
    let mut house = House::with(|options| {
        options.limits.tombstones = 1;
        options.retention.records = 0;
    })
    .await;
    for key in ["a", "b"] {
        house.set(key, "1").await;
        house.set(key, "1").await;
        house.remove(key).await;
    }
    house.put(&ns("other"), put("x", "1")).await.expect("put");
    house.in_time("the forgetting of a", |engine| engine.stats().kv_tombstones == 1).await;
    house.restart().await;
    assert_eq!(house.set("a", "2").await.version, 4, "above every forgotten version of the namespace");
    assert_eq!(house.set("b", "2").await.version, 4, "its own tombstone was kept");
    assert_eq!(house.set("new", "1").await.version, 4);
    assert_eq!(house.put(&ns("another"), put("y", "1")).await.expect("put").version, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_puts_give_each_version_once() {
    let house = House::new().await;
    let puts: Vec<_> = (0..100)
        .map(|_| {
            let engine = house.engine.clone();
            tokio::spawn(async move { engine.put(&ns("n"), put("a", "1")).await.expect("put") })
        })
        .collect();
    let mut entries = Vec::new();
    for put in puts {
        entries.push(put.await.expect("task"));
    }
    let mut versions: Vec<u64> = entries.iter().map(|entry| entry.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=100).collect::<Vec<_>>());
    let feed = house.feed().await;
    assert_eq!(numbers(&feed), (1..=100).collect::<Vec<_>>());
    assert!(feed.iter().all(|change| change.version == change.seq));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_never_shows_half_a_batch_and_its_head_is_its_cut() {
    let house = House::new().await;
    let writer = tokio::spawn({
        let engine = house.engine.clone();
        async move {
            for round in 0..200 {
                let value = round.to_string();
                engine.batch(vec![set_op("a", &value), set_op("z", &value)]).await.expect("batch");
            }
        }
    });
    while !writer.is_finished() {
        let mut scan = house.scan(&ns("n"), b"", false).expect("scan");
        let entries = scan.next_chunk().expect("chunk").unwrap_or_default();
        assert_eq!(entries.len() as u64, scan.head().min(2));
        assert_eq!(entries.first().map(|a| &a.value), entries.last().map(|z| &z.value));
        assert_eq!(entries.iter().map(|entry| entry.seq).max().unwrap_or(0), scan.head());
        let single = house.get(&ns("n"), &k("z")).expect("get");
        assert_eq!(single.it.map_or(0, |z| z.seq), single.head, "only batches write, and z is their last change");
        tokio::task::yield_now().await;
    }
    writer.await.expect("writer");
}

fn listed(house: &House, list: List) -> (Vec<String>, bool) {
    let page = house.list(&ns("n"), list).expect("list").it;
    let keys = page.entries.iter().map(|entry| String::from_utf8_lossy(entry.key.as_bytes()).into_owned());
    (keys.collect(), page.more)
}

#[tokio::test]
async fn lists_are_ordered_bounded_and_go_on_after_a_key() {
    let house = House::new().await;
    for key in ["b", "a/2", "a/1", "c", "a/3"] {
        house.set(key, "1234").await;
    }
    house.put(&ns("n2"), put("a/9", "1")).await.expect("put");
    let all = List { limit: 100, max_bytes: usize::MAX, ..List::default() };
    assert_eq!(listed(&house, all.clone()), (names(&["a/1", "a/2", "a/3", "b", "c"]), false));
    assert_eq!(listed(&house, List { limit: 2, ..all.clone() }), (names(&["a/1", "a/2"]), true));
    assert!(!listed(&house, List { limit: 5, ..all.clone() }).1);
    assert_eq!(
        listed(&house, List { prefix: "a/".into(), after: Some("a/1".into()), ..all.clone() }).0,
        names(&["a/2", "a/3"])
    );
    assert_eq!(listed(&house, List { prefix: "b".into(), after: Some("a/1".into()), ..all.clone() }).0, names(&["b"]));
    assert_eq!(listed(&house, List { max_bytes: 8, ..all.clone() }), (names(&["a/1", "a/2"]), true));
    assert_eq!(listed(&house, List { max_bytes: 1, ..all.clone() }), (names(&["a/1"]), true));
    assert_eq!(listed(&house, List { max_bytes: 1, keys_only: true, ..all }).0.len(), 5);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_scan_shows_the_state_of_its_beginning_however_long_it_takes() {
    let house = House::new().await;
    let operations = (0..1000).map(|n| set_op(&format!("k{n:04}"), "1")).collect();
    house.batch(operations).await.expect("batch");
    let mut scan = house.scan(&ns("n"), b"k", true).expect("scan");
    let first = scan.next_chunk().expect("chunk").expect("entries");
    house.batch((0..1000).map(|n| delete_op(&format!("k{n:04}"))).collect()).await.expect("batch");
    let mut seen = first.len();
    while let Some(chunk) = scan.next_chunk().expect("chunk") {
        assert!(chunk.iter().all(|entry| entry.version == 1 && entry.value.bytes.is_empty()));
        seen += chunk.len();
    }
    assert_eq!((seen, scan.head()), (1000, 1000));
    assert!(house.scan(&ns("n"), b"k", true).expect("scan").next_chunk().expect("chunk").is_none());
}

#[tokio::test]
async fn a_tree_scan_covers_a_namespace_and_what_lies_below_it() {
    let house = House::new().await;
    for namespace in ["t", "t!x", "t/a", "t/b/c", "t0", "s", "ta"] {
        house.put(&ns(namespace), put("k1", "1")).await.expect("put");
        house.put(&ns(namespace), put("x", "1")).await.expect("put");
    }
    let walk = |tree: &str, prefix: &str| {
        let mut scan = house.scan_tree(tree.as_bytes(), prefix.as_bytes(), false).expect("scan");
        let chunk = scan.next_chunk().expect("chunk").unwrap_or_default();
        chunk.iter().map(|(ns, _)| String::from_utf8_lossy(ns.as_bytes()).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(walk("t", "k"), ["t", "t/a", "t/b/c"]);
    assert_eq!(walk("t/b", ""), ["t/b/c", "t/b/c"]);
    assert_eq!(walk("", "k"), ["s", "t", "t!x", "t/a", "t/b/c", "t0", "ta"]);
}

#[tokio::test]
async fn a_swap_tells_what_was_there_whether_it_writes_or_not() {
    let house = House::new().await;
    let swap = async |when, value: &str| {
        let done = house.swap(&ns("n"), Put { when, ..put("a", value) }).await.expect("swap");
        let text = |value: Value| String::from_utf8(value.bytes.to_vec()).expect("text");
        (done.previous.map(text), done.written.map(|written| written.version))
    };
    let long = "7".repeat(100_000);
    assert_eq!(swap(When::Present, "0").await, (None, None));
    assert_eq!(swap(When::Absent, &long).await, (None, Some(1)));
    assert_eq!(swap(When::Absent, "2").await, (Some(long.clone()), None));
    assert_eq!(swap(When::Always, "3").await, (Some(long), Some(2)));
    assert_eq!(house.feed().await.len(), 2, "a refused one leaves no trace");
    assert_eq!(house.stats().conflicts_total, 2);
    house.put(&ns("n"), brief("a", "4", 10)).await.expect("put");
    house.advance(10);
    assert_eq!(swap(When::Absent, "5").await, (None, Some(5)), "what has expired is not there");
}

#[tokio::test]
async fn a_swap_on_a_collection_is_refused_unless_it_wanted_nothing_there() {
    let house = House::new().await;
    house.hash_set(&ns("n"), &k("a"), vec![("f".into(), "v".into())], FieldWhen::Always).await.expect("hash_set");
    let swap = async |when| house.swap(&ns("n"), Put { when, ..put("a", "1") }).await;
    let done = swap(When::Absent).await.expect("an answer");
    assert!(done.previous.is_none() && done.written.is_none());
    for when in [When::Always, When::Present, When::Version(1)] {
        let wrong = Kind::WrongType { actual: KeyType::Hash, expected: KeyType::String };
        assert_eq!(refused(swap(when).await).kind(), &wrong);
    }
    assert!(house.hash_has(&ns("n"), &k("a"), &"f".into()).expect("has"));
}

fn by(by: i64) -> Increment {
    Increment { key: k("a"), by, actor: crate::tests::ANN }
}

#[tokio::test]
async fn adding_counts_from_zero_and_keeps_the_deadline() {
    let mut house = House::new().await;
    assert_eq!(house.increment(&ns("n"), by(1)).await.expect("add"), Incremented::To(1));
    assert_eq!(house.increment(&ns("n"), by(-11)).await.expect("add"), Incremented::To(-10));
    assert_eq!(house.read("a").expect("an entry").value, json("-10"));
    house.put(&ns("n"), brief("a", "5", 1000)).await.expect("put");
    assert_eq!(house.increment(&ns("n"), by(2)).await.expect("add"), Incremented::To(7));
    house.restart().await;
    let entry = house.read("a").expect("an entry");
    assert_eq!((entry.value, entry.expires_at), (json("7"), Some(START.plus(Duration::from_secs(1)))));
    house.advance(1000);
    assert_eq!(
        house.increment(&ns("n"), by(2)).await.expect("add"),
        Incremented::To(2),
        "what has expired counts from 0"
    );
    assert_eq!(house.read("a").expect("an entry").expires_at, None);
}

#[tokio::test]
async fn only_integers_are_added_to() {
    let house = House::new().await;
    for text in ["3.0", "1e2", "\"abc\"", "\"007\"", "\"\"", "\"", "\"-\"", "null", "[1]", "9223372036854775808"] {
        house.set("a", text).await;
        assert_eq!(house.increment(&ns("n"), by(1)).await.expect("answered"), Incremented::NotAnInteger, "{text}");
        assert_eq!(house.read("a").expect("an entry").value, json(text));
    }
    for (text, sum) in [("0", 1), ("\"41\"", 42), ("\"-5\"", -4), ("-9223372036854775808", -9223372036854775807)] {
        house.set("a", text).await;
        assert_eq!(house.increment(&ns("n"), by(1)).await.expect("add"), Incremented::To(sum), "{text}");
    }
    house.set("a", "9223372036854775807").await;
    assert_eq!(house.increment(&ns("n"), by(1)).await.expect("answered"), Incremented::Overflow);
    let binary = Value { encoding: Encoding::Binary, bytes: "41".into() };
    house.put(&ns("n"), Put { value: binary, ..put("a", "") }).await.expect("put");
    assert_eq!(house.increment(&ns("n"), by(1)).await.expect("add"), Incremented::To(42));
    house.set("a", &"1".repeat(100_000)).await;
    assert_eq!(house.increment(&ns("n"), by(1)).await.expect("answered"), Incremented::NotAnInteger);
}

#[tokio::test]
async fn another_deadline_is_a_write_of_the_same_value() {
    let mut house = House::new().await;
    let expire = async |house: &House, expires| {
        let before = house.key_expire(&ns("n"), &k("a"), expires, &crate::tests::ANN).await.expect("answered");
        let now = house.read("a").map(|entry| (entry.version, entry.expires_at));
        (before.map(|info| info.expires_at), now)
    };
    let second = Duration::from_secs(1);
    let then = Some(START.plus(second));
    assert_eq!(expire(&house, Expires::In(second)).await, (None, None), "an absent key has no deadline");
    let long = "7".repeat(100_000);
    house.set("a", &long).await;
    assert_eq!(expire(&house, Expires::Never).await, (Some(None), Some((1, None))), "it had none");
    assert_eq!(expire(&house, Expires::In(second)).await, (Some(None), Some((2, then))));
    assert_eq!(expire(&house, Expires::Never).await, (Some(then), Some((3, None))));
    assert_eq!(expire(&house, Expires::In(second)).await, (Some(None), Some((4, then))));
    house.restart().await;
    assert_eq!(house.read("a").expect("an entry").value, json(&long));
    house.advance(1000);
    assert!(house.read("a").is_none());
    assert_eq!(expire(&house, Expires::In(second)).await, (None, None));
    house.set("a", "1").await;
    assert_eq!(expire(&house, Expires::In(Duration::ZERO)).await, (Some(None), None), "that is to delete it");
}
