//! The hub against lists and a matcher that tries everything. `MANIFOLD_MODEL_CASES` says how many cases are tried, 500
//! unless it is set.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use proptest::{prelude::*, sample::select};

use super::{
    super::{hub::PubSub, outlet::Outlet, tree::Id},
    *,
};
use crate::{Timestamp, tests::cases};

/// Messages that wait for a subscriber of the model.
const CAPACITY: usize = 3;

#[derive(Debug, Clone)]
enum Do {
    Join,
    Leave(usize),
    Add(usize, Vec<String>),
    Remove(usize, Option<Vec<String>>),
    Register(u8, Vec<String>),
    Unregister(u8, Option<Vec<String>>),
    Publish(String),
    Read(usize),
    Wait(u64),
}

/// A subscriber, or a registration.
#[derive(Debug, Default)]
struct Party {
    patterns: BTreeSet<String>,
    waiting: Vec<u64>,
    slow: bool,
}

#[derive(Debug, Default)]
struct Model {
    present: Vec<(Id, Arc<Outlet>, Party)>,
    registered: Vec<(u8, Timestamp, Party)>,
    /// Topics with their last message.
    published: Vec<(String, Timestamp)>,
    delivered: u64,
    slow: u64,
}

/// Tries every way the pattern could fit, character by character.
fn fits(pattern: &[u8], topic: &[u8], whole_segment: bool) -> bool {
    match pattern {
        [] => topic.is_empty(),
        b"#" if whole_segment => true,
        b".#" if topic.is_empty() => true,
        [b'*', rest @ ..] => {
            let reach = topic.iter().position(|byte| *byte == b'.').unwrap_or(topic.len());
            (0..=reach).any(|taken| fits(rest, &topic[taken..], false))
        }
        [first, rest @ ..] => topic.first() == Some(first) && fits(rest, &topic[1..], *first == b'.'),
    }
}

impl Party {
    fn wants(&self, topic: &str) -> bool {
        self.patterns.iter().any(|pattern| fits(pattern.as_bytes(), topic.as_bytes(), true))
    }

    fn remove(&mut self, patterns: Option<&[String]>) -> usize {
        let before = self.patterns.len();
        match patterns {
            None => self.patterns.clear(),
            Some(patterns) => self.patterns.retain(|pattern| !patterns.contains(pattern)),
        }
        before - self.patterns.len()
    }
}

impl Model {
    fn parties(&self) -> impl Iterator<Item = &Party> {
        self.present.iter().map(|(.., party)| party).chain(self.registered.iter().map(|(.., party)| party))
    }

    /// What a publish answers.
    fn publish(&mut self, topic: &str, id: u64, now: Timestamp) -> (usize, usize) {
        let matched = self.parties().filter(|party| party.wants(topic)).count();
        let mut notified = 0;
        for (_, _, party) in self.present.iter_mut().filter(|(_, _, party)| party.wants(topic)) {
            if party.waiting.len() < CAPACITY {
                party.waiting.push(id);
                notified += 1;
            } else {
                *party = Party { slow: true, ..Party::default() };
                self.slow += 1;
            }
        }
        self.delivered += notified as u64;
        self.published.retain(|(known, _)| known != topic);
        self.published.push((topic.to_owned(), now));
        (notified, matched)
    }

    fn listed(&self) -> BTreeSet<String> {
        let exact = |pattern: &&String| !pattern.contains(['*', '#']);
        let subscribed = self.parties().flat_map(|party| party.patterns.iter().filter(exact).cloned());
        subscribed.chain(self.published.iter().map(|(topic, _)| topic.clone())).collect()
    }

    fn forget(&mut self, now: Timestamp) {
        self.registered.retain(|(_, until, party)| *until > now && !party.patterns.is_empty());
        self.published.retain(|(_, at)| at.plus(TOPIC_MEMORY) > now);
    }
}

fn texts(patterns: &[String]) -> Vec<Pattern> {
    patterns.iter().map(|text| pattern(text)).collect()
}

