//! Keys of all types beside plain maps.

use proptest::prelude::*;

use super::*;
use crate::types::tests::model::{Between, Model, holds};

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Value(String),
    Hash(BTreeMap<String, String>),
    List(Vec<String>),
    Set(BTreeSet<String>),
    Zset(BTreeMap<String, f64>),
}

#[derive(Debug, Default)]
struct Keys {
    live: BTreeMap<String, (Held, Option<u64>)>,
    /// Changes of values by key.
    versions: BTreeMap<String, u64>,
    now: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Put(String, String),
    Hash(String, String),
    List(String, String),
    Set(String, String),
    Zset(String, String, f64),
    Delete(Vec<String>),
    Expire(String, Option<u64>),
    Rename(String, String, bool),
    Copy(String, String, bool),
    ListMove(String, String, bool),
    SetMove(String, String, String),
    Combine(String, Vec<String>, Combine),
    Scores(String, Vec<String>, Combine, Aggregate, f64),
}

fn key() -> impl Strategy<Value = String> {
    "[a-e]"
}

fn held_type(held: &Held) -> KeyType {
    match held {
        Held::Value(_) => KeyType::String,
        Held::Hash(_) => KeyType::Hash,
        Held::List(_) => KeyType::List,
        Held::Set(_) => KeyType::Set,
        Held::Zset(_) => KeyType::SortedSet,
    }
}

impl Keys {
    fn count(&mut self, key: &str) {
        *self.versions.entry(key.to_owned()).or_default() += 1;
    }

    /// Removes what a key holds.
    fn remove(&mut self, key: &str) -> Option<(Held, Option<u64>)> {
        let held = self.live.remove(key)?;
        if matches!(held.0, Held::Value(_)) {
            self.count(key);
        }
        Some(held)
    }

    /// Puts something in place of whatever there is.
    fn replace(&mut self, key: &str, held: Held, deadline: Option<u64>) {
        match held {
            Held::Value(_) => {
                self.live.remove(key);
                self.count(key);
            }
            _ => drop(self.remove(key)),
        }
        let empty = match &held {
            Held::Value(_) => false,
            Held::Hash(fields) => fields.is_empty(),
            Held::List(values) => values.is_empty(),
            Held::Set(members) => members.is_empty(),
            Held::Zset(members) => members.is_empty(),
        };
        if !empty {
            self.live.insert(key.to_owned(), (held, deadline));
        }
    }

    /// Whether all of some keys hold this type or nothing; else the refusal is checked.
    fn all_are<T: std::fmt::Debug>(&self, keys: &[&String], kind: KeyType, done: &Result<T>) -> bool {
        let held = |key: &String| self.live.get(key).map(|(held, _)| held_type(held));
        let other = keys.iter().position(|key| held(key).is_some_and(|held| held != kind));
        if let Some(index) = other {
            let actual = held(keys[index]).expect("it holds something");
            let error = done.as_ref().expect_err("a refusal");
            assert_eq!(*error.kind(), Kind::WrongType { actual, expected: kind });
            assert!(error.operation().is_none_or(|operation| operation == index), "{error:?} {index}");
        }
        other.is_none()
    }

    fn set_of(&self, key: &str) -> BTreeSet<String> {
        match self.live.get(key) {
            Some((Held::Set(members), _)) => members.clone(),
            _ => BTreeSet::new(),
        }
    }

    fn zset_of(&self, key: &str) -> BTreeMap<String, f64> {
        match self.live.get(key) {
            Some((Held::Zset(members), _)) => members.clone(),
            _ => BTreeMap::new(),
        }
    }
}

fn strings(members: Vec<Bytes>) -> BTreeSet<String> {
    members.iter().map(|member| String::from_utf8_lossy(member).into_owned()).collect()
}

impl Model for Keys {
    type Step = Step;

