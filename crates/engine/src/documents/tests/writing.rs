//! One thread, one commit for all who wait.

use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use super::*;
use crate::{Error, Kind, tests::House as EngineHouse};

/// Holds the writing thread until told; what is asked from now on stands in line.
async fn hold(house: &House) -> (tokio::task::JoinHandle<()>, mpsc::Sender<()>) {
    let (go, held) = mpsc::channel();
    let (begun, begins) = oneshot::channel();
    let documents = house.documents.clone();
    let holding = tokio::spawn(async move {
        let step = move |_: tx::Tx<'_>| {
            begun.send(()).expect("somebody waits");
            Ok(held.recv().is_ok())
        };
        documents.write(step).await.expect("held");
    });
    begins.await.expect("the thread begins");
    (holding, go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_refused_takes_no_other_with_it() {
    let house = House::new();
    let (holding, go) = hold(&house).await;
    let write = |key: &'static str, outcome: Option<Kind>| {
        house.documents.write(move |tx| {
            set::all(tx, &Space::default(), &[put(key, "")])?;
            match outcome {
                None => Ok(()),
                Some(Kind::Bug) => panic!("a defect"),
                Some(kind) => Err(Error::new(kind, "refused")),
            }
        })
    };
    // In this order: all four stand in line when the thread goes on, which takes them together.
    let (good, refused, panics, later, ()) = tokio::join!(
        biased;
        write("good", None),
        write("refused", Some(Kind::NotFound)),
        write("panics", Some(Kind::Bug)),
        write("later", None),
        async { go.send(()).expect("the thread listens") },
    );
    holding.await.expect("held");
    assert!(good.is_ok() && later.is_ok());
    assert_eq!(*refused.expect_err("refused").kind(), Kind::NotFound);
    assert_eq!(*panics.expect_err("panicked").kind(), Kind::Bug);
    let all = whole(house.documents.query(everything(Within::All))).await;
    assert_eq!(all.iter().map(|document| document.key.as_str()).collect::<Vec<_>>(), ["good", "later"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_somebody_writes_and_see_what_is_committed() {
    let house = House::new();
    house.set("", [put("k", "before")]).await;
    let (go, held) = mpsc::channel::<()>();
    let (written, is_written) = oneshot::channel();
    let documents = house.documents.clone();
    let writing = tokio::spawn(async move {
        documents
            .write(move |tx| {
                set::all(tx, &Space::default(), &[put("k", "after")])?;
                written.send(()).expect("somebody waits");
                held.recv().expect("a word");
                Ok(())
            })
            .await
    });
    is_written.await.expect("the step runs");
    assert_eq!(house.get("", "k").await.expect("a document").value, "before");
    go.send(()).expect("the thread listens");
    writing.await.expect("a task").expect("written");
    assert_eq!(house.get("", "k").await.expect("a document").value, "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_reads_hold_up_neither_short_ones_nor_writes() {
    let house = House::new();
    let going = Arc::new(std::sync::Barrier::new(4));
    let long: Vec<_> = (0..3)
        .map(|_| {
            let (documents, going) = (house.documents.clone(), going.clone());
            let long = move |_: tx::Tx<'_>| {
                // Once when all have begun, once when they may end.
                going.wait();
                Ok(going.wait().is_leader())
            };
            tokio::spawn(async move { documents.read_long(long).await })
        })
        .collect();
    let all_of_them = going.clone();
    tokio::task::spawn_blocking(move || all_of_them.wait()).await.expect("three go on");
    // A fourth one waits for a turn.
    let keys = DocumentKeys { within: Within::All, pattern: crate::cache::Glob::new("*"), limit: None };
    let documents = house.documents.clone();
    let waiting = tokio::spawn(async move { whole(documents.keys(keys)).await });
    house.set("", [put("k", "v")]).await;
    assert_eq!(house.get("", "k").await.expect("a document").value, "v");
    assert!(!waiting.is_finished());
    tokio::task::spawn_blocking(move || going.wait().is_leader()).await.expect("a task");
    for read in long {
        read.await.expect("a task").expect("a read");
    }
    assert_eq!(waiting.await.expect("a task"), ["k"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_finishes_what_was_asked_before_and_refuses_the_rest() {
    let mut house = House::new();
    let (holding, go) = hold(&house).await;
    let writes: Vec<_> = (0..300)
        .map(|n| {
            let documents = house.documents.clone();
            tokio::spawn(async move { documents.set(Space::default(), vec![put(&format!("k{n}"), "")]).await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let closing = tokio::spawn({
        let documents = house.documents.clone();
        async move { documents.close().await }
    });
    go.send(()).expect("the thread listens");
    closing.await.expect("a task");
    holding.await.expect("held");
    for write in writes {
        write.await.expect("a task").expect("asked before");
    }
    let refused = house.documents.set(Space::default(), vec![put("late", "")]).await.expect_err("closed");
    assert_eq!(*refused.kind(), Kind::Closed);
    assert_eq!(*house.documents.stats().await.expect_err("closed").kind(), Kind::Closed);
    house.documents.close().await;
    // Nothing but the file itself is left.
    let left = std::fs::read_dir(house.path().parent().expect("a directory")).expect("a list").count();
    assert_eq!(left, 1);
    house.reopen().await;
    assert_eq!(house.documents.stats().await.expect("stats").documents, 300);
}

#[tokio::test]
async fn a_commit_that_fails_fails_everybody_in_it_and_the_next_one_works() {
    let house = House::new();
    house.set("", [put("k", "v")]).await;
    let limit = |pages: Option<u32>| {
        move |tx: tx::Tx<'_>| {
            let pages =
                pages.map_or_else(|| tx.pragma_query_value(None, "page_count", |row| row.get::<_, u32>(0)), Ok)?;
            Ok(tx.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
        }
    };
    house.documents.write(limit(None)).await.expect("a limit");
    let documents = &house.documents;
    let full = documents.set(Space::default(), vec![put("large", &"x".repeat(1 << 20))]).await.expect_err("full");
    assert_eq!(*full.kind(), Kind::Full);
    assert_eq!(house.get("", "large").await, None);
    documents.write(limit(Some(1 << 30))).await.expect("a limit");
    house.set("", [put("large", &"x".repeat(1 << 20))]).await;
    assert!(house.get("", "large").await.is_some());
}

#[tokio::test]
async fn the_workers_of_an_engine_purge() {
    let house = House::new();
    let count = |tx: tx::Tx<'_>| Ok(tx.query_row("SELECT count(*) FROM kv", [], |row| row.get::<_, i64>(0))?);
    let purge_every = std::time::Duration::from_secs(60);
    let upkeep = DocumentsUpkeep { documents: house.documents.clone(), purge_every };
    let engine = EngineHouse::with(|options| {
        options.clock = house.clock.clone();
    })
    .await;
    engine.engine.look_after(upkeep);
    house.set("", (0..2500).map(|n| put(&format!("k{n}"), "").living(10))).await;
    house.clock.advance(59_999);
    assert_eq!(house.documents.read(count).await.expect("a count"), 2500);
    // The worker may not sleep yet when the clock first moves.
    while house.documents.read(count).await.expect("a count") > 0 {
        house.clock.advance(60_000);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    engine.engine.close().await.expect("closed");
}

/// With readers that come and go without a gap SQLite never starts its log over by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_make_the_log_grow_for_ever() {
    let house = House::at(Level::Os);
    house.set("", [put("k", "v")]).await;
    let documents = house.documents.clone();
    let reading = tokio::spawn(async move {
        let mut before = None;
        loop {
            let (go, held) = mpsc::channel::<()>();
            let (begun, begins) = tokio::sync::oneshot::channel();
            let look = move |tx: tx::Tx<'_>| {
                get::one(tx, &Space::default(), "k")?;
                begun.send(()).expect("somebody waits");
                // Until the next one has begun.
                held.recv().ok();
                Ok(())
            };
            let documents = documents.clone();
            tokio::spawn(async move { documents.read(look).await });
            begins.await.expect("a read");
            drop(before.replace(go));
            // Many commits long, or the log would be started over between two of them by chance.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    // SQLite writes no page that stays as it was.
    let large = ["x", "y", "z"].map(|text| text.repeat(256 << 10));
    let mut longest = 0;
    for n in 0..600 {
        house.set("", [put(&format!("large{}", n % 20), &large[n % 3])]).await;
        let log = house.path().with_extension("db-wal");
        longest = longest.max(std::fs::metadata(log).expect("a log").len());
    }
    reading.abort();
    assert!(longest < 3 * log::LOG_BYTES, "the log had {} MiB", longest >> 20);
}
