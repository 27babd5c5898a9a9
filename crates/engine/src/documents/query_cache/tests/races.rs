//! Readers who fill memory from rows while somebody changes them.

use std::sync::atomic::AtomicBool;

use super::*;

/// Keys, each with one task that changes it; more than memory holds, so rows are read all the time.
const KEYS: u64 = 4;
const ROUNDS: u64 = 150;

async fn change(house: Arc<House>, key: String) {
    for round in 0..ROUNDS {
        house.put(&key, round, &["all", &key]).await.unwrap();
        assert_eq!(house.get(&key).await, Some(round), "{key} after a put");
        match round % 3 {
            0 => assert_eq!(house.invalidate(&[&key], None).await, 1, "{key}"),
            1 => assert_eq!(house.invalidate(&[], Some(&key)).await, 1, "{key}"),
            _ => continue,
        }
        assert_eq!(house.get(&key).await, None, "{key} after an invalidation");
    }
}

async fn read(house: Arc<House>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        for n in 0..KEYS {
            house.get(&format!("k{n}")).await;
        }
    }
}

/// A reader has read the row of a key when `change` happens, and gives it to memory only then.
async fn fill_late(change: impl AsyncFnOnce(&House)) -> House {
    let house = House::new(10);
    house.put("k", 1, &["t"]).await.unwrap();
    house.cache.0.memory.sweep_all();
    let memory = &house.cache.0.memory;
    let seen = memory.seen("k");
    let row = house.documents.read(|tx| rows::find(tx, "k")).await.unwrap().unwrap();
    change(&house).await;
    memory.fill("k", seen, &row);
    house
}

#[tokio::test]
async fn a_row_that_was_read_before_its_removal_does_not_fill_memory() {
    let house = fill_late(async |house| assert_eq!(house.invalidate(&["t"], None).await, 1)).await;
    assert_eq!(house.get("k").await, None);
    let house = fill_late(async |house| assert_eq!(house.invalidate(&[], Some("k")).await, 1)).await;
    assert_eq!(house.get("k").await, None);
    let house = fill_late(async |house| house.cache.clear().await.unwrap()).await;
    assert_eq!(house.get("k").await, None);
    let house = fill_late(async |house| house.put("k", 2, &[]).await.unwrap()).await;
    assert_eq!(house.get("k").await, Some(2));
    let house = fill_late(async |_| ()).await;
    house.execute("DELETE FROM kv").await;
    assert_eq!(house.get("k").await, Some(1), "without a change memory has it");
}

#[tokio::test]
async fn a_row_does_not_fill_memory_while_a_put_is_under_way() {
    let house = House::new(10);
    house.put("k", 1, &[]).await.unwrap();
    let put = house.put("k", 2, &[]);
    house.cache.0.memory.sweep_all();
    assert_eq!(house.get("k").await, Some(1), "from the row");
    put.await.unwrap();
    assert_eq!(house.get("k").await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_removed_does_not_come_back_by_a_reader() {
    let house = Arc::new(House::new(2));
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..6).map(|_| tokio::spawn(read(house.clone(), stop.clone()))).collect();
    let changers: Vec<_> = (0..KEYS).map(|n| tokio::spawn(change(house.clone(), format!("k{n}")))).collect();
    for changer in changers {
        changer.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(house.cache.0.memory.pending_for_tests(), 0);
}
