//! Reads that share threads, connections and cuts.

use std::sync::mpsc;

use tokio::sync::oneshot;

use super::*;
use crate::{Error, Kind, Result};

/// Looks that wait where all connections for short ones are held until told.
async fn hold_all(house: &House) -> Vec<(tokio::task::JoinHandle<Result<()>>, mpsc::Sender<()>)> {
    let mut held = Vec::new();
    for _ in 0..readers::FOR_SHORT {
        let (go, wait) = mpsc::channel();
        let (begun, begins) = oneshot::channel();
        let documents = house.documents.clone();
        let look = move |tx: tx::Tx<'_>| {
            // From here on the cut is made.
            get::one(tx, &Space::default(), "k")?;
            begun.send(()).expect("somebody waits");
            wait.recv().ok();
            Ok(())
        };
        let holding = tokio::spawn(async move { documents.read(look).await });
        begins.await.expect("a look begins");
        held.push((holding, go));
    }
    held
}

async fn go_on(held: Vec<(tokio::task::JoinHandle<Result<()>>, mpsc::Sender<()>)>) {
    for (holding, go) in held {
        drop(go);
        holding.await.expect("a task").expect("a look");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_what_was_written_before_it_was_asked_for_though_it_waits_behind_older_cuts() {
    let house = House::new();
    house.set("", [put("k", "before")]).await;
    let held = hold_all(&house).await;
    house.set("", [put("k", "after")]).await;
    let reads: Vec<_> = (0..100)
        .map(|_| {
            let documents = house.documents.clone();
            tokio::spawn(async move { documents.get(Space::default(), "k".to_owned()).await })
        })
        .collect();
    go_on(held).await;
    for read in reads {
        assert_eq!(read.await.expect("a task").expect("a read").expect("a document").value, "after");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_fails_takes_no_other_with_it() {
    let house = House::new();
    house.set("", [put("k", "v")]).await;
    let held = hold_all(&house).await;
    let look = |outcome: Option<Kind>| {
        let documents = house.documents.clone();
        tokio::spawn(async move {
            let look = move |tx: tx::Tx<'_>| match outcome {
                None => Ok(get::one(tx, &Space::default(), "k")?.is_some()),
                Some(Kind::Bug) => panic!("a defect"),
                // The cut is lost, as by an interrupt.
                Some(Kind::Closed) => tx::execute(&tx, "ROLLBACK").map(|()| false),
                Some(kind) => Err(Error::new(kind, "refused")),
            };
            documents.read(look).await
        })
    };
    let outcomes = [None, Some(Kind::Bug), None, Some(Kind::Closed), None, Some(Kind::Busy), None];
    let looks: Vec<_> = outcomes.into_iter().cycle().take(70).map(|outcome| (outcome.clone(), look(outcome))).collect();
    go_on(held).await;
    for (outcome, look) in looks {
        match (outcome, look.await.expect("a task")) {
            (None, found) => assert!(found.expect("a look")),
            (Some(Kind::Closed), lost) => assert!(!lost.expect("a look")),
            (Some(kind), refused) => assert_eq!(*refused.expect_err("refused").kind(), kind),
        }
    }
    // And all connections are there.
    go_on(hold_all(&house).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_read_when_the_database_closes_is_told_so() {
    let house = House::new();
    let held = hold_all(&house).await;
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let documents = house.documents.clone();
            tokio::spawn(async move { documents.get(Space::default(), "k".to_owned()).await })
        })
        .collect();
    let documents = house.documents.clone();
    let closing = tokio::spawn(async move { documents.close().await });
    for read in waiting {
        assert_eq!(*read.await.expect("a task").expect_err("closed").kind(), Kind::Closed);
    }
    assert!(!closing.is_finished(), "looks are under way");
    for (holding, go) in held {
        drop(go);
        holding.await.expect("a task").expect("a look that holds no statement is not interrupted");
    }
    closing.await.expect("a task");
    let refused = house.documents.get(Space::default(), "k".to_owned()).await.expect_err("closed");
    assert_eq!(*refused.kind(), Kind::Closed);
}

#[tokio::test]
async fn tags_that_stay_stay_and_others_are_replaced() {
    let house = House::new();
    let tagged = |tags: &[&str]| DocumentSet {
        key: "k".to_owned(),
        value: "v".to_owned(),
        ttl_ms: 0,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let steps: [(&[&str], &[&str]); 8] = [
        (&["b", "a"], &["a", "b"]),
        (&["a", "b", "a"], &["a", "b"]),
        (&["a"], &["a"]),
        (&["a", "ä"], &["a", "ä"]),
        (&["ä", "b"], &["b", "ä"]),
        (&["b", "c"], &["b", "c"]),
        (&[], &[]),
        (&["c"], &["c"]),
    ];
    for (given, kept) in steps {
        house.set("", [tagged(given)]).await;
        assert_eq!(house.get("", "k").await.expect("a document").tags, kept, "{given:?}");
    }
}
