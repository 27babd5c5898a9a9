use std::{collections::BTreeMap, time::Duration};

use manifold_engine::{
    Actor, Key, Level, Retention,
    kv::{Encoding, Expires, Put, Value, When},
};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

/// An engine in a directory of its own, and a socket's subscriptions over it.
struct Watched {
    engine: Engine,
    subscriptions: Subscriptions,
    _dir: TempDir,
}

impl Watched {
    async fn new() -> Self {
        Self::keeping(Retention::default()).await
    }

    async fn keeping(retention: Retention) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = engine::Options::new(dir.path());
        (options.level, options.retention) = (Level::Os, retention);
        let engine = Engine::open(options);
        engine.recovered().await.unwrap();
        let subscriptions = Subscriptions::new(engine.clone(), Arc::default());
        Watched { engine, subscriptions, _dir: dir }
    }

    fn subscribe(&mut self, params: &str) -> u64 {
        self.subscriptions.subscribe(Options::parse(params).unwrap()).unwrap()
    }

    async fn put(&self, namespace: &str, key: &str) -> u64 {
        put(&self.engine, namespace, key).await
    }

    /// The next `count` notifications, briefly: the seq of a change, the method and seq of anything else.
    async fn told(&mut self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        while told.len() < count {
            let notices = timeout(Duration::from_secs(5), self.subscriptions.next()).await.expect("a notification");
            told.extend(notices.unwrap().iter().map(|notice| brief(&parse(notice))));
        }
        told
    }

    async fn is_silent(&mut self) -> bool {
        let mut wait = Duration::from_millis(50);
        loop {
            match timeout(wait, self.subscriptions.next()).await {
                Ok(notices) if !notices.as_ref().unwrap().is_empty() => return false,
                // A step without a notification; what follows would be there at once.
                Ok(_) => wait = Duration::from_millis(20),
                Err(_) => return true,
            }
        }
    }
}

async fn put(engine: &Engine, namespace: &str, key: &str) -> u64 {
    let put = Put {
        key: Key::new(key.to_owned()).unwrap(),
        value: Value { encoding: Encoding::Json, bytes: Bytes::from_static(b"1") },
        expires: Expires::Never,
        when: When::Always,
        actor: Actor::fixed("api"),
    };
    engine.put(&Namespace::new(namespace.to_owned()).unwrap(), put).await.unwrap().seq
}

fn parse(notice: &[u8]) -> Json {
    serde_json::from_slice(notice).unwrap()
}

fn brief(notice: &Json) -> String {
    let seq = &notice["params"]["seq"];
    match notice["method"].as_str().unwrap() {
        "watch/change" => seq.to_string(),
        method => format!("{method} {seq}"),
    }
}

fn trees(namespace: &str) -> Vec<&str> {
    ancestors(namespace.as_bytes()).map(|tree| std::str::from_utf8(tree).unwrap()).collect()
}

#[test]
fn a_namespace_lies_in_everything_its_parents_and_itself() {
    assert_eq!(trees("tenant:acme/settings/x"), ["", "tenant:acme", "tenant:acme/settings", "tenant:acme/settings/x"]);
    assert_eq!(trees("a"), ["", "a"]);
    assert_eq!(trees("/a//b/"), ["", "/a", "/a/", "/a//b", "/a//b/"]);
}

#[test]
fn ancestors_agree_with_the_rule_of_the_engine() {
    for namespace in ["a", "a/b", "/a//b/", "tenant:acme2/x", "a/"] {
        let found = Namespace::new(namespace.to_owned()).unwrap();
        for root in ["a", "a/", "/a", "/a/", "a/b", "tenant:acme", "tenant:acme2", "/a//b", "b"] {
            assert_eq!(found.is_within(root.as_bytes()), trees(namespace).contains(&root), "{root} of {namespace}");
        }
    }
}

