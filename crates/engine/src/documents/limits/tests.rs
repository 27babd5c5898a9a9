use super::*;
use crate::{Clock, documents::DocumentsOptions, tests::START};

fn opened(dir: &tempfile::TempDir) -> Documents {
    let options = DocumentsOptions { level: manifold_store::Level::Os, clock: Clock::manual(START) };
    Documents::open(&dir.path().join("documents.db"), options).unwrap()
}

const FEW: RequestLimit = RequestLimit { max_requests: 5, window_ms: 1000 };
const MANY: RequestLimit = RequestLimit { max_requests: (1 << 53) - 1, window_ms: 1 };

#[tokio::test]
async fn limits_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let documents = opened(&dir);
    let limits = RequestLimits::open(documents.clone()).await.unwrap();
    for (namespace, limit) in [("b", FEW), ("a", FEW), ("é", MANY), ("b", MANY)] {
        limits.set(namespace, limit).await.unwrap();
    }
    assert!(limits.remove("a").await.unwrap() && !limits.remove("a").await.unwrap());
    let wanted = vec![("b".to_owned(), MANY), ("é".to_owned(), MANY)];
    assert_eq!((limits.list(), limits.get("a"), limits.get("b")), (wanted.clone(), None, Some(MANY)));
    documents.close().await;
    let limits = RequestLimits::open(opened(&dir)).await.unwrap();
    assert_eq!(limits.list(), wanted);
}

#[tokio::test]
async fn memory_says_what_rows_say_after_changes_of_many() {
    let dir = tempfile::tempdir().unwrap();
    let documents = opened(&dir);
    let limits = RequestLimits::open(documents.clone()).await.unwrap();
    let changes = (1..=40).map(|n| {
        let limits = limits.clone();
        tokio::spawn(async move {
            let change = limits.set("n", RequestLimit { max_requests: n, window_ms: 1 });
            if n % 3 == 0 {
                // Whoever asked goes away.
                tokio::time::timeout(std::time::Duration::ZERO, change).await.ok();
            } else {
                change.await.unwrap();
            }
        })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap();
    }
    // The last in line: those that nobody waits for are done before it.
    limits.set("last", FEW).await.unwrap();
    assert_eq!(documents.read(load).await.unwrap().into_iter().collect::<Vec<_>>(), limits.list());
}
