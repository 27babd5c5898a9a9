//! Documents against a map, with restarts in between. `MANIFOLD_MODEL_CASES` says how many cases are tried, 60 unless it
//! is set: each has a file of its own.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{cache::Glob, tests::cases};

const SPACES: [&str; 3] = ["", "a", "b:c"];
const KEYS: [&str; 8] = ["", "k", "k1", "k%", "K", "k_", "l", "~"];
const TAGS: [&str; 4] = ["", "x", "y", "é\0"];
const PREFIXES: [&str; 6] = ["", "k", "k_", "k%", "~", "\u{10ffff}"];
const PATTERNS: [&str; 5] = ["*", "k*", "k?", "*1", "?"];

#[derive(Debug, Clone)]
enum Do {
    Set(usize, Vec<(usize, u32, u64, Vec<usize>)>),
    Delete(usize, Vec<usize>),
    DeleteTagged(Option<usize>, Vec<usize>),
    Clear(Option<usize>),
    Purge,
    Wait(u64),
    Restart,
    Get(usize, usize),
    GetMany(usize, Vec<usize>),
    Query(Option<usize>, usize, Vec<usize>, usize, bool, u64, u64),
    Keys(Option<usize>, usize, Option<usize>),
    Stats,
}

fn steps() -> impl Strategy<Value = Vec<Do>> {
    let (space, key, tag) = (0..SPACES.len(), 0..KEYS.len(), 0..TAGS.len());
    let within = || prop::option::of(space.clone());
    let tags = || vec(tag.clone(), 0..3);
    let set = (key.clone(), any::<u32>(), select(vec![0, 1, 5, u64::MAX]), tags());
    let step = prop_oneof![
        6 => (space.clone(), vec(set, 0..4)).prop_map(|(space, sets)| Do::Set(space, sets)),
        2 => (space.clone(), vec(key.clone(), 0..4)).prop_map(|(space, keys)| Do::Delete(space, keys)),
        1 => (within(), tags()).prop_map(|(within, tags)| Do::DeleteTagged(within, tags)),
        1 => within().prop_map(Do::Clear),
        1 => Just(Do::Purge),
        2 => (1_u64..6).prop_map(Do::Wait),
        1 => Just(Do::Restart),
        3 => (space.clone(), key.clone()).prop_map(|(space, key)| Do::Get(space, key)),
        1 => (space.clone(), vec(key.clone(), 0..6)).prop_map(|(space, keys)| Do::GetMany(space, keys)),
        4 => (within(), 0..PREFIXES.len(), tags(), 0..3_usize, any::<bool>(), 0..3_u64, 0..9_u64)
            .prop_map(|(within, prefix, tags, by, down, offset, limit)| {
                Do::Query(within, prefix, tags, by, down, offset, limit)
            }),
        2 => (within(), 0..PATTERNS.len(), prop::option::of(1..4_usize))
            .prop_map(|(within, pattern, limit)| Do::Keys(within, pattern, limit)),
        1 => Just(Do::Stats),
    ];
    vec(step, 1..40)
}

/// All rows, expired ones too, by space and key.
#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<(String, String), Document>,
    now: u64,
}

impl Model {
    fn lives(&self, document: &Document) -> bool {
        document.expires.is_none_or(|expires| expires.0 > self.now)
    }

    fn get(&self, space: usize, key: usize) -> Option<Document> {
        let row = self.rows.get(&(SPACES[space].to_owned(), KEYS[key].to_owned()))?;
        self.lives(row).then(|| row.clone())
    }

    fn set(&mut self, space: &str, set: &DocumentSet) {
        let at = (space.to_owned(), set.key.clone());
        let before = self.rows.get(&at).filter(|row| self.lives(row));
        let created = before.map_or(Timestamp(self.now), |row| row.created);
        let expires = (set.ttl_ms > 0).then(|| Timestamp(self.now.saturating_add(set.ttl_ms).min((1 << 53) - 1)));
        let mut tags = set.tags.clone();
        tags.sort();
        tags.dedup();
        let document = Document {
            space: at.0.clone(),
            key: at.1.clone(),
            value: set.value.clone(),
            created,
            updated: Timestamp(self.now),
            expires,
            tags,
        };
        self.rows.insert(at, document);
    }

    /// Removes those that live and fit; how many.
    fn remove(&mut self, fits: impl Fn(&Document) -> bool) -> u64 {
        let before = self.rows.len();
        let now = self.now;
        self.rows.retain(|_, row| !fits(row) || row.expires.is_some_and(|expires| expires.0 <= now));
        (before - self.rows.len()) as u64
    }

