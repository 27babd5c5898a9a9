use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::types::tests::model::{Between, Model, holds};

fn l(key: &str) -> (crate::Namespace, Key) {
    (ns("n"), k(key))
}

impl House {
    pub(crate) async fn rpush(&self, key: &str, values: &[&str]) -> u64 {
        let (n, key) = l(key);
        self.list_push(&n, &key, Side::Right, &all_of(values), PushTo::Any).await.expect("push")
    }

    pub(crate) async fn lrange(&self, key: &str) -> Option<Vec<Bytes>> {
        let (n, key) = l(key);
        self.list_range(&n, &key, 0, -1).await.expect("range")
    }
}

#[tokio::test]
async fn a_list_keeps_its_order_over_a_restart_and_goes_with_its_last_element() {
    let mut house = House::new().await;
    let (n, key) = l("l");
    assert_eq!(house.rpush("l", &["c", "d"]).await, 2);
    assert_eq!(house.list_push(&n, &key, Side::Left, &all_of(&["b", "a"]), PushTo::Existing).await.expect("push"), 4);
    house.restart().await;
    assert_eq!(house.lrange("l").await, Some(all_of(&["a", "b", "c", "d"])));
    assert_eq!(house.list_pop(&n, &key, Side::Right, 3).await.expect("pop"), Some(all_of(&["d", "c", "b"])));
    assert_eq!(house.list_pop(&n, &key, Side::Left, 9).await.expect("pop"), Some(all_of(&["a"])));
    assert_eq!(house.list_pop(&n, &key, Side::Left, 9).await.expect("pop"), None);
    assert_eq!(house.lrange("l").await, None);
    assert_eq!(house.list_push(&n, &key, Side::Left, &all_of(&["x"]), PushTo::Existing).await.expect("push"), 0);
    assert_eq!(refused(house.list_index(&n, &key, 0).await).kind(), &Kind::NotFound);
    assert_eq!(refused(house.list_set(&n, &key, 0, b("x")).await).kind(), &Kind::NotFound);
}

#[tokio::test]
async fn a_thousand_elements_fit_between_two() {
    let mut house = House::new().await;
    let (n, key) = l("l");
    house.rpush("l", &["first", "last"]).await;
    let mut expected = all_of(&["first", "last"]);
    for number in 0..1000 {
        let value = Bytes::from(number.to_string());
        let insert = Insert { side: Side::Right, pivot: Sought::Bytes(b("first")), value: value.clone() };
        let inserted = house.list_insert(&n, &key, &insert).await.expect("insert");
        assert_eq!(inserted, Inserted::Length(number + 3));
        expected.insert(1, value);
    }
    assert_eq!(house.lrange("l").await.as_ref(), Some(&expected));
    house.restart().await;
    assert_eq!(house.lrange("l").await.as_ref(), Some(&expected));
    assert_eq!(house.list_index(&n, &key, 500).await.expect("index").as_ref(), Some(&expected[500]));
    assert_eq!(house.live().expect("live").collections.indexes(), 1);
}

#[tokio::test]
async fn json_is_found_however_it_is_spelled_and_stays_as_it_was() {
    let house = House::new().await;
    let (n, key) = l("l");
    let json = |text: &str| Sought::Json(b(text));
    let values = ["\"\\u0061\"", "\"a\"", "[1, 2]", "a", "1", "\"1\"", "[1,2]"];
    house.rpush("l", &values).await;
    let find = async |text: &str, nth, side| house.list_find(&n, &key, &json(text), nth, side).await.expect("find");
    assert_eq!(find("\"a\"", 2, Side::Left).await, Some(1));
    assert_eq!(find("[ 1,2 ]", 1, Side::Left).await, Some(2));
    assert_eq!(find("[ 1,2 ]", 1, Side::Right).await, Some(6));
    assert_eq!(find("\"1\"", 1, Side::Left).await, Some(5));
    assert_eq!(find("1.0", 1, Side::Left).await, None);
    let spelled = Sought::Bytes(b("[1,2]"));
    assert_eq!(house.list_find(&n, &key, &spelled, 2, Side::Left).await.expect("find"), None);
    let insert = Insert { side: Side::Left, pivot: json("[1,\n2]"), value: b("new") };
    assert_eq!(house.list_insert(&n, &key, &insert).await.expect("insert"), Inserted::Length(8));
    assert_eq!(house.list_remove(&n, &key, &json("\"a\""), Equal::All).await.expect("remove"), 2);
    assert_eq!(house.lrange("l").await, Some(all_of(&["new", "[1, 2]", "a", "1", "\"1\"", "[1,2]"])));
}

