//! Backups of an engine that is written to all the time, against what was written.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    chance,
    documents::{DocumentSet, Documents, DocumentsOptions, Space},
    tests::{cases, delete},
};

const KEYS: u32 = 24;
/// What one writer had written when the feed had so many changes: the value of each key.
type States = Vec<BTreeMap<u32, String>>;

/// Writes random keys one after the other, and beside each change its number into a document.
async fn write(engine: Engine, documents: Documents, stop: Arc<AtomicBool>) -> States {
    let mut states = vec![BTreeMap::new()];
    while !stop.load(Ordering::Relaxed) {
        let mut state = states.last().expect("there is one").clone();
        let key = chance::number() % KEYS;
        if chance::number().is_multiple_of(4) && state.remove(&key).is_some() {
            engine.delete(&ns("n"), delete(&format!("k{key}"))).await.expect("delete");
        } else {
            let value = format!("\"{}{}\"", states.len(), "x".repeat((chance::number() % 4000) as usize));
            engine.put(&ns("n"), put(&format!("k{key}"), &value)).await.expect("put");
            state.insert(key, value);
        }
        let number =
            DocumentSet { key: "changes".to_owned(), value: states.len().to_string(), ttl_ms: 0, tags: Vec::new() };
        documents.set(Space::default(), vec![number]).await.expect("a document");
        states.push(state);
    }
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_the_state_of_one_moment_whatever_is_written_and_cleaned_meanwhile() {
    let house = House::new().await;
    let path = house.path("data/documents.db");
    let documents = Documents::open(&path, DocumentsOptions { level: crate::Level::Os, ..Default::default() }).unwrap();
    let place = Place::new(&house.path("data"), &path, "documents.db");
    let beside = [documents.beside(place).expect("a file")];
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(house.engine.clone(), documents.clone(), stop.clone()));

    let mut made = Vec::new();
    for round in 0..cases(2, 500).cases {
        let cleaned = house.engine.stats().store.cleaned_bytes;
        let backups = [format!("a{round}"), format!("b{round}.mfb")];
        // Two at once, and cleaning goes on under them.
        let (first, second) = tokio::join!(house.engine.backup(&beside), house.engine.backup(&beside));
        let mut naps = 0;
        while house.engine.stats().store.cleaned_bytes == cleaned {
            naps += 1;
            assert!(naps < 10_000, "nothing is cleaned");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for (backup, name) in [first, second].into_iter().zip(backups) {
            let backup = backup.unwrap();
            let sequence = backup.sequence();
            let received = copied(backup, house.path(&name)).await.unwrap();
            assert_eq!(received.manifest.sequence, sequence);
            made.push(name);
        }
    }
    stop.store(true, Ordering::Relaxed);
    let states = writing.await.unwrap();
    documents.close().await;
    house.engine.close().await.unwrap();

    let mut last = 0;
    for name in made {
        let to = house.path("restored");
        restored(&house.path(&name), &to).unwrap();
        let documents = Documents::open(&to.join("documents.db"), DocumentsOptions::default()).unwrap();
        let noted = documents.get(Space::default(), "changes".to_owned()).await.unwrap();
        documents.close().await;
        let engine = open(&to, crate::Level::Os).await;
        let changes = noted.map_or(0, |noted| noted.value.parse::<usize>().expect("a number"));
        let found: Vec<&BTreeMap<u32, String>> = (changes..=(changes + 1).min(states.len() - 1))
            .map(|changes| &states[changes])
            .filter(|state| (0..KEYS).all(|key| holds(&engine, key, state.get(&key))))
            .collect();
        assert_eq!(found.len(), 1, "{name} is the state after {changes} changes, or with the one that was under way");
        assert!(changes >= last, "a later backup is not older");
        last = changes;
        engine.close().await.unwrap();
        fs::remove_dir_all(to).unwrap();
    }
    assert!(last > 0);
}

fn holds(engine: &Engine, key: u32, value: Option<&String>) -> bool {
    let entry = engine.get(&ns("n"), &k(&format!("k{key}"))).expect("readable").it;
    entry.map(|entry| entry.value.bytes.to_vec()) == value.map(|value| value.as_bytes().to_vec())
}
