//! The engine against a plain map: random operations, time, restarts, crashes; then state, versions and feed must be equal.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::feed::How;

/// What a key is in the model.
#[derive(Debug, Clone, Default)]
struct Model {
    /// Version, value, deadline of keys that hold something, due or not.
    live: BTreeMap<String, (u64, String, Option<u64>)>,
    /// Last versions of removed keys.
    removed: BTreeMap<String, u64>,
    feed: Vec<Line>,
    now: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    op: ChangeOp,
    key: String,
    version: u64,
    value: Option<String>,
    expires_at: Option<u64>,
}

#[derive(Debug, Clone)]
enum Step {
    Apply(Vec<Action>),
    Advance(u64),
    Restart,
    Crash(bool),
}

#[derive(Debug, Clone)]
struct Action {
    key: String,
    when: When,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Put(String, Expires),
    Delete,
}

impl Model {
    fn version(&self, key: &str) -> Option<u64> {
        self.live.get(key).filter(|(_, _, deadline)| deadline.is_none_or(|at| self.now < at)).map(|live| live.0)
    }

    fn record(&mut self, op: ChangeOp, key: &str, version: u64, value: Option<String>, expires_at: Option<u64>) {
        self.feed.push(Line { op, key: key.to_owned(), version, value, expires_at });
    }

    fn remove(&mut self, op: ChangeOp, key: &str) -> u64 {
        let version = self.live.remove(key).expect("a live key").0 + 1;
        self.removed.insert(key.to_owned(), version);
        self.record(op, key, version, None, None);
        version
    }

    /// One operation: the version it produced, none for a delete of nothing, or the conflict's version.
    fn apply(&mut self, action: &Action) -> std::result::Result<Option<u64>, u64> {
        let Action { key, when, what } = action;
        let live = self.version(key);
        let holds = match when {
            When::Always => true,
            When::Absent => live.is_none(),
            When::Present => live.is_some(),
            When::Version(version) => live == Some(*version),
        };
        if !holds {
            return Err(live.unwrap_or(0));
        }
        if live.is_none() && self.live.contains_key(key) {
            self.remove(ChangeOp::Expire, key);
        }
        match what {
            What::Delete => Ok(live.map(|_| self.remove(ChangeOp::Delete, key))),
            What::Put(value, expires) => {
                let before = self.live.get(key);
                let version = 1 + before.map_or_else(|| self.removed.remove(key).unwrap_or(0), |live| live.0);
                let deadline = match expires {
                    Expires::Never => None,
                    Expires::At(at) => Some(at.0),
                    Expires::In(duration) => Some(self.now + duration.as_millis() as u64),
                    Expires::Keep => before.and_then(|live| live.2),
                };
                self.live.insert(key.clone(), (version, value.clone(), deadline));
                self.record(ChangeOp::Set(How::Put), key, version, Some(value.clone()), deadline);
                Ok(Some(version))
            }
        }
    }

    /// All or nothing; the error is the index and the conflict's version.
    fn batch(&mut self, actions: &[Action]) -> std::result::Result<Vec<Option<u64>>, (usize, u64)> {
        let mut after = self.clone();
        let done =
            actions.iter().enumerate().map(|(index, action)| after.apply(action).map_err(|current| (index, current)));
        let done = done.collect::<std::result::Result<_, _>>()?;
        *self = after;
        Ok(done)
    }