#[tokio::test]
async fn only_changes_after_the_subscription_and_in_its_tree_are_told() {
    let mut watched = Watched::new().await;
    watched.put("a/b", "before").await;
    assert_eq!(watched.subscribe(r#"{"namespace":"a"}"#), 1);
    watched.put("a2", "outside").await;
    watched.put("a/b", "inside").await;
    watched.put("a", "itself").await;
    assert_eq!(watched.told(2).await, ["3", "4"]);
    watched.subscriptions.unsubscribe(b"a");
    watched.put("a", "later").await;
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn overlapping_subscriptions_tell_a_change_once() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a","keysOnly":true}"#);
    watched.subscribe(r#"{"namespace":"a/b"}"#);
    watched.subscribe(r#"{"namespace":""}"#);
    watched.put("a/b", "k").await;
    watched.put("a", "k").await;
    assert_eq!(watched.told(2).await, ["1", "2"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_replay_meets_the_live_changes_without_gap_or_repetition() {
    let mut watched = Watched::new().await;
    for n in 0..600 {
        watched.put("a", &n.to_string()).await;
    }
    watched.subscribe(r#"{"namespace":"a","since":10}"#);
    watched.put("a", "meanwhile").await;
    let told = watched.told(592).await;
    let synced = told.iter().position(|text| text.starts_with("watch/synced")).unwrap();
    let seqs: Vec<_> = told.iter().enumerate().filter(|(at, _)| *at != synced).map(|(_, text)| text.clone()).collect();
    assert_eq!(seqs, (11..=601).map(|seq| seq.to_string()).collect::<Vec<_>>());
    watched.put("a", "after").await;
    assert_eq!(watched.told(1).await, ["602"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_live_cursor_that_lags_tells_a_new_subscription_nothing_old() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a"}"#);
    watched.put("b", "before").await;
    assert_eq!(watched.subscribe(r#"{"namespace":"b"}"#), 1);
    watched.put("b", "after").await;
    assert_eq!(watched.told(1).await, ["2"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_replay_that_is_ahead_of_a_lagging_live_cursor_repeats_nothing() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a"}"#);
    for n in 0..600 {
        watched.put("b", &n.to_string()).await;
    }
    watched.subscribe(r#"{"namespace":"b","since":300}"#);
    let told = watched.told(301).await;
    let seqs: Vec<_> = told.iter().filter(|text| !text.starts_with("watch")).cloned().collect();
    assert_eq!(seqs, (301..=600).map(|seq| seq.to_string()).collect::<Vec<_>>());
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_subscription_that_has_nothing_to_catch_up_is_synced_at_once() {
    let mut watched = Watched::new().await;
    watched.put("a", "k").await;
    watched.subscribe(r#"{"namespace":"a","since":1}"#);
    assert_eq!(watched.told(1).await, ["watch/synced 1"]);
    watched.subscribe(r#"{"namespace":"b","since":0}"#);
    watched.put("b", "k").await;
    // The live cursor had the change already when the replay began, or brings it afterwards: either way once.
    let told = watched.told(2).await;
    assert!(told == ["2", "watch/synced 2"] || told == ["watch/synced 1", "2"], "{told:?}");
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_cursor_of_another_history_is_reset_to_the_head() {
    let mut watched = Watched::new().await;
    watched.put("a", "k").await;
    watched.subscribe(r#"{"namespace":"a","since":99}"#);
    assert_eq!(watched.told(2).await, ["watch/reset 1", "watch/synced 1"]);
    watched.put("a", "k").await;
    assert_eq!(watched.told(1).await, ["2"]);
}

#[tokio::test]
async fn a_cursor_behind_retention_is_reset_to_the_oldest_record() {
    let mut watched = Watched::keeping(Retention { records: 100, ..Retention::default() }).await;
    for n in 0..1_000 {
        watched.put("a", &n.to_string()).await;
    }
    while watched.engine.stats().feed_oldest < 645 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    watched.subscribe(r#"{"namespace":"a","since":5}"#);
    let oldest = watched.engine.stats().feed_oldest;
    let told = watched.told(2).await;
    assert_eq!(told[..2], ["watch/reset 1000".to_owned(), oldest.to_string()]);
}

#[tokio::test]
async fn a_snapshot_is_one_cut_and_goes_on_live() {
    let mut watched = Watched::new().await;
    watched.put("a", "old").await;
    watched.put("b", "other").await;
    watched.put("a/b", "new").await;
    watched.subscribe(r#"{"namespace":"a","snapshot":true}"#);
    watched.put("a", "old").await;
    assert_eq!(watched.told(4).await, ["1", "3", "watch/synced 3", "4"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn a_paced_key_is_told_of_its_newest_change() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a","maxRate":10}"#);
    for _ in 0..5 {
        watched.put("a", "busy").await;
    }
    watched.put("a", "calm").await;
    let told = watched.told(3).await;
    assert_eq!(told, ["1", "6", "5"]);
    // A subscription without a pace wants every change, at once.
    watched.subscribe(r#"{"namespace":""}"#);
    watched.put("a", "busy").await;
    watched.put("a", "busy").await;
    assert_eq!(watched.told(2).await, ["7", "8"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn subscribing_again_replaces_the_options() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a","prefix":"x"}"#);
    watched.subscribe(r#"{"namespace":"a","prefix":"y"}"#);
    watched.put("a", "x").await;
    watched.put("a", "y").await;
    assert_eq!(watched.told(1).await, ["2"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn subscribing_again_loses_nothing_that_was_not_told_yet() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a"}"#);
    watched.put("a", "k").await;
    assert_eq!(watched.subscribe(r#"{"namespace":"a","keysOnly":true}"#), 1);
    watched.put("a", "k").await;
    assert_eq!(watched.told(2).await, ["1", "2"]);
    // The same beside another subscription.
    watched.subscribe(r#"{"namespace":"b"}"#);
    watched.put("a", "k").await;
    watched.subscribe(r#"{"namespace":"a"}"#);
    assert_eq!(watched.told(1).await, ["3"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn subscribing_again_without_a_pace_tells_what_was_held_back() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a","maxRate":1}"#);
    for _ in 0..3 {
        watched.put("a", "k").await;
    }
    assert_eq!(watched.told(1).await, ["1"]);
    watched.subscribe(r#"{"namespace":"a"}"#);
    assert_eq!(watched.told(1).await, ["3"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn subscribing_again_from_a_number_replays_from_there() {
    let mut watched = Watched::new().await;
    watched.subscribe(r#"{"namespace":"a"}"#);
    watched.put("a", "k").await;
    assert_eq!(watched.told(1).await, ["1"]);
    watched.subscribe(r#"{"namespace":"a","since":0}"#);
    assert_eq!(watched.told(2).await, ["1", "watch/synced 1"]);
    assert!(watched.is_silent().await);
}

#[tokio::test]
async fn the_number_of_subscriptions_is_bounded() {
    let mut watched = Watched::new().await;
    for n in 0..MAX_SUBSCRIPTIONS {
        watched.subscribe(&format!("{{\"namespace\":\"{n}\"}}"));
    }
    let refused = watched.subscriptions.subscribe(Options::parse(r#"{"namespace":"one more"}"#).unwrap());
    assert_eq!(refused.unwrap_err().text(), "Too many subscriptions (max 1000)");
    watched.subscribe(r#"{"namespace":"5","keysOnly":true}"#);
    watched.put("5", "k").await;
    assert_eq!(watched.told(1).await, ["1"]);
}

#[tokio::test]
async fn subscriptions_that_start_under_load_miss_and_repeat_nothing() {
    let mut watched = Watched::new().await;
    let engine = watched.engine.clone();
    let writer = tokio::spawn(async move {
        let mut by_namespace: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for n in 0..3_000_u64 {
            let namespace = ["live", "replayed", "copied"][(n * 7 % 3) as usize];
            by_namespace.entry(namespace).or_default().push(put(&engine, namespace, &(n % 50).to_string()).await);
            tokio::task::yield_now().await;
        }
        by_namespace
    });
    let start = watched.subscribe(r#"{"namespace":"live"}"#);
    while watched.engine.head().unwrap() < 1_000 {
        watched.told(1).await;
    }
    watched.subscribe(r#"{"namespace":"replayed","since":100}"#);
    watched.subscribe(r#"{"namespace":"copied","snapshot":true}"#);

    let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut synced = None;
    loop {
        let finished = writer.is_finished();
        let Ok(notices) = timeout(Duration::from_millis(200), watched.subscriptions.next()).await else {
            if finished { break } else { continue }
        };
        for notice in notices.unwrap().iter().map(|notice| parse(notice)) {
            let (namespace, seq) = (&notice["params"]["namespace"], notice["params"]["seq"].as_u64().unwrap());
            match notice["method"].as_str().unwrap() {
                "watch/change" => told.entry(namespace.as_str().unwrap().to_owned()).or_default().push(seq),
                "watch/synced" if namespace == "copied" => synced = Some(seq),
                _ => {}
            }
        }
    }
    let written = writer.await.unwrap();
    let expected = |namespace: &str, after: u64| -> Vec<u64> {
        written[namespace].iter().copied().filter(|seq| *seq > after).collect()
    };
    // The first changes of the live subscription were taken above, before the others began.
    let live = &told["live"];
    assert_eq!(*live, expected("live", live[0] - 1));
    assert!(start < live[0]);
    assert_eq!(told["replayed"], expected("replayed", 100));
    let cut = synced.expect("the snapshot ends");
    let after_cut: Vec<_> = told["copied"].iter().copied().filter(|seq| *seq > cut).collect();
    assert_eq!(after_cut, expected("copied", cut));
}
