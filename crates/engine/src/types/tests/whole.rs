//! Keys whatever they hold: a value, a collection, one in place of the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{zset::scored, *};
use crate::{
    Glob, Timestamp,
    feed::{ChangeOp, How},
    kv::Expires,
    tests::{ANN, START, json, line, put},
};

mod model;

impl House {
    async fn rename(&self, source: &str, destination: &str) -> Moved {
        self.key_rename(&ns("n"), &k(source), &k(destination), Replace::Any, &ANN).await.expect("rename")
    }

    async fn expire(&self, key: &str, ms: u64) -> Option<KeyInfo> {
        let expires = Expires::In(Duration::from_millis(ms));
        self.key_expire(&ns("n"), &k(key), expires, &ANN).await.expect("expire")
    }

    fn what(&self, key: &str) -> Option<KeyInfo> {
        self.key_info(&ns("n"), &[k(key)]).expect("info").remove(0)
    }

    fn type_of(&self, key: &str) -> Option<KeyType> {
        self.what(key).map(|info| info.key_type)
    }
}

fn wrong<T: std::fmt::Debug>(result: Result<T>) -> (KeyType, KeyType, Option<usize>) {
    let error = refused(result);
    match error.kind() {
        Kind::WrongType { actual, expected } => (*actual, *expected, error.operation()),
        _ => panic!("{error}"),
    }
}

/// One key of each type, named after it.
async fn one_of_each() -> House {
    let house = House::new().await;
    house.set("string", "1").await;
    house.hash_set(&ns("n"), &k("hash"), vec![(b("f"), b("v"))], FieldWhen::Always).await.expect("hash_set");
    house.rpush("list", &["a", "b"]).await;
    house.sadd("set", &["a", "b"]).await;
    house.zadd("zset", &[("a", 1.0)]).await;
    house
}

const EACH: [(&str, KeyType); 5] = [
    ("string", KeyType::String),
    ("hash", KeyType::Hash),
    ("list", KeyType::List),
    ("set", KeyType::Set),
    ("zset", KeyType::SortedSet),
];

