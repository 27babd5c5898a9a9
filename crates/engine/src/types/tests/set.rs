use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::types::tests::model::{Between, Model, holds};

impl House {
    pub(crate) async fn sadd(&self, key: &str, members: &[&str]) -> u64 {
        self.set_add(&ns("n"), &k(key), &all_of(members)).await.expect("add")
    }

    /// The members in byte order.
    pub(crate) async fn smembers(&self, key: &str) -> Option<Vec<Bytes>> {
        let mut members = self.set_members(&ns("n"), &k(key)).await.expect("members")?;
        members.sort();
        Some(members)
    }
}

#[tokio::test]
async fn a_set_is_there_after_a_restart_and_gone_with_its_last_member() {
    let mut house = House::new().await;
    assert_eq!(house.sadd("s", &["b", "a", "b", ""]).await, 3);
    house.restart().await;
    assert_eq!(house.smembers("s").await, Some(all_of(&["", "a", "b"])));
    assert_eq!(house.set_has(&ns("n"), &k("s"), &all_of(&["a", "x"])).expect("has"), [true, false]);
    assert_eq!(house.set_remove(&ns("n"), &k("s"), &all_of(&["a", "x", "b", ""])).await.expect("remove"), 3);
    assert_eq!(house.smembers("s").await, None);
    assert_eq!(house.set_len(&ns("n"), &k("s")).expect("len"), None);
    assert_eq!(element_rows(&house), 0);
}

#[tokio::test]
async fn each_member_is_drawn_about_as_often() {
    let house = House::new().await;
    let members: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    house.sadd("s", &members.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut drawn: BTreeMap<Bytes, u32> = BTreeMap::new();
    for _ in 0..1000 {
        for member in house.set_draw(&ns("n"), &k("s"), 3).await.expect("draw").expect("a set") {
            *drawn.entry(member).or_default() += 1;
        }
    }
    assert_eq!(drawn.len(), 10);
    // 300 are expected of each, with a deviation of 15.
    assert!(drawn.values().all(|count| (200..400).contains(count)), "{drawn:?}");
}

#[derive(Debug, Default)]
struct Sets(BTreeMap<u8, BTreeSet<Bytes>>);

#[derive(Debug, Clone)]
enum Step {
    Add(u8, Vec<Bytes>),
    Remove(u8, Vec<Bytes>),
    Pop(u8, u64),
    Draw(u8, u64),
}

fn member() -> impl Strategy<Value = Bytes> {
    (0usize..12).prop_map(|member| Bytes::from("m".repeat(member * 100)))
}

fn set(number: u8) -> Key {
    k(&format!("s{number}"))
}

impl Model for Sets {
    type Step = Step;

    fn step() -> BoxedStrategy<Step> {
        let members = || proptest::collection::vec(member(), 0..6);
        prop_oneof![
            4 => (0u8..3, members()).prop_map(|(key, members)| Step::Add(key, members)),
            3 => (0u8..3, members()).prop_map(|(key, members)| Step::Remove(key, members)),
            1 => (0u8..3, 0u64..8).prop_map(|(key, count)| Step::Pop(key, count)),
            1 => (0u8..3, 0u64..8).prop_map(|(key, count)| Step::Draw(key, count)),
        ]
        .boxed()
    }

    async fn apply(&mut self, house: &House, step: &Step) {
        let n = ns("n");
        match step {
            Step::Add(key, members) => {
                let added = house.set_add(&n, &set(*key), members).await.expect("add");
                let model = self.0.entry(*key).or_default();
                assert_eq!(added, members.iter().filter(|member| model.insert((*member).clone())).count() as u64);
            }
            Step::Remove(key, members) => {
                let removed = house.set_remove(&n, &set(*key), members).await.expect("remove");
                let model = self.0.entry(*key).or_default();
                assert_eq!(removed, members.iter().filter(|member| model.remove(*member)).count() as u64);
            }
            Step::Pop(key, count) | Step::Draw(key, count) => {
                let model = self.0.entry(*key).or_default();
                let pop = matches!(step, Step::Pop(..));
                let got = match pop {
                    true => house.set_pop(&n, &set(*key), *count).await.expect("pop"),
                    false => house.set_draw(&n, &set(*key), *count).await.expect("draw"),
                };
                assert_eq!(got.is_none(), model.is_empty());
                let got = got.unwrap_or_default();
                assert_eq!(got.len(), model.len().min(*count as usize));
                let different: BTreeSet<Bytes> = got.iter().cloned().collect();
                assert_eq!(different.len(), got.len());
                assert!(different.is_subset(model));
                if pop {
                    model.retain(|member| !different.contains(member));
                }
            }
        }
    }

    async fn check(&self, house: &House) {
        let n = ns("n");
        let mut rows = 0;
        for number in 0..3 {
            let model = self.0.get(&number).cloned().unwrap_or_default();
            rows += 2 * model.len() as u64;
            let expected: Vec<Bytes> = model.iter().cloned().collect();
            assert_eq!(house.smembers(&format!("s{number}")).await.unwrap_or_default(), expected);
            assert_eq!(house.set_len(&n, &set(number)).expect("len").unwrap_or(0), model.len() as u64);
            let all: Vec<Bytes> = (0..13).map(|member| Bytes::from("m".repeat(member * 100))).collect();
            let has: Vec<bool> = all.iter().map(|member| model.contains(member)).collect();
            assert_eq!(house.set_has(&n, &set(number), &all).expect("has"), has);
        }
        house.until("the sweep", |_| element_rows(house) == rows).await;
    }
}

#[test]
fn a_set_does_what_the_model_does() {
    holds::<Sets>(Between::Restarts);
}

#[test]
fn a_set_does_what_the_model_does_with_crashes() {
    holds::<Sets>(Between::Crashes);
}
