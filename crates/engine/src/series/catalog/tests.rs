use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{
    Limits,
    series::{Pattern, Refusal, TagTest},
};

const MEASUREMENTS: [&str; 3] = ["cpu", "mem", "m,x=1"];
const TAGS: [&str; 4] = ["host", "a", "a-x", "b"];
const VALUES: [&str; 6] = ["web-01", "web-02", "db", "1", "1,b=2", "é"];

fn key() -> impl Strategy<Value = SeriesKey> {
    let tags = proptest::collection::btree_map(select(&TAGS), select(&VALUES), 0..4);
    (select(&MEASUREMENTS), tags).prop_map(|(measurement, tags)| {
        SeriesKey::new(measurement, &tags.into_iter().collect::<Vec<_>>()).expect("each tag once")
    })
}

fn filter() -> impl Strategy<Value = TagFilter> {
    let value = || prop_oneof![select(&VALUES).prop_map(String::from), Just(String::new())];
    let regex = select(&["web-.*", ".*", "", "web-01|db", "[0-9]+", ".+"]);
    let glob = select(&["web-*", "*", "?", "web-0?", ""]);
    let pattern = prop_oneof![
        regex.prop_map(|source| Pattern::regex(source).expect("a pattern")),
        glob.prop_map(|source| Pattern::glob(source).expect("a pattern")),
    ]
    .boxed();
    let test = prop_oneof![
        value().prop_map(TagTest::Is),
        value().prop_map(TagTest::IsNot),
        pattern.clone().prop_map(TagTest::Matches),
        pattern.prop_map(TagTest::MatchesNot),
    ];
    let tag = prop_oneof![select(&TAGS).prop_map(String::from), Just("none".to_owned())];
    (tag, test).prop_map(|(tag, test)| TagFilter { tag, test })
}

/// What the filters mean, read off the contract.
fn lets_pass(filters: &[TagFilter], key: &SeriesKey) -> bool {
    filters.iter().all(|filter| {
        let value = key.tags().iter().find(|(tag, _)| **tag == *filter.tag).map_or("", |(_, value)| value);
        match &filter.test {
            TagTest::Is(is) => value == is,
            TagTest::IsNot(not) => value != not,
            TagTest::Matches(pattern) => pattern.matches(value),
            TagTest::MatchesNot(pattern) => !pattern.matches(value),
        }
    })
}

#[derive(Debug, Clone)]
enum Step {
    Add(Vec<SeriesKey>),
    Remove(Vec<prop::sample::Index>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => vec(key(), 1..12).prop_map(Step::Add),
        1 => vec(any::<prop::sample::Index>(), 1..8).prop_map(Step::Remove),
    ]
}

/// The catalog, and what it should hold.
#[derive(Default)]
struct Pair {
    catalog: Catalog,
    ids: Ids,
    frame: Seq,
    series: BTreeMap<String, (SeriesKey, u64, Seq)>,
    highest: u64,
}

impl Pair {
    fn run(&mut self, step: Step) {
        self.frame += 1;
        match step {
            Step::Add(keys) => self.add(&keys),
            Step::Remove(picks) => self.remove(&picks),
        }
    }

    fn add(&mut self, keys: &[SeriesKey]) {
        let limits = Limits::default();
        let mut draft = Draft::new(1, &self.ids, &limits);
        let slots: Vec<u32> =
            keys.iter().map(|key| draft.series(&self.catalog, key).expect("far below the limit")).collect();
        let ids: Vec<u64> =
            slots.iter().map(|slot| draft.id(&self.catalog, *slot).expect("a series it gave")).collect();
        self.catalog.apply(draft, self.frame);
        for ((key, slot), id) in keys.iter().zip(slots).zip(ids) {
            let series = self.catalog.series(slot).expect("where the draft said");
            assert_eq!((series.id, series.slot), (id, slot));
            let known = self.series.entry(text(key)).or_insert((key.clone(), id, self.frame));
            assert_eq!(known.1, id, "the same series as before");
            if known.2 == self.frame {
                assert!(id > self.highest || known.1 == id, "ids are not given again");
            }
            self.highest = self.highest.max(id);
        }
    }