fn check(steps: Vec<Do>) {
    let hub = PubSub::new();
    let mut model = Model::default();
    let mut now = START;
    for step in steps {
        let count = model.present.len().max(1);
        match step {
            Do::Join => {
                let outlet = Arc::new(Outlet::new(CAPACITY));
                let id = hub.join(outlet.clone());
                model.present.push((id, outlet, Party::default()));
            }
            Do::Leave(which) => {
                if !model.present.is_empty() {
                    let (id, ..) = model.present.swap_remove(which % count);
                    hub.leave(id);
                }
            }
            Do::Add(which, patterns) => {
                let Some((id, _, party)) = model.present.get_mut(which % count) else { continue };
                if !party.slow {
                    party.patterns.extend(patterns.iter().cloned());
                }
                assert_eq!(hub.add(*id, &texts(&patterns), now).expect("room"), party.patterns.len());
            }
            Do::Remove(which, patterns) => {
                let Some((id, _, party)) = model.present.get_mut(which % count) else { continue };
                let wanted = patterns.as_deref().map(texts);
                assert_eq!(hub.remove(*id, wanted.as_deref()), party.remove(patterns.as_deref()));
            }
            Do::Register(name, patterns) => {
                let at = model.registered.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
                    model.registered.push((name, now, Party::default()));
                    model.registered.len() - 1
                });
                let (_, until, party) = &mut model.registered[at];
                party.patterns.extend(patterns.iter().cloned());
                *until = now.plus(REGISTRATION);
                let done = hub.register(&Bytes::from(vec![name]), &texts(&patterns), now);
                assert_eq!(done.expect("room"), party.patterns.len());
            }
            Do::Unregister(name, patterns) => {
                let wanted = patterns.as_deref().map(texts);
                let party = model.registered.iter_mut().find(|(known, ..)| *known == name);
                let expected = party.map_or(0, |(.., party)| party.remove(patterns.as_deref()));
                assert_eq!(hub.unregister(&[name], wanted.as_deref(), now), expected);
            }
            Do::Publish(name) => {
                let publish = Publish { topic: topic(&name), payload: Bytes::new(), headers: Bytes::new() };
                let done = hub.publish(publish, now);
                assert_eq!((done.notified, done.matched), model.publish(&name, done.id, now), "{name}");
            }
            Do::Read(which) => {
                let Some((_, outlet, party)) = model.present.get_mut(which % count) else { continue };
                match outlet.try_next() {
                    Some(Step::Slow) => assert!(party.slow),
                    Some(Step::Message(message)) => assert_eq!(message.id, party.waiting.remove(0)),
                    None => assert!(party.waiting.is_empty() && !party.slow),
                }
            }
            Do::Wait(ms) => now = Timestamp(now.0 + ms),
        }
        model.forget(now);
        compare(&hub, &model, now);
    }
    for (id, ..) in model.present {
        hub.leave(id);
    }
    hub.topics(None, Timestamp(u64::MAX));
    assert!(hub.is_empty(), "somebody is left");
    assert_eq!(hub.stats(Timestamp(u64::MAX)).topics, 0);
}

fn compare(hub: &PubSub, model: &Model, now: Timestamp) {
    let listed: Vec<Topic> = model.listed().iter().map(|name| topic(name)).collect();
    assert_eq!(hub.topics(None, now), listed);
    let stats = hub.stats(now);
    let wild = |party: &Party| party.patterns.iter().filter(|pattern| pattern.contains(['*', '#'])).count();
    let active = model.present.iter().filter(|(.., party)| !party.patterns.is_empty()).count();
    assert_eq!((stats.subscribers, stats.wildcards), (active, model.parties().map(wild).sum()));
    assert_eq!((stats.delivered_total, stats.slow_total), (model.delivered, model.slow));
}

fn a_topic() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(vec!["a", "b", "ab", "aab", "", "*"]), 1..4)
        .prop_map(|segments| segments.join("."))
        .prop_filter("not empty", |topic| !topic.is_empty())
}

fn a_pattern() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "*", "a*", "*b", "a*b", "a*a*b", "**", ""]);
    (proptest::collection::vec(segment, 0..4), any::<bool>())
        .prop_map(|(mut segments, rest)| {
            segments.extend(rest.then_some("#"));
            segments.join(".")
        })
        .prop_filter("not empty", |pattern| !pattern.is_empty())
}

fn some_patterns() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(a_pattern(), 1..4)
}

fn step() -> impl Strategy<Value = Do> {
    let which = || 0..4usize;
    prop_oneof![
        2 => Just(Do::Join),
        1 => which().prop_map(Do::Leave),
        5 => (which(), some_patterns()).prop_map(|(which, patterns)| Do::Add(which, patterns)),
        3 => (which(), proptest::option::of(some_patterns())).prop_map(|(which, patterns)| Do::Remove(which, patterns)),
        2 => (0..3u8, some_patterns()).prop_map(|(name, patterns)| Do::Register(name, patterns)),
        1 => (0..3u8, proptest::option::of(some_patterns())).prop_map(|(name, patterns)| Do::Unregister(name, patterns)),
        9 => a_topic().prop_map(Do::Publish),
        4 => which().prop_map(Do::Read),
        1 => prop_oneof![Just(1), Just(1_800_000), Just(43_200_000)].prop_map(Do::Wait),
    ]
}

#[test]
fn the_model_hub_does_what_lists_would() {
    proptest!(cases(500, 1), |(steps in proptest::collection::vec(step(), 1..80))| check(steps));
}