    fn step() -> BoxedStrategy<Step> {
        let text = || "[m-r]";
        let keys = || proptest::collection::vec(key(), 0..4);
        let combine = || prop_oneof![Just(Combine::Inter), Just(Combine::Union), Just(Combine::Diff)];
        let aggregate = prop_oneof![Just(Aggregate::Sum), Just(Aggregate::Min), Just(Aggregate::Max)];
        prop_oneof![
            3 => (key(), text()).prop_map(|(key, value)| Step::Put(key, value)),
            3 => (key(), text()).prop_map(|(key, value)| Step::Hash(key, value)),
            4 => (key(), text()).prop_map(|(key, value)| Step::List(key, value)),
            6 => (key(), text()).prop_map(|(key, value)| Step::Set(key, value)),
            6 => (key(), text(), -3i8..4).prop_map(|(key, value, score)| Step::Zset(key, value, f64::from(score))),
            4 => keys().prop_map(Step::Delete),
            4 => (key(), proptest::option::of(0u64..60)).prop_map(|(key, ms)| Step::Expire(key, ms)),
            4 => (key(), key(), any::<bool>()).prop_map(|(from, to, any)| Step::Rename(from, to, any)),
            4 => (key(), key(), any::<bool>()).prop_map(|(from, to, any)| Step::Copy(from, to, any)),
            3 => (key(), key(), any::<bool>()).prop_map(|(from, to, left)| Step::ListMove(from, to, left)),
            3 => (key(), key(), text()).prop_map(|(from, to, member)| Step::SetMove(from, to, member)),
            3 => (key(), keys(), combine()).prop_map(|(to, keys, combine)| Step::Combine(to, keys, combine)),
            3 => (key(), keys(), combine(), aggregate, -2i8..3).prop_map(|(to, keys, combine, aggregate, weight)| {
                Step::Scores(to, keys, combine, aggregate, f64::from(weight))
            }),
        ]
        .boxed()
    }

    fn advance(&mut self, now: u64) {
        self.now = now;
        let due = |deadline: &Option<u64>| deadline.is_some_and(|deadline| deadline <= now);
        let due: Vec<String> =
            self.live.iter().filter(|(_, (_, deadline))| due(deadline)).map(|(key, _)| key.clone()).collect();
        due.iter().for_each(|key| drop(self.remove(key)));
    }

