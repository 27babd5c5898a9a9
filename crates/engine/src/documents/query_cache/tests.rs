use std::future::Future;

use proptest::{collection::vec, prelude::*};
use rusqlite::params;
use tempfile::TempDir;

use super::*;
use crate::{
    Kind, Timestamp,
    documents::DocumentsOptions,
    tests::{START, cases},
};

mod model;
mod races;

/// A cache on a file of its own.
struct House {
    dir: TempDir,
    clock: Clock,
    documents: Documents,
    cache: QueryCache,
}

impl House {
    /// With room for `entries` in memory.
    fn new(entries: usize) -> House {
        House::open(tempfile::tempdir().unwrap(), Clock::manual(START), entries)
    }

    fn open(dir: TempDir, clock: Clock, entries: usize) -> House {
        let options = DocumentsOptions { level: manifold_store::Level::Os, clock: clock.clone() };
        let documents = Documents::open(&dir.path().join("documents.db"), options).unwrap();
        let cache = QueryCache::new(documents.clone(), entries, clock.clone());
        House { dir, clock, documents, cache }
    }

    async fn restarted(self, entries: usize) -> House {
        self.documents.close().await;
        House::open(self.dir, self.clock, entries)
    }

    /// Stores a number that never ends.
    fn put(&self, key: &str, data: u64, tags: &[&str]) -> impl Future<Output = Result<()>> + Send + use<> {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self.cache.put(key, data.to_string().into(), tags, None)
    }

    async fn get(&self, key: &str) -> Option<u64> {
        let cached = self.cache.get(key).await.unwrap()?;
        Some(std::str::from_utf8(&cached.data).unwrap().parse().unwrap())
    }

    async fn invalidate(&self, tags: &[&str], key: Option<&str>) -> u64 {
        let tags: Vec<_> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self.cache.invalidate(&tags, key).await.unwrap()
    }

    async fn execute(&self, statement: &'static str) {
        self.documents.write(move |tx| Ok(tx.execute_batch(statement)?)).await.unwrap();
    }
}

#[tokio::test]
async fn both_levels_and_a_restart_give_the_same() {
    let house = House::new(10);
    let tags: Vec<String> = ["b", "a", "b", "", "\u{0}\u{1f600}"].map(str::to_owned).into();
    let data = Bytes::from(r#"{"z":1.50,"a":[1e400, "\ud800\u0000"]}"#);
    house.cache.put("k\u{0}é", data.clone(), tags.clone(), Some(1000)).await.unwrap();
    let wanted = Cached { data, tags, stored_at: START };
    assert_eq!(house.cache.get("k\u{0}é").await.unwrap().unwrap(), wanted);

    let house = house.restarted(1).await;
    house.clock.advance(999);
    assert_eq!(house.cache.get("k\u{0}é").await.unwrap().unwrap(), wanted, "from its row");
    assert_eq!(house.cache.get("k\u{0}é").await.unwrap().unwrap(), wanted, "from memory again");
    house.clock.advance(1);
    assert_eq!(house.cache.get("k\u{0}é").await.unwrap(), None);
    assert_eq!(house.restarted(1).await.cache.get("k\u{0}é").await.unwrap(), None);
}

#[tokio::test]
async fn what_memory_has_no_room_for_is_read_from_its_row() {
    let house = House::new(2);
    for n in 0..10 {
        house.put(&format!("k{n}"), n, &[]).await.unwrap();
    }
    for n in 0..10 {
        assert_eq!(house.get(&format!("k{n}")).await, Some(n));
    }
    let stats = house.cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.hits, stats.misses), (10, 10, 0));
}