#[tokio::test]
async fn a_verb_for_another_type_is_refused_and_says_what_is_there() {
    let house = one_of_each().await;
    let (n, e) = (ns("n"), &house.engine);
    let before = house.feed().await.len();
    for (name, actual) in EACH {
        let key = k(name);
        let m = all_of(&["a"]);
        let is = |expected| (actual, expected, None);
        if actual != KeyType::String {
            let hold = is(KeyType::String);
            assert_eq!(wrong(e.put(&n, put(name, "1")).await), hold);
            assert_eq!(wrong(e.delete(&n, crate::tests::delete(name)).await), hold);
            assert!(house.read(name).is_none());
        }
        if actual != KeyType::Hash {
            let hold = is(KeyType::Hash);
            assert_eq!(wrong(e.hash_set(&n, &key, vec![], FieldWhen::Always).await), hold);
            assert_eq!(wrong(e.hash_set(&n, &key, vec![(b("f"), b("v"))], FieldWhen::Absent).await), hold);
            assert_eq!(wrong(e.hash_get(&n, &key, &m)), hold);
            assert_eq!(wrong(e.hash_has(&n, &key, &b("f"))), hold);
            assert_eq!(wrong(e.hash_len(&n, &key)), hold);
            assert_eq!(wrong(e.hash_all(&n, &key).await), hold);
            assert_eq!(wrong(e.hash_page(&n, &key, FieldPage::default())), hold);
            assert_eq!(wrong(e.hash_delete(&n, &key, &m).await), hold);
            assert_eq!(wrong(e.hash_add(&n, &key, b("f"), 1).await), hold);
            assert_eq!(wrong(e.hash_add_float(&n, &key, b("f"), 1.0).await), hold);
        }
        if actual != KeyType::List {
            let hold = is(KeyType::List);
            assert_eq!(wrong(e.list_push(&n, &key, Side::Left, &m, PushTo::Any).await), hold);
            assert_eq!(wrong(e.list_push(&n, &key, Side::Left, &m, PushTo::Existing).await), hold);
            assert_eq!(wrong(e.list_pop(&n, &key, Side::Left, 0).await), hold);
            assert_eq!(wrong(e.list_range(&n, &key, 0, -1).await), hold);
            assert_eq!(wrong(e.list_len(&n, &key)), hold);
            assert_eq!(wrong(e.list_index(&n, &key, 0).await), hold);
            assert_eq!(wrong(e.list_set(&n, &key, 0, b("x")).await), hold);
            assert_eq!(wrong(e.list_trim(&n, &key, 0, 0).await), hold);
            assert_eq!(wrong(e.list_remove(&n, &key, &Sought::Bytes(b("a")), Equal::All).await), hold);
            let insert = Insert { side: Side::Left, pivot: Sought::Bytes(b("a")), value: b("x") };
            assert_eq!(wrong(e.list_insert(&n, &key, &insert).await), hold);
            assert_eq!(wrong(e.list_find(&n, &key, &Sought::Bytes(b("a")), 1, Side::Left).await), hold);
            let (list, here) = ((&k("list"), Side::Left), (&key, Side::Left));
            assert_eq!(wrong(e.list_move(&n, list, here).await), (actual, KeyType::List, Some(1)));
            assert_eq!(wrong(e.list_move(&n, here, list).await), (actual, KeyType::List, Some(0)));
        }
        if actual != KeyType::Set {
            let hold = is(KeyType::Set);
            assert_eq!(wrong(e.set_add(&n, &key, &m).await), hold);
            assert_eq!(wrong(e.set_remove(&n, &key, &m).await), hold);
            assert_eq!(wrong(e.set_has(&n, &key, &m)), hold);
            assert_eq!(wrong(e.set_members(&n, &key).await), hold);
            assert_eq!(wrong(e.set_len(&n, &key)), hold);
            assert_eq!(wrong(e.set_pop(&n, &key, 1).await), hold);
            assert_eq!(wrong(e.set_draw(&n, &key, 1).await), hold);
            let hold = (actual, KeyType::Set, Some(1));
            assert_eq!(wrong(e.set_move(&n, &k("set"), &key, &b("a")).await), hold);
            assert_eq!(wrong(e.set_combine(&n, &[k("set"), key.clone()], Combine::Union).await), hold);
            let keys = vec![k("set"), key.clone()];
            assert_eq!(wrong(e.set_combine_into(&n, &k("new"), keys, Combine::Union, ANN).await), hold);
        }
        if actual != KeyType::SortedSet {
            let hold = is(KeyType::SortedSet);
            let add = ScoreAdd { members: vec![scored("a", 1.0)], ..ScoreAdd::default() };
            assert_eq!(wrong(e.zset_add(&n, &key, add).await), hold);
            assert_eq!(wrong(e.zset_remove(&n, &key, &m).await), hold);
            assert_eq!(wrong(e.zset_scores(&n, &key, &m)), hold);
            assert_eq!(wrong(e.zset_len(&n, &key)), hold);
            assert_eq!(wrong(e.zset_increment(&n, &key, b("a"), 1.0).await), hold);
            assert_eq!(wrong(e.zset_rank(&n, &key, b("a"), Direction::Ascending).await), hold);
            assert_eq!(wrong(e.zset_count(&n, &key, ScoreRange::ALL).await), hold);
            assert_eq!(wrong(e.zset_part(&n, &key, 0, -1, Direction::Ascending).await), hold);
            assert_eq!(wrong(e.zset_range(&n, &key, ScoreRange::ALL, Direction::Ascending, 0, 9).await), hold);
            assert_eq!(wrong(e.zset_pop(&n, &key, Direction::Ascending, 1).await), hold);
            assert_eq!(wrong(e.zset_remove_range(&n, &key, ScoreRange::ALL).await), hold);
            assert_eq!(wrong(e.zset_remove_ranks(&n, &key, 0, -1).await), hold);
            let combine = ScoreCombine {
                combine: Combine::Union,
                keys: vec![k("zset"), key.clone()],
                weights: vec![],
                aggregate: Aggregate::Sum,
            };
            let hold = (actual, KeyType::SortedSet, Some(1));
            assert_eq!(wrong(e.zset_combine_into(&n, &k("new"), combine, ANN).await), hold);
        }
    }
    assert_eq!(house.feed().await.len(), before, "nothing was changed");
    for (name, kind) in EACH {
        assert_eq!(house.type_of(name), Some(kind));
    }
    assert_eq!(house.type_of("new"), None);
}