    async fn apply(&mut self, house: &House, step: &Step) {
        let (n, e) = (ns("n"), &house.engine);
        match step {
            Step::Put(key, value) => {
                let done = e.put(&n, put(key, value)).await;
                if self.all_are(&[key], KeyType::String, &done) {
                    self.replace(key, Held::Value(value.clone()), None);
                    assert_eq!(done.expect("put").version, self.versions[key]);
                }
            }
            Step::Hash(key, value) => {
                let done = e.hash_set(&n, &k(key), vec![(b(value), b(value))], FieldWhen::Always).await;
                if self.all_are(&[key], KeyType::Hash, &done) {
                    let held = self.live.entry(key.clone()).or_insert((Held::Hash(BTreeMap::new()), None));
                    let Held::Hash(fields) = &mut held.0 else { unreachable!() };
                    let new = fields.insert(value.clone(), value.clone()).is_none();
                    assert_eq!(done.expect("set"), u64::from(new));
                }
            }
            Step::List(key, value) => {
                let done = e.list_push(&n, &k(key), Side::Right, &[b(value)], PushTo::Any).await;
                if self.all_are(&[key], KeyType::List, &done) {
                    let held = self.live.entry(key.clone()).or_insert((Held::List(Vec::new()), None));
                    let Held::List(values) = &mut held.0 else { unreachable!() };
                    values.push(value.clone());
                    assert_eq!(done.expect("push"), values.len() as u64);
                }
            }
            Step::Set(key, value) => {
                let done = e.set_add(&n, &k(key), &[b(value)]).await;
                if self.all_are(&[key], KeyType::Set, &done) {
                    let held = self.live.entry(key.clone()).or_insert((Held::Set(BTreeSet::new()), None));
                    let Held::Set(members) = &mut held.0 else { unreachable!() };
                    assert_eq!(done.expect("add"), u64::from(members.insert(value.clone())));
                }
            }
            Step::Zset(key, value, score) => {
                let add = ScoreAdd { members: vec![scored(value, *score)], ..ScoreAdd::default() };
                let done = e.zset_add(&n, &k(key), add).await;
                if self.all_are(&[key], KeyType::SortedSet, &done) {
                    let held = self.live.entry(key.clone()).or_insert((Held::Zset(BTreeMap::new()), None));
                    let Held::Zset(members) = &mut held.0 else { unreachable!() };
                    let new = members.insert(value.clone(), *score).is_none();
                    assert_eq!(done.expect("add").added, u64::from(new));
                }
            }
            Step::Delete(keys) => {
                let names: Vec<Key> = keys.iter().map(|key| k(key)).collect();
                let deleted = e.key_delete(&n, &names, &ANN).await.expect("delete");
                assert_eq!(deleted, keys.iter().filter(|key| self.remove(key).is_some()).count() as u64);
            }
            Step::Expire(key, ms) => {
                let expires = ms.map_or(Expires::Never, |ms| Expires::In(Duration::from_millis(ms)));
                let before = e.key_expire(&n, &k(key), expires, &ANN).await.expect("expire");
                let deadline = ms.map(|ms| self.now + ms);
                let known = self.live.get(key).cloned();
                assert_eq!(before.map(|info| info.key_type), known.as_ref().map(|(held, _)| held_type(held)));
                let Some((held, known)) = known else { return };
                assert_eq!(before.and_then(|info| info.expires_at), known.map(Timestamp));
                if *ms == Some(0) {
                    self.remove(key);
                } else if deadline != known {
                    match held {
                        Held::Value(_) => self.replace(key, held, deadline),
                        _ => drop(self.live.insert(key.clone(), (held, deadline))),
                    }
                }
            }
            Step::Rename(from, to, any) | Step::Copy(from, to, any) => {
                let replace = if *any { Replace::Any } else { Replace::Nothing };
                let copy = matches!(step, Step::Copy(..));
                let moved = match copy {
                    true => e.key_copy(&n, &k(from), &k(to), replace, ANN).await.expect("copy"),
                    false => e.key_rename(&n, &k(from), &k(to), replace, &ANN).await.expect("rename"),
                };
                let expected = match (self.live.get(from), self.live.get(to)) {
                    (None, _) => Moved::NoSource,
                    (_, Some(_)) if !any => Moved::Taken,
                    _ => Moved::Done,
                };
                assert_eq!(moved, expected);
                if moved == Moved::Done && from != to {
                    let known = if copy { self.live.get(from).cloned() } else { self.remove(from) };
                    let (held, deadline) = known.expect("a source");
                    self.replace(to, held, deadline);
                }
            }
            Step::ListMove(from, to, left) => {
                let side = |left: bool| if left { Side::Left } else { Side::Right };
                let done = e.list_move(&n, (&k(from), side(*left)), (&k(to), side(!left))).await;
                if !self.all_are(&[from, to], KeyType::List, &done) {
                    return;
                }
                let taken = self.live.get_mut(from).map(|(held, _)| {
                    let Held::List(values) = held else { unreachable!() };
                    let value = if *left { values.remove(0) } else { values.pop().expect("no list is empty") };
                    (value, values.is_empty())
                });
                assert_eq!(done.expect("move"), taken.as_ref().map(|(value, _)| b(value)));
                let Some((value, empty)) = taken else { return };
                if empty && from != to {
                    self.live.remove(from);
                }
                let held = self.live.entry(to.clone()).or_insert((Held::List(Vec::new()), None));
                let Held::List(values) = &mut held.0 else { unreachable!() };
                if *left { values.push(value) } else { values.insert(0, value) }
            }
            Step::SetMove(from, to, member) => {
                let done = e.set_move(&n, &k(from), &k(to), &b(member)).await;
                if !self.all_are(&[from, to], KeyType::Set, &done) {
                    return;
                }
                let there = self.set_of(from).contains(member);
                assert_eq!(done.expect("move"), there);
                if there && from != to {
                    let (mut a, mut z) = (self.set_of(from), self.set_of(to));
                    a.remove(member);
                    z.insert(member.clone());
                    for (key, members) in [(from, a), (to, z)] {
                        let deadline = self.live.get(key).and_then(|(_, deadline)| *deadline);
                        self.replace(key, Held::Set(members), deadline);
                    }
                }
            }
            Step::Combine(to, keys, combine) => {
                let names: Vec<Key> = keys.iter().map(|key| k(key)).collect();
                let read = e.set_combine(&n, &names, *combine).await;
                let done = e.set_combine_into(&n, &k(to), names, *combine, ANN).await;
                let of: Vec<&String> = keys.iter().collect();
                if !self.all_are(&of, KeyType::Set, &read) || !self.all_are(&of, KeyType::Set, &done) {
                    return;
                }
                let mut sets = keys.iter().map(|key| self.set_of(key));
                let first = sets.next().unwrap_or_default();
                let expected: BTreeSet<String> = sets.fold(first, |a, z| match combine {
                    Combine::Inter => &a & &z,
                    Combine::Union => &a | &z,
                    Combine::Diff => &a - &z,
                });
                assert_eq!(strings(read.expect("read")), expected);
                assert_eq!(strings(done.expect("store")), expected);
                self.replace(to, Held::Set(expected), None);
            }
            Step::Scores(to, keys, combine, aggregate, weight) => {
                let names: Vec<Key> = keys.iter().map(|key| k(key)).collect();
                let weights: Vec<f64> = keys.iter().map(|_| *weight).collect();
                let verb = ScoreCombine { combine: *combine, keys: names, weights, aggregate: *aggregate };
                let done = e.zset_combine_into(&n, &k(to), verb, ANN).await;
                if !self.all_are(&keys.iter().collect::<Vec<_>>(), KeyType::SortedSet, &done) {
                    return;
                }
                let sets: Vec<_> = keys.iter().map(|key| self.zset_of(key)).collect();
                let names: BTreeSet<String> = sets.iter().flat_map(|set| set.keys().cloned()).collect();
                let mut expected = BTreeMap::new();
                for name in names {
                    let scores: Vec<f64> = sets.iter().filter_map(|set| set.get(&name)).map(|it| it * weight).collect();
                    let wanted = match combine {
                        Combine::Inter => scores.len() == sets.len(),
                        Combine::Union => true,
                        Combine::Diff => scores.len() == 1 && sets[0].contains_key(&name),
                    };
                    if wanted {
                        let score = scores.into_iter().reduce(|a, z| match aggregate {
                            Aggregate::Sum => a + z,
                            Aggregate::Min => a.min(z),
                            Aggregate::Max => a.max(z),
                        });
                        expected.insert(name, score.expect("a score"));
                    }
                }
                assert_eq!(done.expect("store"), expected.len() as u64);
                self.replace(to, Held::Zset(expected), None);
            }
        }
    }

