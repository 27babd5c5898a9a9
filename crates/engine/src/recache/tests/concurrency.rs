//! Many callers at once, and callers that go away.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use super::*;
use crate::{Engine, keys};

/// Entries of all producers.
const ENTRIES: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_entry_is_leased_twice_and_none_is_lost() {
    let house = House::new().await;
    let finished = Arc::new(AtomicU64::new(0));
    let mut producers = tokio::task::JoinSet::new();
    let mut consumers = tokio::task::JoinSet::new();
    for number in 0..4 {
        producers.spawn(produce(house.engine.clone(), number));
        consumers.spawn(consume(house.engine.clone(), finished.clone()));
    }
    producers.join_all().await;
    let taken: Vec<String> = consumers.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<&String> = taken.iter().collect();
    assert_eq!((taken.len() as u64, distinct.len() as u64), (ENTRIES, ENTRIES));
    assert_eq!(house.recache_depths(&HOSTS, 1).await.expect("depths"), [[Depth::default(); 3]; 2]);
}

const HOSTS: [HostId; 2] = [HostId(0), HostId(1)];

async fn produce(engine: Engine, producer: u64) {
    for number in 0..20 {
        let entries = (0..5).map(|part| entry(&format!("{producer}-{number}-{part}"), 1)).collect();
        let host = HOSTS[producer as usize % 2];
        engine.recache_enqueue(Enqueue { host, entries, ..high(&[], 1) }).await.expect("enqueue");
    }
}

/// Takes, gives some back and finishes the rest, until everything is finished by somebody.
async fn consume(engine: Engine, finished: Arc<AtomicU64>) -> Vec<String> {
    let pulls = [HOSTS[1], HOSTS[0]].map(|host| Pull { host, ..from_high(3) });
    let mut taken = Vec::new();
    while finished.load(Ordering::Relaxed) < ENTRIES {
        let pulled = engine.recache_pull(&pulls, 1).await.expect("pull");
        let leases: Vec<Lease> = pulled.into_iter().flat_map(|pulled| pulled.leases).collect();
        let (back, done): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| lease.id % 7 == 0);
        engine.recache_give_back(&back).await.expect("given back");
        engine.recache_finish(&done).await.expect("finished");
        finished.fetch_add(done.len() as u64, Ordering::Relaxed);
        taken.extend(done.iter().map(|lease| short(&lease.entry)));
        tokio::task::yield_now().await;
    }
    taken
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing() {
    let house = House::new().await;
    house.enqueue(high(&["a", "b"], 10)).await;
    house.disk.hold_syncs(true);
    {
        let pulls = [from_high(1)];
        let mut pull = std::pin::pin!(house.recache_pull(&pulls, 10));
        // It has decided then, and waits for the disk.
        assert!(poll_once(pull.as_mut()).is_pending());
        assert_eq!(house.opened().expect("open").store.rows(keys::RECACHE_LEASE), 1);
    }
    house.disk.hold_syncs(false);
    assert_eq!(house.queued().await, pairs(&[("a", 10), ("b", 10)]));
    assert_eq!(house.pull(1, 10).await[0].entry, entry("a", 1));
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}
