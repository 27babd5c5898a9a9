use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::types::tests::model::{Between, Model, holds};

fn field(name: &str, value: &str) -> Field {
    (b(name), b(value))
}

impl House {
    async fn hset(&self, key: &str, fields: &[(&str, &str)]) -> u64 {
        let fields = fields.iter().map(|(name, value)| field(name, value)).collect();
        self.hash_set(&ns("n"), &k(key), fields, FieldWhen::Always).await.expect("hash_set")
    }

    async fn hall(&self, key: &str) -> Vec<Field> {
        self.hash_all(&ns("n"), &k(key)).await.expect("hash_all")
    }
}

#[tokio::test]
async fn a_hash_is_there_after_a_restart_and_gone_with_its_last_field() {
    let mut house = House::new().await;
    assert_eq!(house.hset("h", &[("a", "1"), ("b", "2"), ("a", "3")]).await, 2);
    house.restart().await;
    assert_eq!(house.hall("h").await, [field("a", "3"), field("b", "2")]);
    assert_eq!(house.hash_len(&ns("n"), &k("h")).expect("len"), 2);
    assert_eq!(house.hash_delete(&ns("n"), &k("h"), &all_of(&["a", "b", "b", "c"])).await.expect("delete"), 2);
    assert!(house.hall("h").await.is_empty());
    assert_eq!(element_rows(&house), 0);
    let row = keys::kv(&ns("n"), &k("h"));
    let live = house.live().expect("live");
    assert!(live.store.get(manifold_store::View::Durable, keys::KV, &row).is_none());
}

#[tokio::test]
async fn numbers_are_added_to_and_anything_else_is_refused() {
    let house = House::new().await;
    let (n, h) = (ns("n"), k("h"));
    house.hset("h", &[("quoted", "\"7\""), ("word", "\"x\""), ("big", &i64::MAX.to_string())]).await;
    assert_eq!(house.hash_add(&n, &h, b("new"), -3).await.expect("add"), Added::To(-3));
    assert_eq!(house.hash_add(&n, &h, b("quoted"), 3).await.expect("add"), Added::To(10));
    assert_eq!(house.hash_get(&n, &h, &[b("quoted")]).expect("get"), [Some(b("10"))]);
    assert_eq!(house.hash_add(&n, &h, b("word"), 1).await.expect("add"), Added::NotANumber);
    assert_eq!(house.hash_add(&n, &h, b("big"), 1).await.expect("add"), Added::Overflow);
    assert_eq!(house.hash_add_float(&n, &h, b("f"), 1.5).await.expect("add"), Added::To(1.5));
    assert_eq!(house.hash_add_float(&n, &h, b("f"), 1.5).await.expect("add"), Added::To(3.0));
    assert_eq!(house.hash_add(&n, &h, b("f"), 1).await.expect("a whole number has no fraction"), Added::To(4));
    assert_eq!(house.hash_add_float(&n, &h, b("word"), 1.0).await.expect("add"), Added::NotANumber);
    assert_eq!(house.hash_add_float(&n, &h, b("f"), f64::MAX).await.expect("add"), Added::To(f64::MAX));
    assert_eq!(house.hash_add_float(&n, &h, b("f"), f64::MAX).await.expect("add"), Added::Overflow);
    assert_eq!(house.hash_get(&n, &h, &[b("word")]).expect("get"), [Some(b("\"x\""))]);
    assert_eq!(house.hash_add(&n, &k("none"), b("f"), 0).await.expect("a new field"), Added::To(0));
    house.hset("other", &[("word", "x")]).await;
    assert_eq!(house.hash_add(&n, &k("other"), b("word"), 1).await.expect("add"), Added::NotANumber);
    assert_eq!(house.hash_len(&n, &k("other")).expect("len"), 1);
}

#[tokio::test]
async fn limits_refuse_long_names_long_values_and_long_answers() {
    let house = House::with(|options| {
        options.limits.value_bytes = 100;
        options.limits.answer_bytes = 200;
    })
    .await;
    let (n, h) = (ns("n"), k("h"));
    let set = async |name: String, value: usize| {
        house.hash_set(&n, &h, vec![(name.into(), vec![b'v'; value].into())], FieldWhen::Always).await
    };
    assert_eq!(refused(set("f".repeat(NAME_MAX + 1), 1).await).kind(), &Kind::TooLarge);
    assert_eq!(refused(set("f".into(), 101).await).kind(), &Kind::TooLarge);
    assert!(!house.hash_has(&n, &h, &"f".repeat(NAME_MAX + 1).into()).expect("has"));
    for number in 0..3 {
        set(number.to_string(), 90).await.expect("set");
    }
    assert_eq!(refused(house.hash_all(&n, &h).await).kind(), &Kind::TooLarge);
    assert_eq!(house.hash_fields(&n, &h).await.expect("fields"), all_of(&["0", "1", "2"]));
    let page = FieldPage { after: None, limit: 10, max_bytes: 185 };
    let (fields, more) = house.hash_page(&n, &h, page).expect("page");
    assert_eq!((fields.len(), more), (2, true));
    let page = FieldPage { after: Some(b("1")), limit: 10, max_bytes: 185 };
    let (fields, more) = house.hash_page(&n, &h, page).expect("page");
    assert_eq!((fields[0].0.clone(), fields.len(), more), (b("2"), 1, false));
}