#[tokio::test]
async fn neutral_verbs_take_any_type() {
    let mut house = one_of_each().await;
    let n = ns("n");
    let all = KeyPage { limit: 10, ..KeyPage::default() };
    let listed = |house: &House, page: &KeyPage| {
        let (found, more) = house.key_page(&n, page).expect("page");
        (found.into_iter().map(|(key, info)| (key, info.key_type)).collect::<Vec<_>>(), more)
    };
    let mut expected: Vec<_> = EACH.iter().map(|(name, kind)| (k(name), *kind)).collect();
    expected.sort();
    assert_eq!(listed(&house, &all), (expected.clone(), false));
    let page = KeyPage { prefix: b("s"), after: Some(b("set")), limit: 1 };
    assert_eq!(listed(&house, &page), (vec![(k("string"), KeyType::String)], false));
    assert_eq!(listed(&house, &KeyPage { limit: 2, ..KeyPage::default() }), (expected[..2].to_vec(), true));
    let counts = house.key_counts(&n).await.expect("counts");
    let of = |count: TypeCount| (count.keys, count.elements);
    assert_eq!((of(counts.strings), of(counts.hashes), of(counts.lists)), ((1, 1), (1, 1), (1, 2)));
    assert_eq!((of(counts.sets), of(counts.sorted_sets)), ((1, 2), (1, 1)));
    let found = house.namespaces().await.expect("namespaces");
    let found = found.iter().find(|info| info.name == n).expect("n");
    assert_eq!((found.keys, found.collections), (1, 4));

    for (name, kind) in EACH {
        let new = format!("{name}2");
        assert_eq!(house.expire(name, 500).await.map(|info| info.key_type), Some(kind));
        assert_eq!(house.rename(name, &new).await, Moved::Done);
        assert_eq!(house.type_of(name), None);
        let copied = house.key_copy(&n, &k(&new), &k(name), Replace::Nothing, ANN).await.expect("copy");
        assert_eq!(copied, Moved::Done);
        let again = house.key_copy(&n, &k(&new), &k(name), Replace::Nothing, ANN).await.expect("copy");
        assert_eq!(again, Moved::Taken);
        house.restart().await;
        for name in [name, &new] {
            let info = house.what(name).expect("there");
            assert_eq!((info.key_type, info.expires_at), (kind, Some(Timestamp(START.0 + 500))));
        }
        assert!(house.key_expire(&n, &k(name), Expires::Never, &ANN).await.expect("persist").is_some());
        assert_eq!(house.what(name).expect("there").expires_at, None);
    }
    assert_eq!(house.lrange("list").await, house.lrange("list2").await);
    house.advance(500);
    for (name, kind) in EACH {
        assert_eq!(house.type_of(name), Some(kind));
        assert_eq!(house.type_of(&format!("{name}2")), None);
    }
    let doomed = [k("list"), k("set"), k("list"), k("none"), k("string"), k("zset2")];
    assert_eq!(house.key_delete(&n, &doomed, &ANN).await.expect("delete"), 3);
    assert_eq!(house.key_delete(&n, &doomed, &ANN).await.expect("delete"), 0);
    house.until("the sweep", |_| element_rows(&house) == 1 + 2).await;
    assert_eq!(house.stats().expired_total, 5);
}

#[tokio::test]
async fn a_value_that_a_collection_replaces_is_deleted_in_the_feed_and_its_versions_go_on() {
    let mut house = one_of_each().await;
    let (n, feed) =
        (ns("n"), async |house: &House| house.feed().await.iter().map(|change| line(change)).collect::<Vec<_>>());
    house.set("a", "1").await;
    assert_eq!(house.rename("hash", "a").await, Moved::Done);
    assert_eq!(house.type_of("a"), Some(KeyType::Hash));
    assert_eq!(feed(&house).await.last(), Some(&(3, ChangeOp::Delete, "a".to_owned(), 2)));
    house.restart().await;
    assert_eq!(house.type_of("a"), Some(KeyType::Hash));
    assert_eq!(house.rename("string", "a").await, Moved::Done);
    assert_eq!(house.read("a").expect("a value").version, 3);
    house.set_combine_into(&n, &k("a"), vec![k("set")], Combine::Union, ANN).await.expect("store");
    let tail = feed(&house).await.split_off(3);
    let expected = [(ChangeOp::Delete, "string", 2), (ChangeOp::Set(How::Put), "a", 3), (ChangeOp::Delete, "a", 4)];
    let expected: Vec<_> =
        (4..).zip(expected).map(|(seq, (op, key, version))| (seq, op, key.to_owned(), version)).collect();
    assert_eq!(tail, expected);
    // A collection that goes leaves no line; the value after it counts on.
    assert_eq!(house.key_delete(&n, &[k("a")], &ANN).await.expect("delete"), 1);
    assert_eq!(house.set("a", "2").await.version, 5);
}