#[tokio::test]
async fn an_index_that_nobody_uses_is_dropped() {
    let house = House::new().await;
    let (n, key) = l("l");
    let values: Vec<Bytes> = (0..2000).map(|number| Bytes::from(number.to_string())).collect();
    house.list_push(&n, &key, Side::Right, &values, PushTo::Any).await.expect("push");
    assert_eq!(house.list_index(&n, &key, 1000).await.expect("index"), Some(b("1000")));
    let live = house.live().expect("live");
    assert_eq!(live.collections.indexes(), 0, "an even list needs none");
    house.list_remove(&n, &key, &Sought::Bytes(b("7")), Equal::All).await.expect("remove");
    assert_eq!(house.list_index(&n, &key, 1000).await.expect("index"), Some(b("1001")));
    assert_eq!(live.collections.indexes(), 1);
    house
        .until("the end of the index", |_| {
            house.advance(60_000);
            live.collections.indexes() == 0
        })
        .await;
    assert_eq!(house.list_index(&n, &key, -1000).await.expect("index"), Some(b("1000")));
    house.list_trim(&n, &key, 1, 0).await.expect("trim");
    assert_eq!(live.collections.indexes(), 0, "nor one that is gone");
}

#[tokio::test]
async fn after_a_failure_of_the_disk_ranks_are_still_answered() {
    let house = House::new().await;
    let (n, key) = l("l");
    let values: Vec<Bytes> = (0..2000).map(|number| Bytes::from(number.to_string())).collect();
    house.list_push(&n, &key, Side::Right, &values, PushTo::Any).await.expect("push");
    house.list_remove(&n, &key, &Sought::Bytes(b("7")), Equal::All).await.expect("remove");
    house.disk.fail_syncs(true);
    assert_eq!(refused(house.list_remove(&n, &key, &Sought::Bytes(b("8")), Equal::All).await).kind(), &Kind::Storage);
    assert_eq!(house.list_index(&n, &key, 1000).await.expect("index"), Some(b("1001")));
}

#[derive(Debug, Default)]
struct Lists(BTreeMap<u8, Vec<Bytes>>);

#[derive(Debug, Clone)]
enum Step {
    Push(u8, Side, Vec<Bytes>, PushTo),
    /// So many values from a number on.
    Many(u8, Side, u16, usize),
    Pop(u8, Side, u64),
    Set(u8, i64, Bytes),
    Trim(u8, i64, i64),
    Remove(u8, Bytes, Equal),
    Insert(u8, Insert),
    /// So many inserts at one place: there is no room left for them.
    Wedge(u8, Insert, usize),
    Find(u8, Bytes, u64, Side),
    Index(u8, i64),
    Range(u8, i64, i64),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Left), Just(Side::Right)]
}

fn value() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        6 => (0u16..60).prop_map(|number| Bytes::from(number.to_string())),
        1 => (1000usize..3000).prop_map(|len| Bytes::from("x".repeat(len))),
    ]
}

fn rank() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -12i64..12, 3 => -2000i64..2000, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn list(number: u8) -> Key {
    k(&format!("l{number}"))
}

/// The ranks as Redis would have it, spelled out.
fn part(list: &[Bytes], start: i64, stop: i64) -> Vec<Bytes> {
    let count = list.len() as i128;
    let place = |rank: i64| if rank < 0 { i128::from(rank) + count } else { i128::from(rank) };
    let (start, stop) = (place(start), place(stop));
    (0i128..).zip(list).filter(|(rank, _)| *rank >= start && *rank <= stop).map(|(_, value)| value.clone()).collect()
}