#[tokio::test]
async fn an_invalidation_is_complete_and_counts_each_live_entry_once() {
    let house = House::new(50);
    for n in 0..300 {
        let tag = if n % 3 == 0 { "third" } else { "other" };
        house.put(&format!("k{n}"), n, &["all", tag]).await.unwrap();
    }
    house.cache.put("short", "0".into(), vec!["third".into()], Some(5)).await.unwrap();
    house.clock.advance(5);
    assert_eq!(house.invalidate(&["third", "third", "unknown"], Some("k0")).await, 100);
    assert_eq!(house.invalidate(&[], Some("k1")).await, 1);
    assert_eq!(house.invalidate(&[], Some("k1")).await, 0);
    assert_eq!((house.get("k0").await, house.get("k1").await, house.get("k2").await), (None, None, Some(2)));
    assert_eq!(house.invalidate(&["all", "other"], None).await, 199);
    let stats = house.cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.invalidations), (0, 300));
    let house = house.restarted(50).await;
    for n in 0..300 {
        assert_eq!(house.get(&format!("k{n}")).await, None);
    }
}

#[tokio::test]
async fn a_cleared_cache_is_empty_on_both_levels() {
    let house = House::new(2);
    for n in 0..5 {
        house.put(&format!("k{n}"), n, &["t"]).await.unwrap();
    }
    house.cache.clear().await.unwrap();
    assert_eq!((house.get("k0").await, house.get("k4").await), (None, None));
    assert_eq!(house.cache.stats().await.unwrap().invalidations, 0);
    assert_eq!(house.invalidate(&["t"], None).await, 0);
    assert_eq!(house.restarted(2).await.get("k4").await, None);
}

#[tokio::test]
async fn a_put_shows_before_it_is_durable_and_an_invalidation_takes_it_away_for_good() {
    let house = House::new(10);
    let put = house.put("k", 1, &["t"]);
    assert_eq!(house.get("k").await, Some(1));
    assert_eq!(house.invalidate(&["t"], None).await, 1);
    assert_eq!(house.get("k").await, None);
    put.await.unwrap();
    assert_eq!(house.get("k").await, None);
    assert_eq!(house.restarted(10).await.get("k").await, None);
}

#[tokio::test]
async fn a_clear_takes_pending_puts_away_too() {
    let house = House::new(10);
    let put = house.put("k", 1, &[]);
    house.cache.clear().await.unwrap();
    put.await.unwrap();
    assert_eq!(house.get("k").await, None);
}

#[tokio::test]
async fn an_invalidation_that_does_not_concern_the_pending_put_leaves_it() {
    let house = House::new(10);
    house.put("k", 1, &["old"]).await.unwrap();
    let put = house.put("k", 2, &["new"]);
    assert_eq!(house.invalidate(&["old"], None).await, 0);
    assert_eq!(house.get("k").await, Some(2));
    put.await.unwrap();
    assert_eq!(house.restarted(10).await.get("k").await, Some(2));
}

#[tokio::test]
async fn of_two_puts_the_later_one_stays_whichever_is_written_first() {
    let house = House::new(10);
    let (first, second) = (house.put("k", 1, &["first"]), house.put("k", 2, &["second"]));
    second.await.unwrap();
    first.await.unwrap();
    assert_eq!(house.get("k").await, Some(2));
    let house = house.restarted(10).await;
    assert_eq!(house.get("k").await, Some(2));
    assert_eq!(house.invalidate(&["first"], None).await, 0);
}

#[tokio::test]
async fn a_put_that_nobody_waited_for_is_forgotten() {
    let house = House::new(10);
    house.put("k", 1, &[]).await.unwrap();
    drop(house.put("k", 2, &[]));
    assert_eq!(house.get("k").await, Some(1));
    let (kept, dropped) = (house.put("k", 3, &[]), house.put("k", 4, &[]));
    drop(dropped);
    kept.await.unwrap();
    assert_eq!(house.get("k").await, Some(3));
}

#[tokio::test]
async fn a_put_that_failed_does_not_show() {
    let house = House::new(10);
    house.put("k", 1, &[]).await.unwrap();
    house.execute("ALTER TABLE kv_tags RENAME TO away").await;
    assert_eq!(*house.put("k", 2, &["t"]).await.unwrap_err().kind(), Kind::Storage);
    house.execute("ALTER TABLE away RENAME TO kv_tags").await;
    assert_eq!(house.get("k").await, Some(1));
    house.put("k", 3, &["t"]).await.unwrap();
    assert_eq!(house.restarted(10).await.get("k").await, Some(3));
}