    fn remove(&mut self, picks: &[prop::sample::Index]) {
        let names: Vec<String> = self.series.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let gone: std::collections::BTreeSet<&String> = picks.iter().map(|pick| pick.get(&names)).collect();
        let gone = gone.into_iter().map(|name| {
            let (key, ..) = self.series.remove(name).expect("known");
            let slot = self.catalog.find(&key).expect("known");
            self.catalog.series(slot).expect("found").clone()
        });
        let removal = self.catalog.removal(gone.collect());
        let epoch = self.catalog.epoch();
        self.catalog.remove(removal, self.frame);
        assert!(self.catalog.epoch() > epoch);
    }

    fn check(&self, filters: &[TagFilter]) {
        assert_eq!(self.catalog.count(), self.series.len());
        assert_eq!(self.catalog.all_series().count(), self.series.len());
        for (key, id, _) in self.series.values() {
            let slot = self.catalog.find(key).expect("it was added");
            assert_eq!(self.catalog.series(slot).map(|series| series.id), Some(*id));
        }
        for name in MEASUREMENTS {
            let of_name = || self.series.values().filter(|(key, ..)| &**key.measurement() == name);
            let mut expected: Vec<(String, u64)> = of_name()
                .filter(|(key, ..)| lets_pass(filters, key))
                .map(|(key, id, _)| (key_text(key.measurement(), key.tags()), *id))
                .collect();
            let found = self.catalog.matching(name, filters);
            let mut found: Vec<(String, u64)> =
                found.iter().map(|series| (key_text(&series.measurement.name, &series.tags), series.id)).collect();
            assert!(found.is_sorted_by(|a, b| a.0 <= b.0), "by the text of their keys: {found:?}");
            // Among keys that read alike any order will do here.
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{filters:?}");
            let measurement = self.catalog.measurement(name);
            assert_eq!(measurement.is_some(), of_name().count() > 0);
            for durable in [self.frame.saturating_sub(1), self.frame] {
                let count = measurement.map_or(0, |it| self.catalog.count_of(it, durable));
                assert_eq!(count, of_name().filter(|(_, _, born)| *born <= durable).count());
            }
        }
    }
}

/// Unlike the text of a key, different for different keys.
fn text(key: &SeriesKey) -> String {
    format!("{key:?}")
}

proptest! {
    #[test]
    fn the_catalog_finds_what_the_model_has(steps in vec((step(), vec(filter(), 0..4)), 1..20)) {
        let mut pair = Pair::default();
        for (step, filters) in steps {
            pair.run(step);
            pair.check(&filters);
        }
    }
}

fn series(measurement: &str, tags: &[(&str, &str)]) -> SeriesKey {
    SeriesKey::new(measurement, tags).expect("each tag once")
}

fn with_host(host: &str) -> SeriesKey {
    series("cpu", &[("host", host)])
}

#[test]
fn names_that_were_rewound_are_not_added() {
    let (mut catalog, ids, limits) = (Catalog::default(), Ids::default(), Limits::default());
    let mut draft = Draft::new(1, &ids, &limits);
    let before = draft.mark();
    let slot = draft.series(&catalog, &with_host("bad")).expect("below the limit");
    draft.field(&catalog, slot, "usage", FieldType::Float).expect("below the limit");
    draft.rewind(before);
    assert!(draft.is_empty());

    let slot = draft.series(&catalog, &with_host("a")).expect("below the limit");
    assert_eq!(draft.field(&catalog, slot, "usage", FieldType::Text), Ok(0));
    let kept = draft.mark();
    let other = draft.series(&catalog, &with_host("b")).expect("below the limit");
    assert_eq!(draft.field(&catalog, other, "idle", FieldType::Int), Ok(1));
    draft.rewind(kept);
    assert_eq!(draft.series(&catalog, &with_host("c")), Ok(other), "the slot is free again");
    catalog.apply(draft, 1);

    assert_eq!(catalog.count(), 2);
    assert_eq!(catalog.find(&with_host("b")), None);
    let cpu = catalog.measurement("cpu").expect("added");
    assert_eq!(catalog.fields(cpu).iter().map(|field| &*field.name).collect::<Vec<_>>(), ["usage"]);
    let ids: Vec<u64> = catalog.all_series().map(|series| series.id).collect();
    assert_eq!((cpu.id, ids), (1, vec![2, 3]), "ids are given without a gap");
}