impl Model for Lists {
    type Step = Step;

    fn step() -> BoxedStrategy<Step> {
        let key = || 0u8..2;
        let to = prop_oneof![3 => Just(PushTo::Any), 1 => Just(PushTo::Existing)];
        let which = prop_oneof![Just(Equal::All), (0u64..4, side()).prop_map(|(most, side)| Equal::Some(most, side))];
        let insert = || {
            (side(), value(), value()).prop_map(|(side, pivot, value)| Insert {
                side,
                pivot: Sought::Bytes(pivot),
                value,
            })
        };
        prop_oneof![
            4 => (key(), side(), proptest::collection::vec(value(), 0..6), to)
                .prop_map(|(key, side, values, to)| Step::Push(key, side, values, to)),
            3 => (key(), side(), 0u16..50, 0usize..700)
                .prop_map(|(key, side, from, count)| Step::Many(key, side, from, count)),
            3 => (key(), side(), prop_oneof![3 => 0u64..5, 1 => 0u64..500])
                .prop_map(|(key, side, count)| Step::Pop(key, side, count)),
            2 => (key(), rank(), value()).prop_map(|(key, rank, value)| Step::Set(key, rank, value)),
            1 => (key(), rank(), rank()).prop_map(|(key, start, stop)| Step::Trim(key, start, stop)),
            3 => (key(), value(), which).prop_map(|(key, value, which)| Step::Remove(key, value, which)),
            4 => (key(), insert()).prop_map(|(key, insert)| Step::Insert(key, insert)),
            2 => (key(), insert(), 10usize..60).prop_map(|(key, insert, times)| Step::Wedge(key, insert, times)),
            1 => (key(), value(), 0u64..4, side()).prop_map(|(key, value, nth, side)| Step::Find(key, value, nth, side)),
            3 => (key(), rank()).prop_map(|(key, rank)| Step::Index(key, rank)),
            3 => (key(), rank(), rank()).prop_map(|(key, start, stop)| Step::Range(key, start, stop)),
        ]
        .boxed()
    }

