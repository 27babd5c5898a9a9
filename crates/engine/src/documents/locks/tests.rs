use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use super::*;
use crate::{
    Clock,
    documents::{DocumentsOptions, DocumentsUpkeep},
    tests::{self, START, cases},
};

mod model;

struct House {
    dir: TempDir,
    clock: Clock,
    documents: Documents,
    locks: Locks,
}

impl House {
    async fn new() -> House {
        House::open(tempfile::tempdir().unwrap(), Clock::manual(START)).await
    }

    async fn open(dir: TempDir, clock: Clock) -> House {
        let options = DocumentsOptions { level: manifold_store::Level::Os, clock: clock.clone() };
        let documents = Documents::open(&dir.path().join("documents.db"), options).unwrap();
        let locks = Locks::open(documents.clone()).await.unwrap();
        House { dir, clock, documents, locks }
    }

    async fn restarted(self) -> House {
        self.documents.close().await;
        House::open(self.dir, self.clock).await
    }

    async fn acquire(&self, key: &str, owner: &str, ttl_ms: u64) -> Option<Lock> {
        self.locks.acquire(key, owner, ttl_ms).await.unwrap()
    }

    async fn rows(&self) -> u64 {
        let count =
            self.documents.read(|tx| Ok(tx.query_row("SELECT count(*) FROM manifold_locks", [], |row| row.get(0))?));
        count.await.map(i64::unsigned_abs).unwrap()
    }
}

#[tokio::test]
async fn a_lock_is_held_by_one_owner_until_its_deadline() {
    let house = House::new().await;
    let lock = house.acquire("k", "ann", 100).await.unwrap();
    assert_eq!((lock.acquired_at, lock.expires_at.0, lock.ttl_ms), (START, START.0 + 100, 100));
    assert_eq!(house.acquire("k", "ben", 100).await, None);
    assert_eq!(house.acquire("k", "ann", 100).await, None, "nor by the same owner twice");
    assert_eq!(house.locks.get("k").await.unwrap(), Some(lock.clone()));
    house.clock.advance(99);
    assert_eq!(house.acquire("k", "ben", 100).await, None);
    house.clock.advance(1);
    assert_eq!((house.locks.get("k").await.unwrap(), house.locks.count().await.unwrap()), (None, 0));
    assert!(house.acquire("k", "ben", 100).await.unwrap().token > lock.token);
}

#[tokio::test]
async fn only_its_owner_releases_and_extends_a_lock() {
    let house = House::new().await;
    let lock = house.acquire("k", "ann", 100).await.unwrap();
    assert!(!house.locks.release("k", "ben").await.unwrap());
    assert_eq!(house.locks.extend("k", "ben", 100).await.unwrap(), None);
    house.clock.advance(50);
    let extended = house.locks.extend("k", "ann", 80).await.unwrap().unwrap();
    assert_eq!(extended, Lock { expires_at: Timestamp(START.0 + 130), ttl_ms: 80, ..lock });
    assert_eq!(house.locks.get("k").await.unwrap(), Some(extended));
    assert!(house.locks.release("k", "ann").await.unwrap());
    assert!(!house.locks.release("k", "ann").await.unwrap());
    assert_eq!(house.locks.extend("k", "ann", 80).await.unwrap(), None);
}

#[tokio::test]
async fn a_lock_that_ended_can_be_neither_released_nor_extended_nor_broken() {
    let house = House::new().await;
    house.acquire("k", "ann", 10).await.unwrap();
    house.clock.advance(10);
    assert_eq!(house.locks.extend("k", "ann", 80).await.unwrap(), None);
    assert!(!house.locks.release("k", "ann").await.unwrap());
    assert!(!house.locks.break_lock("k").await.unwrap());
}

#[tokio::test]
async fn no_lock_is_given_for_long() {
    let house = House::new().await;
    assert_eq!(house.acquire("k", "ann", u64::MAX).await.unwrap().expires_at.0, START.0 + MAX_LOCK_MS);
    house.clock.advance(1);
    let extended = house.locks.extend("k", "ann", MAX_LOCK_MS + 1).await.unwrap().unwrap();
    assert_eq!((extended.expires_at.0, extended.ttl_ms), (START.0 + 1 + MAX_LOCK_MS, MAX_LOCK_MS));
}

#[tokio::test]
async fn nothing_is_left_of_locks_that_ended() {
    let house = House::new().await;
    for n in 0..100 {
        house.acquire(&format!("k{n}"), "ann", 10).await.unwrap();
    }
    house.clock.advance(10);
    assert_eq!(house.rows().await, 100);
    house.acquire("k0", "ann", 10).await.unwrap();
    assert_eq!(house.rows().await, 100, "one takes the place of what ended under its key");
    house.clock.advance(10);
    house.documents.write(purge).await.unwrap();
    assert_eq!(house.rows().await, 0);
}

#[tokio::test]
async fn the_purge_of_documents_removes_what_is_left_of_locks() {
    let house = House::new().await;
    let engine = tests::House::with(|options| options.clock = house.clock.clone()).await;
    let purge_every = Duration::from_secs(60);
    engine.look_after(DocumentsUpkeep { documents: house.documents.clone(), purge_every });
    house.acquire("k", "ann", 10).await.unwrap();
    let purged = async {
        while house.rows().await > 0 {
            house.clock.advance(60_000);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), purged).await.unwrap();
}

#[tokio::test]
async fn a_new_file_gives_higher_tokens_than_the_one_before() {
    let house = House::new().await;
    let clock = house.clock.clone();
    let before = house.acquire("k", "ann", 10).await.unwrap();
    clock.advance(1);
    let house = House::open(tempfile::tempdir().unwrap(), clock).await;
    let token = house.acquire("k", "ann", 10).await.unwrap().token;
    assert!(token > before.token, "{token} {}", before.token);
    assert!(token < 1 << 53, "every JSON reader keeps it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_in_and_its_token_is_the_highest_so_far() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    };
    let house = Arc::new(House::new().await);
    let (inside, highest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (house, inside, highest) = (house.clone(), inside.clone(), highest.clone());
            tokio::spawn(async move {
                let (owner, mut entered) = (format!("owner{n}"), 0);
                while entered < 20 {
                    let Some(lock) = house.acquire("k", &owner, 1000).await else { continue };
                    assert!(!inside.swap(true, SeqCst), "two are in");
                    assert!(highest.swap(lock.token, SeqCst) < lock.token);
                    inside.store(false, SeqCst);
                    assert!(house.locks.release("k", &owner).await.unwrap());
                    entered += 1;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
