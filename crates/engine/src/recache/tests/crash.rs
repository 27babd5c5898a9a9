//! A script of verbs, crashed at every call to the disk. Whatever the disk kept, the state is the one after the verb that
//! was answered last, or after the one that was not answered any more: an entry is queued or leased, never neither.

use manifold_store::disk::{Fault, Reboot, SimDisk};

use super::*;
use crate::{Clock, Engine, Options, Result};

/// Everything there is: what waits, what was leased and how it goes back, dead letters, records, files for removal.
type Seen = (Vec<(String, Priority, u64)>, Vec<(String, u64, u32)>, Vec<String>, Vec<(u64, String)>, Vec<String>);

async fn look(engine: &Engine) -> Seen {
    let (queued, _) = engine.recache_queued(HOST, &Priority::ALL, 0, 100).await.expect("queued");
    let (letters, _) = engine.recache_failed(HOST, 0, 100).await.expect("failed");
    let (records, _) = engine.recache_records(HOST, None, 100).await.expect("records");
    (
        queued.iter().map(|queued| (short(&queued.entry), queued.priority, queued.due)).collect(),
        leased(engine),
        letters.iter().map(|letter| format!("{} {}", short(&letter.entry), letter.reason)).collect(),
        records.into_iter().map(|(key, record)| (key.hash, record.file_path)).collect(),
        engine.recache_removable_files(u64::MAX, 100).await.expect("files"),
    )
}

/// The rows of leases: what of, when it would be due again, how often it failed.
fn leased(engine: &Engine) -> Vec<(String, u64, u32)> {
    let all = manifold_store::Range { from: Vec::new(), to: None, limit: 100, reverse: false };
    let store = &engine.opened().expect("open").store;
    let rows = store.range(manifold_store::View::Durable, crate::keys::RECACHE_LEASE, &all).rows;
    let read = |(key, row): &(bytes::Bytes, manifold_store::Row)| {
        let rows::Leased { lease, ready_at } = rows::Leased::read(key, row).expect("a lease");
        (short(&lease.entry), ready_at.unwrap_or(lease.due), lease.attempts)
    };
    rows.iter().map(read).collect()
}

/// Verbs in a fixed order; each that was answered is told to `after`, until one is refused.
async fn script(engine: &Engine, mut after: impl AsyncFnMut()) -> Result<()> {
    let key = |hash| PageKey { host: HOST, dimension: DimensionId(1), hash };
    let record = |path: &str| Record { file_path: path.to_owned(), ..Record::default() };
    let many: Vec<Entry> = (0..20).map(|number| entry(&format!("{number:03}"), 1)).collect();
    engine.recache_enqueue(Enqueue { entries: many, ..high(&[], 50) }).await?;
    after().await;
    engine.recache_enqueue(high(&["a", "b", "c", "d", "e", "f"], 10)).await?;
    after().await;
    let leases = engine.recache_pull(&[from_high(6)], 10).await?.remove(0).leases;
    after().await;
    engine.recache_finish(&leases[..1]).await?;
    after().await;
    engine.recache_wait_for_retry(&leases[1], 1, 99).await?;
    after().await;
    for lease in &leases[2..4] {
        engine.recache_bury(lease, letter_of(lease, "why"), 1).await?;
        after().await;
    }
    engine.recache_enqueue(high(&["e"], 70)).await?;
    after().await;
    engine.recache_give_back(&leases[4..]).await?;
    after().await;
    engine.recache_retry_failed(HOST, 20, 0).await?;
    after().await;
    for (hash, path) in [(1, "one"), (2, "two"), (1, "three")] {
        engine.recache_store_record(key(hash), &record(path), NOW + 500).await?;
        after().await;
    }
    let hit = BotHit { key: key(2), entry: entry("two", 1), at: NOW, due: NOW + 9, most: 0 };
    engine.recache_bot_hit(&hit).await?;
    after().await;
    engine.recache_forget(&[key(1), key(2)], NOW).await?;
    after().await;
    engine.recache_files_removed(&["two".to_owned()]).await?;
    after().await;
    engine.recache_purge(HOST, &[Priority::High]).await?;
    after().await;
    Ok(())
}

fn options() -> Options {
    Options { clock: Clock::manual(START), ..Options::new("/data") }
}

#[tokio::test]
async fn a_machine_that_stops_at_any_call_keeps_what_was_acknowledged() {
    let house = House::new().await;
    let mut states = vec![look(&house.engine).await];
    script(&house.engine, async || states.push(look(&house.engine).await)).await.expect("no fault");
    assert_eq!(states.len(), 18);
    let house = House::new().await;
    let opened = house.disk.calls();
    script(&house.engine, async || {}).await.expect("no fault");
    let calls = house.disk.calls();
    for call in opened + 1..=calls {
        for (fault, how) in
            [(Fault::Crash, Reboot::Lost), (Fault::Crash, Reboot::Kept), (Fault::Tear, Reboot::Mixed(call))]
        {
            let mut house = House::on(SimDisk::new(), options()).await;
            house.disk.fault_at(call, fault);
            let mut acknowledged = 0;
            if script(&house.engine, async || acknowledged += 1).await.is_ok() {
                continue;
            }
            house.crash(how).await;
            let found = look(&house.engine).await;
            let told = &states[acknowledged..states.len().min(acknowledged + 2)];
            assert!(told.contains(&found), "call {call}, {how:?}: {found:?} is neither of {told:?}");
            let leased = found.1.len() as u64;
            assert_eq!(house.recache_recover().await.expect("recovers"), leased);
            let queued = house.all_queued().await;
            assert!(found.1.iter().all(|(url, ..)| queued.iter().any(|(queued, ..)| queued == url)));
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_entries_lets_work_end_and_heals() {
    let house = House::new().await;
    house.enqueue(high(&["a", "b"], 10)).await;
    let leases = house.pull(2, 10).await;
    house.disk.set_capacity(Some(house.disk.used()));
    let mut queued = 0u64;
    let refusal = loop {
        let long = "x".repeat(2000);
        match house.recache_enqueue(high(&[&format!("{queued}{long}")], 20)).await {
            Ok(()) => queued += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refusal.kind(), &Kind::Full, "another kind than that of a queue that is full");
    assert_eq!(house.depth(20).await.total, queued);
    house.recache_finish(&leases).await.expect("finished");
    assert_eq!(leased(&house.engine), []);
    house.disk.set_capacity(None);
    house.enqueue(high(&["c"], 10)).await;
    assert_eq!(house.pull(1, 10).await[0].entry, entry("c", 1));
}

#[tokio::test]
async fn nothing_is_told_that_a_failed_disk_may_not_have() {
    let mut house = House::new().await;
    house.enqueue(high(&["a"], 10)).await;
    house.disk.fail_syncs(true);
    assert_eq!(refused(house.recache_pull(&[from_high(1)], 10).await).kind(), &Kind::Storage);
    house.disk.fail_syncs(false);
    assert_eq!(refused(house.recache_enqueue(high(&["b"], 10)).await).kind(), &Kind::Storage);
    assert_eq!(refused(house.recache_depths(&[HOST], 10).await).kind(), &Kind::Storage);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.queued().await, pairs(&[("a", 10)]));
}