#[test]
fn a_namespace_has_so_many_series_and_a_measurement_so_many_fields() {
    let limits = Limits { series: 2, series_fields: 1, ..Limits::default() };
    let (mut catalog, ids) = (Catalog::default(), Ids::default());
    let mut draft = Draft::new(1, &ids, &limits);
    let first = draft.series(&catalog, &with_host("a")).expect("the first of two");
    draft.field(&catalog, first, "usage", FieldType::Float).expect("the first of one");
    assert_eq!(draft.field(&catalog, first, "idle", FieldType::Float), Err(Refusal::TooManyFields { limit: 1 }));
    catalog.apply(draft, 1);

    let mut draft = Draft::new(1, &ids, &limits);
    draft.series(&catalog, &with_host("b")).expect("the second of two");
    assert_eq!(draft.series(&catalog, &with_host("c")), Err(Refusal::TooManySeries { limit: 2 }));
    assert_eq!(draft.series(&catalog, &with_host("a")), Ok(first), "one that exists is no more than there was");
    assert_eq!(draft.field(&catalog, first, "idle", FieldType::Float), Err(Refusal::TooManyFields { limit: 1 }));
    assert_eq!(draft.field(&catalog, first, "usage", FieldType::Int), Ok(0));
}

#[test]
fn a_field_is_numeric_or_text_as_its_first_value_was() {
    let (mut catalog, ids, limits) = (Catalog::default(), Ids::default(), Limits::default());
    let mut draft = Draft::new(1, &ids, &limits);
    let slot = draft.series(&catalog, &with_host("a")).expect("below the limit");
    let refusal = |given, exists| Refusal::Type { field: "usage".into(), measurement: "cpu".into(), given, exists };
    assert_eq!(draft.field(&catalog, slot, "usage", FieldType::Float), Ok(0));
    assert_eq!(draft.field(&catalog, slot, "usage", FieldType::Bool), Ok(0));
    let given = draft.field(&catalog, slot, "usage", FieldType::Text);
    assert_eq!(given, Err(refusal(FieldType::Text, FieldType::Float)));
    catalog.apply(draft, 1);

    let mut draft = Draft::new(1, &ids, &limits);
    let given = draft.field(&catalog, slot, "usage", FieldType::Text);
    assert_eq!(given, Err(refusal(FieldType::Text, FieldType::Float)));
    assert!(draft.is_empty());
}

#[test]
fn a_class_is_free_again_when_the_measurement_is_gone() {
    let (mut catalog, ids, limits) = (Catalog::default(), Ids::default(), Limits::default());
    let mut draft = Draft::new(1, &ids, &limits);
    for host in ["a", "b"] {
        let slot = draft.series(&catalog, &with_host(host)).expect("below the limit");
        draft.field(&catalog, slot, "usage", FieldType::Float).expect("below the limit");
    }
    catalog.apply(draft, 1);
    for host in ["a", "b"] {
        assert!(catalog.measurement("cpu").is_some());
        let slot = catalog.find(&with_host(host)).expect("added");
        let removal = catalog.removal(vec![catalog.series(slot).expect("found").clone()]);
        catalog.remove(removal, 2);
    }
    assert!(catalog.measurement("cpu").is_none());
    catalog.forget_names();
    assert!(catalog.names.is_empty(), "names that nobody has are forgotten");
    assert_eq!(catalog.memory_bytes(), 0);

    let mut draft = Draft::new(1, &ids, &limits);
    let slot = draft.series(&catalog, &with_host("a")).expect("below the limit");
    assert_eq!(draft.field(&catalog, slot, "usage", FieldType::Text), Ok(0));
}

#[test]
fn keys_compare_as_their_texts_do() {
    let keys = [
        series("m", &[("a", "1"), ("b", "2")]),
        series("m", &[("a", "1,b=2")]),
        series("m", &[("a-x", "0")]),
        series("m", &[("a", "0")]),
        series("m", &[]),
    ];
    for a in &keys {
        for b in &keys {
            let texts = key_text("m", a.tags()).cmp(&key_text("m", b.tags()));
            let order = key_text_order(a.tags(), b.tags());
            assert_eq!(order, texts.then_with(|| a.tags().cmp(b.tags())));
        }
    }
}