    async fn check(&self, house: &House) {
        let n = ns("n");
        let mut rows = 0;
        for key in ["a", "b", "c", "d", "e"] {
            let info = house.what(key);
            let known = self.live.get(key);
            assert_eq!(info.map(|info| info.key_type), known.map(|(held, _)| held_type(held)), "{key}");
            assert_eq!(info.and_then(|info| info.expires_at), known.and_then(|(_, at)| at.map(Timestamp)));
            match known.map(|(held, _)| held) {
                None => assert!(house.read(key).is_none()),
                Some(Held::Value(value)) => {
                    let entry = house.read(key).expect("a value");
                    assert_eq!((entry.value, entry.version), (json(value), self.versions[key]));
                }
                Some(Held::Hash(fields)) => {
                    let expected: Vec<Field> = fields.iter().map(|(field, value)| (b(field), b(value))).collect();
                    assert_eq!(house.hash_all(&n, &k(key)).await.expect("all"), expected);
                    rows += expected.len() as u64;
                }
                Some(Held::List(values)) => {
                    let expected: Vec<Bytes> = values.iter().map(|value| b(value)).collect();
                    rows += expected.len() as u64;
                    assert_eq!(house.lrange(key).await, Some(expected));
                }
                Some(Held::Set(members)) => {
                    let found = house.set_members(&n, &k(key)).await.expect("members").expect("a set");
                    assert_eq!(strings(found), *members);
                    rows += 2 * members.len() as u64;
                }
                Some(Held::Zset(members)) => {
                    let found = house.zrange(key).await;
                    assert!(found.is_sorted_by(|a, z| (a.score, &a.member) < (z.score, &z.member)));
                    let found: BTreeMap<String, f64> = found
                        .into_iter()
                        .map(|scored| (String::from_utf8_lossy(&scored.member).into_owned(), scored.score))
                        .collect();
                    assert_eq!(found, *members);
                    rows += 2 * members.len() as u64;
                }
            }
        }
        house.until("the sweep", |_| element_rows(house) == rows).await;
        let live = house.live().expect("live");
        let timers = self.live.values().filter(|(_, deadline)| deadline.is_some()).count() as u64;
        house.until("the timers", |_| live.store.rows(keys::TIMER) == timers).await;
        assert_eq!(live.store.rows(keys::KV), self.live.len() as u64);
    }
}

#[test]
fn keys_of_all_types_do_what_the_model_does() {
    holds::<Keys>(Between::Restarts);
}

#[test]
fn keys_of_all_types_do_what_the_model_does_with_crashes() {
    holds::<Keys>(Between::Crashes);
}