#[derive(Debug, Default)]
struct Hashes(BTreeMap<u8, BTreeMap<Bytes, Bytes>>);

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Vec<(Bytes, Bytes)>, bool),
    Delete(u8, Vec<Bytes>),
    Add(u8, Bytes, i64),
}

fn name() -> impl Strategy<Value = Bytes> {
    (0u8..9).prop_map(|name| Bytes::from("f".repeat(usize::from(name))))
}

fn value() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        4 => (-3i64..100).prop_map(|number| Bytes::from(number.to_string())),
        2 => "[a-z]{0,9}".prop_map(Bytes::from),
        // Such a value lies on the disk.
        1 => (1000usize..3000).prop_map(|len| Bytes::from("x".repeat(len))),
    ]
}

fn hash(number: u8) -> Key {
    k(&format!("h{number}"))
}

impl Model for Hashes {
    type Step = Step;

    fn step() -> BoxedStrategy<Step> {
        let fields = proptest::collection::vec((name(), value()), 0..5);
        prop_oneof![
            4 => (0u8..3, fields, any::<bool>()).prop_map(|(key, fields, new)| Step::Set(key, fields, new)),
            3 => (0u8..3, proptest::collection::vec(name(), 0..5)).prop_map(|(key, names)| Step::Delete(key, names)),
            2 => (0u8..3, name(), -5i64..5).prop_map(|(key, name, by)| Step::Add(key, name, by)),
        ]
        .boxed()
    }

    async fn apply(&mut self, house: &House, step: &Step) {
        let n = ns("n");
        match step {
            Step::Set(key, fields, new) => {
                let when = if *new { FieldWhen::Absent } else { FieldWhen::Always };
                let created = house.hash_set(&n, &hash(*key), fields.clone(), when).await.expect("set");
                let model = self.0.entry(*key).or_default();
                let before = model.len();
                for (name, value) in fields {
                    match new {
                        true => drop(model.entry(name.clone()).or_insert_with(|| value.clone())),
                        false => drop(model.insert(name.clone(), value.clone())),
                    }
                }
                assert_eq!(created, (model.len() - before) as u64);
            }
            Step::Delete(key, names) => {
                let deleted = house.hash_delete(&n, &hash(*key), names).await.expect("delete");
                let model = self.0.entry(*key).or_default();
                assert_eq!(deleted, names.iter().filter(|name| model.remove(*name).is_some()).count() as u64);
            }
            Step::Add(key, name, by) => {
                let model = self.0.entry(*key).or_default();
                let known = model.get(name).map_or(Some(0), |value| crate::number::integer(value));
                let done = house.hash_add(&n, &hash(*key), name.clone(), *by).await;
                assert_eq!(done.expect("add"), known.map_or(Added::NotANumber, |known| Added::To(known + by)));
                if let Some(known) = known {
                    model.insert(name.clone(), crate::number::of_integer(known + by));
                }
            }
        }
    }

    async fn check(&self, house: &House) {
        let n = ns("n");
        let mut rows = 0;
        for key in 0..3 {
            let model = self.0.get(&key).cloned().unwrap_or_default();
            rows += model.len() as u64;
            let key = hash(key);
            let expected: Vec<Field> = model.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            assert_eq!(house.hash_all(&n, &key).await.expect("all"), expected);
            assert_eq!(house.hash_len(&n, &key).expect("len"), model.len() as u64);
            let names: Vec<Bytes> = (0..10).map(|len| Bytes::from("f".repeat(len))).collect();
            let values: Vec<_> = names.iter().map(|name| model.get(name).cloned()).collect();
            assert_eq!(house.hash_get(&n, &key, &names).expect("get"), values);
            for name in &names {
                assert_eq!(house.hash_has(&n, &key, name).expect("has"), model.contains_key(name));
            }
            let mut paged = Vec::new();
            loop {
                let after = paged.last().map(|(name, _): &Field| name.clone());
                let (fields, more) =
                    house.hash_page(&n, &key, FieldPage { after, limit: 2, max_bytes: 2000 }).expect("page");
                paged.extend(fields);
                if !more {
                    break;
                }
            }
            assert_eq!(paged, expected);
        }
        assert_eq!(element_rows(house), rows, "a field that is gone leaves no row");
    }
}

#[test]
fn a_hash_does_what_the_model_does() {
    holds::<Hashes>(Between::Restarts);
}

#[test]
fn a_hash_does_what_the_model_does_with_crashes() {
    holds::<Hashes>(Between::Crashes);
}