    fn found(&self, query: &DocumentQuery) -> Vec<Document> {
        let mut found: Vec<Document> = self.rows.values().filter(|row| self.lives(row)).cloned().collect();
        found.retain(|row| row.key.starts_with(&query.prefix) && is_within(row, &query.within));
        found.retain(|row| query.tags.is_empty() || row.tags.iter().any(|tag| query.tags.contains(tag)));
        found.sort_by(|one, other| {
            let order = match query.order {
                DocumentOrder::Key => one.key.cmp(&other.key),
                DocumentOrder::Created => one.created.cmp(&other.created),
                DocumentOrder::Updated => one.updated.cmp(&other.updated),
            };
            let order = if query.descending { order.reverse() } else { order };
            order.then_with(|| (&one.space, &one.key).cmp(&(&other.space, &other.key)))
        });
        found.into_iter().skip(query.offset as usize).take(query.limit as usize).collect()
    }
}

fn is_within(row: &Document, within: &Within) -> bool {
    within.name().is_none_or(|space| row.space == space)
}

fn within(space: Option<usize>) -> Within {
    space.map_or(Within::All, |space| Within::Space(named(SPACES[space])))
}

fn texts(of: &[&str], picked: &[usize]) -> Vec<String> {
    picked.iter().map(|at| of[*at].to_owned()).collect()
}

async fn run(steps: Vec<Do>) {
    let mut house = House::at(Level::Os);
    let mut model = Model { now: START.0, ..Model::default() };
    for step in steps {
        let documents = house.documents.clone();
        match step {
            Do::Set(space, sets) => {
                let space = SPACES[space];
                let sets: Vec<_> = sets
                    .into_iter()
                    .map(|(key, value, ttl_ms, tags)| DocumentSet {
                        key: KEYS[key].to_owned(),
                        value: value.to_string(),
                        ttl_ms,
                        tags: texts(&TAGS, &tags),
                    })
                    .collect();
                sets.iter().for_each(|set| model.set(space, set));
                house.set(space, sets).await;
            }
            Do::Delete(space, keys) => {
                let keys = texts(&KEYS, &keys);
                let expected = model.remove(|row| row.space == SPACES[space] && keys.contains(&row.key));
                let deleted = documents.delete(named(SPACES[space]), keys).await;
                assert_eq!(deleted.expect("a count"), expected);
            }
            Do::DeleteTagged(space, tags) => {
                let (within, tags) = (within(space), texts(&TAGS, &tags));
                let expected =
                    model.remove(|row| is_within(row, &within) && row.tags.iter().any(|tag| tags.contains(tag)));
                assert_eq!(documents.delete_tagged(within, tags).await.expect("a count"), expected);
            }
            Do::Clear(space) => {
                model.rows.retain(|_, row| !is_within(row, &within(space)));
                documents.clear(within(space)).await.expect("cleared");
            }
            Do::Purge => {
                let (before, now) = (model.rows.len(), model.now);
                model.rows.retain(|_, row| row.expires.is_none_or(|expires| expires.0 > now));
                assert_eq!(documents.purge().await.expect("a count"), (before - model.rows.len()) as u64);
            }
            Do::Wait(ms) => {
                house.clock.advance(ms);
                model.now += ms;
            }
            Do::Restart => house.reopen().await,
            Do::Get(space, key) => {
                assert_eq!(house.get(SPACES[space], KEYS[key]).await, model.get(space, key));
            }
            Do::GetMany(space, keys) => {
                let expected: Vec<_> = keys.iter().map(|key| (KEYS[*key].to_owned(), model.get(space, *key))).collect();
                assert_eq!(whole(documents.get_many(named(SPACES[space]), texts(&KEYS, &keys))).await, expected);
            }
            Do::Query(space, prefix, tags, by, descending, offset, limit) => {
                let query = DocumentQuery {
                    within: within(space),
                    prefix: PREFIXES[prefix].to_owned(),
                    tags: texts(&TAGS, &tags),
                    order: [DocumentOrder::Key, DocumentOrder::Created, DocumentOrder::Updated][by],
                    descending,
                    offset,
                    limit,
                };
                assert_eq!(whole(documents.query(query.clone())).await, model.found(&query));
            }
            Do::Keys(space, pattern, limit) => {
                let pattern = Glob::new(PATTERNS[pattern]);
                let all = model.found(&everything(within(space)));
                let expected = all.into_iter().map(|row| row.key).filter(|key| pattern.matches(key.as_bytes()));
                let expected: Vec<_> = expected.take(limit.unwrap_or(usize::MAX)).collect();
                let keys = DocumentKeys { within: within(space), pattern, limit };
                assert_eq!(whole(documents.keys(keys)).await, expected);
            }
            Do::Stats => {
                let live: Vec<_> = model.rows.values().filter(|row| model.lives(row)).collect();
                let spaces: std::collections::BTreeSet<_> = live.iter().map(|row| &row.space).collect();
                let stats = documents.stats().await.expect("stats");
                assert_eq!((stats.documents, stats.spaces), (live.len() as u64, spaces.len() as u64));
            }
        }
    }
    house.documents.close().await;
}

proptest! {
    #![proptest_config(cases(60, 8))]

    #[test]
    fn documents_are_a_map_in_the_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(steps));
    }
}