    async fn apply(&mut self, house: &House, step: &Step) {
        let n = ns("n");
        match step {
            Step::Push(key, side, values, to) => self.push(house, *key, *side, values, *to).await,
            Step::Many(key, side, from, count) => {
                let values: Vec<Bytes> = (0..*count).map(|n| Bytes::from((*from as usize + n).to_string())).collect();
                self.push(house, *key, *side, &values, PushTo::Any).await;
            }
            Step::Pop(key, side, count) => {
                let popped = house.list_pop(&n, &list(*key), *side, *count).await.expect("pop");
                let model = self.0.entry(*key).or_default();
                assert_eq!(popped.is_none(), model.is_empty());
                let many = model.len().min(*count as usize);
                let expected: Vec<Bytes> = match side {
                    Side::Left => model.drain(..many).collect(),
                    Side::Right => model.drain(model.len() - many..).rev().collect(),
                };
                assert_eq!(popped.unwrap_or_default(), expected);
            }
            Step::Set(key, rank, value) => {
                let model = self.0.entry(*key).or_default();
                let done = house.list_set(&n, &list(*key), *rank, value.clone()).await;
                if model.is_empty() {
                    assert_eq!(refused(done).kind(), &Kind::NotFound);
                    return;
                }
                let place = if *rank < 0 { i128::from(*rank) + model.len() as i128 } else { i128::from(*rank) };
                let known = usize::try_from(place).ok().filter(|place| *place < model.len());
                assert_eq!(done.expect("set"), known.is_some());
                known.into_iter().for_each(|place| model[place] = value.clone());
            }
            Step::Trim(key, start, stop) => {
                house.list_trim(&n, &list(*key), *start, *stop).await.expect("trim");
                let model = self.0.entry(*key).or_default();
                *model = part(model, *start, *stop);
            }
            Step::Remove(key, value, which) => {
                let removed =
                    house.list_remove(&n, &list(*key), &Sought::Bytes(value.clone()), *which).await.expect("remove");
                let model = self.0.entry(*key).or_default();
                let equal: Vec<usize> = (0..model.len()).filter(|at| model[*at] == value).collect();
                let gone: Vec<usize> = match which {
                    Equal::All => equal,
                    Equal::Some(most, Side::Left) => equal.into_iter().take(*most as usize).collect(),
                    Equal::Some(most, Side::Right) => equal.into_iter().rev().take(*most as usize).rev().collect(),
                };
                assert_eq!(removed, gone.len() as u64);
                gone.iter().rev().for_each(|at| drop(model.remove(*at)));
            }
            Step::Insert(key, insert) => self.insert(house, *key, insert).await,
            Step::Wedge(key, insert, times) => {
                for _ in 0..*times {
                    self.insert(house, *key, insert).await;
                }
            }
            Step::Find(key, value, nth, side) => {
                let model = self.0.entry(*key).or_default();
                let mut equal: Vec<usize> = (0..model.len()).filter(|at| model[*at] == value).collect();
                if *side == Side::Right {
                    equal.reverse();
                }
                let expected = equal.get((*nth).max(1) as usize - 1).map(|at| *at as u64);
                let sought = Sought::Bytes(value.clone());
                let found = house.list_find(&n, &list(*key), &sought, *nth, *side).await.expect("find");
                assert_eq!(found, expected);
            }
            Step::Index(key, rank) => {
                let model = self.0.entry(*key).or_default();
                let found = house.list_index(&n, &list(*key), *rank).await;
                if model.is_empty() {
                    assert_eq!(refused(found).kind(), &Kind::NotFound);
                } else {
                    assert_eq!(found.expect("index"), part(model, *rank, *rank).pop());
                }
            }
            Step::Range(key, start, stop) => {
                let model = self.0.entry(*key).or_default();
                let found = house.list_range(&n, &list(*key), *start, *stop).await.expect("range");
                assert_eq!(found.is_none(), model.is_empty());
                assert_eq!(found.unwrap_or_default(), part(model, *start, *stop));
            }
        }
    }

    async fn check(&self, house: &House) {
        let mut rows = 0;
        for number in 0..2 {
            let model = self.0.get(&number).cloned().unwrap_or_default();
            rows += model.len() as u64;
            assert_eq!(house.lrange(&format!("l{number}")).await.unwrap_or_default(), model);
            assert_eq!(house.list_len(&ns("n"), &list(number)).expect("len"), model.len() as u64);
        }
        house.until("the sweep", |_| element_rows(house) == rows).await;
    }
}

impl Lists {
    async fn insert(&mut self, house: &House, key: u8, insert: &Insert) {
        let inserted = house.list_insert(&ns("n"), &list(key), insert).await.expect("insert");
        let model = self.0.entry(key).or_default();
        let expected = match model.iter().position(|value| Sought::Bytes(value.clone()) == insert.pivot) {
            _ if model.is_empty() => Inserted::NoList,
            None => Inserted::NoPivot,
            Some(at) => {
                model.insert(at + usize::from(insert.side == Side::Right), insert.value.clone());
                Inserted::Length(model.len() as u64)
            }
        };
        assert_eq!(inserted, expected);
    }

    async fn push(&mut self, house: &House, key: u8, side: Side, values: &[Bytes], to: PushTo) {
        let length = house.list_push(&ns("n"), &list(key), side, values, to).await.expect("push");
        let model = self.0.entry(key).or_default();
        if to == PushTo::Any || !model.is_empty() {
            match side {
                Side::Left => drop(model.splice(..0, values.iter().rev().cloned())),
                Side::Right => model.extend(values.iter().cloned()),
            }
        }
        assert_eq!(length, model.len() as u64);
    }
}

#[test]
fn a_list_does_what_the_model_does() {
    holds::<Lists>(Between::Restarts);
}

#[test]
fn a_list_does_what_the_model_does_with_crashes() {
    holds::<Lists>(Between::Crashes);
}