#[tokio::test]
async fn a_value_on_a_collection_that_is_due_replaces_it() {
    let house = one_of_each().await;
    house.expire("list", 10).await;
    house.expire("string", 10).await;
    house.advance(10);
    assert!(house.put(&ns("n"), put("list", "1")).await.is_ok());
    assert_eq!(house.sadd("string", &["a"]).await, 1);
    assert_eq!(house.read("list").expect("a value").value, json("1"));
    assert_eq!(house.type_of("string"), Some(KeyType::Set));
    assert_eq!(house.set_members(&ns("n"), &k("string")).await.expect("members"), Some(all_of(&["a"])));
    house.until("the sweep", |_| element_rows(&house) == 1 + 4 + 2 + 2).await;
}

#[tokio::test]
async fn a_typed_read_refuses_collections_until_they_are_gone() {
    let house = one_of_each().await;
    let read = |name: &str| house.get_typed(&ns("n"), &k(name));
    assert_eq!(read("string").expect("read").expect("a value").value, json("1"));
    assert!(read("none").expect("read").is_none());
    for (name, actual) in &EACH[1..] {
        assert_eq!(wrong(read(name)), (*actual, KeyType::String, None));
    }
    house.expire("list", 10).await;
    house.expire("string", 10).await;
    house.advance(10);
    assert!(read("list").expect("read").is_none());
    assert!(read("string").expect("read").is_none());
}

#[tokio::test]
async fn names_are_found_by_their_beginning_and_by_a_glob() {
    let house = one_of_each().await;
    house.set("brief", "1").await;
    house.expire("brief", 10).await;
    house.put(&ns("n2"), put("zset2", "1")).await.expect("put");
    house.advance(10);
    let found = async |prefix: &'static str, glob: Option<&str>| {
        let glob = glob.map(|glob| Glob::new(glob).expect("a glob"));
        let found = house.key_names(&ns("n"), b(prefix), glob).await.expect("names");
        found.iter().map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("", None).await, ["hash", "list", "set", "string", "zset"]);
    assert_eq!(found("s", None).await, ["set", "string"]);
    assert_eq!(found("", Some("*et")).await, ["set", "zset"]);
    assert_eq!(found("", Some("s*")).await, ["set", "string"]);
    assert_eq!(found("st", Some("s*")).await, ["string"]);
    assert_eq!(found("s", Some("st*")).await, ["string"]);
    assert_eq!(found("z", Some("s*")).await, [""; 0]);
    assert_eq!(found("", Some("[lh]?[s]?")).await, ["hash", "list"]);
}

#[tokio::test]
async fn clearing_removes_every_key_of_a_namespace_and_nothing_else() {
    let mut house = one_of_each().await;
    for number in 0..600 {
        house.set(&format!("k{number}"), "1").await;
    }
    house.put(&ns("n2"), put("a", "1")).await.expect("put");
    let n = ns("n");
    assert_eq!(house.key_total(&n).expect("total"), 605);
    assert_eq!(house.key_clear(&n, &ANN).await.expect("clear"), 605);
    assert_eq!(house.key_clear(&n, &ANN).await.expect("clear"), 0);
    house.restart().await;
    assert_eq!((house.key_total(&n).expect("total"), house.key_total(&ns("n2")).expect("total")), (0, 1));
    assert_eq!(house.key_names(&n, b(""), None).await.expect("names"), []);
    assert!(house.get(&ns("n2"), &k("a")).expect("get").it.is_some());
    house.until("the sweep", |_| element_rows(&house) == 0).await;
    assert_eq!(house.set("k1", "2").await.version, 3, "versions go on");
}

#[tokio::test]
async fn a_random_key_may_be_any_live_one() {
    let house = House::new().await;
    assert_eq!(house.key_random(&ns("n")).expect("random"), None);
    let mut expected = BTreeSet::new();
    for number in 0..150u64 {
        let name = format!("user:{}", number * number * 7);
        house.rpush(&name, &["x"]).await;
        expected.insert(k(&name));
    }
    house.set("user:", "1").await;
    house.expire("user:0", 1).await;
    house.advance(1);
    expected.remove(&k("user:0"));
    expected.insert(k("user:"));
    let mut seen = BTreeSet::new();
    for _ in 0..10_000 {
        seen.extend(house.key_random(&ns("n")).expect("random"));
        if seen == expected {
            break;
        }
    }
    assert_eq!(seen, expected);
}