#[tokio::test]
async fn rows_of_others_are_read_when_they_fit() {
    let house = House::new(10);
    let rows = [
        ("fits", r#"{ "data": {"a": [1.0]}, "tags":["t"], "storedAt": 5, "more": 1 }"#, Some(START.0 as f64 + 0.5)),
        ("text", "text", None),
        ("no data", r#"{"tags":[],"storedAt":5}"#, None),
        ("no tags", r#"{"data":1,"storedAt":5}"#, None),
        ("other tags", r#"{"data":1,"tags":[1],"storedAt":5}"#, None),
        ("no time", r#"{"data":1,"tags":[]}"#, None),
    ];
    for (key, value, expires_at) in rows {
        let write = house.documents.write(move |tx| {
            let row = params![key, value, expires_at];
            tx.execute("INSERT INTO kv VALUES (?1, '__qcache__', ?2, 5, 5, ?3)", row)?;
            Ok(tx.execute("INSERT INTO kv_tags VALUES ('__qcache__', ?1, 't')", [key])?)
        });
        write.await.unwrap();
    }
    let fits = Cached { data: r#"{"a": [1.0]}"#.into(), tags: vec!["t".into()], stored_at: Timestamp(5) };
    assert_eq!(house.cache.get("fits").await.unwrap(), Some(fits));
    for (key, ..) in &rows[1..] {
        assert_eq!(house.cache.get(key).await.unwrap(), None, "{key}");
    }
    assert_eq!(house.invalidate(&["t"], None).await, 6);
}

#[tokio::test]
async fn rows_are_bounded_and_those_written_first_go() {
    let mut house = House::new(100);
    Arc::get_mut(&mut house.cache.0).unwrap().rows.most = 10;
    for n in 0..10 {
        house.put(&format!("k{n}"), n, &["t"]).await.unwrap();
    }
    house.put("k0", 0, &["t"]).await.unwrap();
    assert_eq!(house.cache.stats().await.unwrap().entries, 10);
    house.put("k10", 10, &["t"]).await.unwrap();
    assert_eq!(house.cache.stats().await.unwrap().entries, 5);
    assert_eq!((house.get("k1").await, house.get("k6").await), (None, None), "nor does memory have them");
    assert_eq!((house.get("k0").await, house.get("k7").await), (Some(0), Some(7)));
    assert_eq!(house.invalidate(&["t"], None).await, 5);
}

#[tokio::test]
async fn an_entry_that_is_written_again_has_its_new_tags_only() {
    let house = House::new(10);
    house.put("k", 1, &["old", "stays"]).await.unwrap();
    house.put("k", 2, &["stays", "new", "new"]).await.unwrap();
    assert_eq!(house.invalidate(&["old"], None).await, 0);
    assert_eq!(house.get("k").await, Some(2));
    assert_eq!(house.invalidate(&["new"], None).await, 1);
    let left =
        house.documents.write(|tx| Ok(tx.query_row("SELECT count(*) FROM kv_tags", [], |row| row.get::<_, i64>(0))?));
    assert_eq!(left.await.unwrap(), 0);
}

#[tokio::test]
async fn behind_the_highest_number_rows_are_written_too() {
    let house = House::new(10);
    house.put("k", 1, &[]).await.unwrap();
    house.execute("UPDATE kv SET rowid = 9223372036854775807").await;
    house.put("k", 2, &["t"]).await.unwrap();
    house.put("other", 3, &[]).await.unwrap();
    house.put("other", 4, &[]).await.unwrap();
    let house = house.restarted(10).await;
    assert_eq!((house.get("k").await, house.get("other").await), (Some(2), Some(4)));
}

#[tokio::test]
async fn nothing_is_left_of_puts_that_are_over() {
    let house = House::new(10);
    let puts: Vec<_> = (0..20).map(|n| house.put(&format!("k{}", n % 7), n, &["t"])).collect();
    assert_eq!(house.cache.0.memory.pending_for_tests(), 7);
    for put in puts {
        put.await.unwrap();
    }
    assert_eq!(house.cache.0.memory.pending_for_tests(), 0);
}