    /// Expiries come in the order of deadlines, then of keys.
    fn expire(&mut self) {
        let mut due: Vec<(u64, String)> = self
            .live
            .iter()
            .filter_map(|(key, (_, _, deadline))| Some((deadline.filter(|at| *at <= self.now)?, key.clone())))
            .collect();
        due.sort();
        for (_, key) in due {
            self.remove(ChangeOp::Expire, &key);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => action().prop_map(|action| Step::Apply(vec![action])),
        3 => proptest::collection::vec(action(), 0..6).prop_map(Step::Apply),
        2 => (1u64..60).prop_map(Step::Advance),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::Crash),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let when = prop_oneof![
        4 => Just(When::Always),
        1 => Just(When::Absent),
        1 => Just(When::Present),
        2 => (0u64..8).prop_map(When::Version),
    ];
    let expires = prop_oneof![
        3 => Just(Expires::Never),
        2 => (1u64..80).prop_map(|ms| Expires::In(Duration::from_millis(ms))),
        1 => (0u64..200).prop_map(|ms| Expires::At(Timestamp(START.0 + ms))),
        2 => Just(Expires::Keep),
    ];
    // Some values are longer than what the index keeps in memory.
    let value = ("[a-z]{0,8}", prop_oneof![4 => Just(1usize), 1 => Just(500usize)])
        .prop_map(|(word, times)| word.repeat(times));
    let what = prop_oneof![3 => (value, expires).prop_map(|(value, expires)| What::Put(value, expires)), 1 => Just(What::Delete)];
    ("[a-e]", when, what).prop_map(|(key, when, what)| Action { key, when, what })
}

fn operation(action: &Action) -> Op {
    let Action { key, when, what } = action.clone();
    match what {
        What::Put(value, expires) => Op::Put(ns("n"), Put { expires, when, ..put(&key, &value) }),
        What::Delete => Op::Delete(ns("n"), Delete { when, ..delete(&key) }),
    }
}

/// What the engine did, in the model's terms.
async fn apply(house: &House, actions: &[Action]) -> std::result::Result<Vec<Option<u64>>, (usize, u64)> {
    let result = match actions {
        [one] => match operation(one) {
            Op::Put(namespace, put) => house.put(&namespace, put).await.map(|entry| vec![Some(entry.version)]),
            Op::Delete(namespace, delete) => {
                house.delete(&namespace, delete).await.map(|cut| vec![cut.it.map(|changed| changed.version)])
            }
        },
        many => {
            let done = house.batch(many.iter().map(operation).collect()).await;
            done.map(|cut| cut.it.into_iter().map(|outcome| outcome.map(|changed| changed.version)).collect())
        }
    };
    result.map_err(|error| match error.kind() {
        Kind::Conflict { current } => (error.operation().unwrap_or(0), *current),
        other => panic!("{other:?}: {error}"),
    })
}

/// Waits until the sweep has done what the model says is due.
async fn settle(house: &House, model: &mut Model) {
    model.expire();
    let head = model.feed.len() as u64;
    house.until("the sweep", |engine| engine.head().expect("head") == head).await;
}

async fn compare(house: &House, model: &Model) {
    let feed = house.feed().await;
    assert_eq!(numbers(&feed), (1..=model.feed.len() as u64).collect::<Vec<_>>());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let lines: Vec<Line> = feed
        .iter()
        .map(|change| Line {
            op: change.op,
            key: text(change.key.as_bytes()),
            version: change.version,
            value: change.value.as_ref().map(|value| text(&value.bytes)),
            expires_at: change.expires_at.map(|at| at.0),
        })
        .collect();
    assert_eq!(lines, model.feed);

    let mut scan = house.scan(&ns("n"), b"", false).expect("scan");
    assert_eq!(scan.head(), model.feed.len() as u64);
    let mut found = Vec::new();
    while let Some(chunk) = scan.next_chunk().expect("chunk") {
        found.extend(chunk.into_iter().map(|entry| {
            assert_eq!(feed[entry.seq as usize - 1].version, entry.version);
            let deadline = entry.expires_at.map(|at| at.0);
            (text(entry.key.as_bytes()), (entry.version, text(&entry.value.bytes), deadline))
        }));
    }
    let expected = model.live.iter().filter(|(key, _)| model.version(key).is_some());
    assert_eq!(found, expected.map(|(key, live)| (key.clone(), live.clone())).collect::<Vec<_>>());
    assert_eq!(house.stats().kv_tombstones, model.removed.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_does_what_a_plain_map_would(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut house = House::new().await;
            let mut model = Model { now: START.0, ..Model::default() };
            for step in steps {
                match step {
                    Step::Apply(actions) => {
                        assert_eq!(apply(&house, &actions).await, model.batch(&actions));
                        settle(&house, &mut model).await;
                    }
                    // Nothing is awaited here: what comes next meets the keys that are due before the sweep does.
                    Step::Advance(ms) => {
                        house.advance(ms);
                        model.now += ms;
                    }
                    Step::Restart => {
                        house.restart().await;
                        settle(&house, &mut model).await;
                    }
                    Step::Crash(kept) => {
                        house.crash(if kept { Reboot::Kept } else { Reboot::Lost }).await;
                        settle(&house, &mut model).await;
                    }
                }
            }
            settle(&house, &mut model).await;
            compare(&house, &model).await;
            house.restart().await;
            compare(&house, &model).await;
        });
    }
}
