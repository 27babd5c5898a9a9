//! A script of operations, crashed at every call to the disk. Whatever the disk kept: what was acknowledged is there, no
//! commit is there by half, the feed is dense, and the state is what the feed says.

use std::collections::BTreeMap;

use manifold_store::disk::Fault;

use super::*;

/// What was acknowledged: per feed number, what the caller was told.
#[derive(Debug, Default)]
struct Told {
    changes: BTreeMap<u64, (String, u64)>,
    /// The highest number any reader could have seen.
    head: u64,
}

fn options() -> Options {
    Options { clock: Clock::manual(START), ..Options::new("/data") }
}

/// Runs until the disk stops; nothing is asserted of what comes after that.
async fn script(engine: &Engine, clock: &Clock, told: &mut Told) -> Result<()> {
    for round in 0..6u64 {
        let value = "v".repeat(if round % 2 == 0 { 8 } else { 3000 });
        for key in ["a", "b"] {
            let entry = engine.put(&ns("n"), put(key, &value)).await?;
            told.changes.insert(entry.seq, (key.to_owned(), entry.version));
        }
        let keys = ["a", "c", "c", "d"];
        let operations = vec![set_op("a", "1"), set_op("c", &value), delete_op("c"), set_op("d", "2")];
        let done = engine.batch(operations).await?;
        for (key, outcome) in keys.iter().zip(done.it) {
            let changed = outcome.expect("each of them changes something");
            told.changes.insert(changed.seq, ((*key).to_owned(), changed.version));
        }
        if let Some(changed) = engine.delete(&ns("n"), delete("b")).await?.it {
            told.changes.insert(changed.seq, ("b".to_owned(), changed.version));
        }
        let entry = engine.put(&ns("n"), brief("e", "brief", 10 + round)).await?;
        told.changes.insert(entry.seq, ("e".to_owned(), entry.version));
        told.head = engine.head()?;
        // On odd rounds the sweep finds the key, on even rounds the next write does.
        if round % 2 == 1 {
            clock.advance(100);
            engine.changes(Changes { wait: Some(Duration::from_secs(3600)), ..after_all(told.head) }).await?;
        } else {
            clock.advance(5);
        }
        told.head = engine.head()?;
    }
    Ok(())
}

/// Runs the script on a disk with a fault; whether it came to its end, what was told, and the disk.
async fn run(fault: Option<(u64, Fault)>) -> (bool, Told, SimDisk, Timestamp) {
    let disk = SimDisk::new();
    if let Some((call, fault)) = fault {
        disk.fault_at(call, fault);
    }
    let options = options();
    let mut told = Told::default();
    let engine = Engine::open_on(ground(&disk), options.clone());
    let mut done = false;
    if engine.recovered().await.is_ok() {
        let script = script(&engine, &options.clock, &mut told);
        // A machine that stopped answers nobody: a wait for a change that never comes is given up.
        done = matches!(tokio::time::timeout(Duration::from_millis(300), script).await, Ok(Ok(())));
    }
    disk.crash();
    engine.close().await.ok();
    (done, told, disk, options.clock.now())
}

/// Opens what the disk kept and holds it against what was told.
async fn check(disk: SimDisk, told: &Told, now: Timestamp) {
    let house = House::on(disk, Options { clock: Clock::manual(now), ..options() }).await;
    let feed = house.feed().await;
    let head = feed.len() as u64;
    assert_eq!(numbers(&feed), (1..=head).collect::<Vec<_>>(), "dense");
    assert!(head >= told.head, "what a reader saw is there");
    for (seq, (key, version)) in &told.changes {
        let change = &feed[*seq as usize - 1];
        assert_eq!((change.key.as_bytes(), change.version), (key.as_bytes(), *version), "acknowledged as {seq}");
    }
    let last_commit = feed.last().map_or(0, |change| change.commit.1);
    assert_eq!(last_commit, head, "no commit is there by half");

    let mut live: BTreeMap<Key, (u64, u64, Bytes)> = BTreeMap::new();
    let mut removed: BTreeMap<Key, u64> = BTreeMap::new();
    for change in &feed {
        let version = removed.remove(&change.key).or(live.get(&change.key).map(|live| live.0)).unwrap_or(0) + 1;
        assert_eq!(change.version, version, "versions count on");
        live.remove(&change.key);
        match &change.value {
            Some(value) => drop(live.insert(change.key.clone(), (version, change.seq, value.bytes.clone()))),
            None => drop(removed.insert(change.key.clone(), version)),
        }
    }
    let found = house.scan(&ns("n"), b"", false).expect("scan").next_chunk().expect("chunk").unwrap_or_default();
    let found: BTreeMap<_, _> =
        found.into_iter().map(|entry| (entry.key, (entry.version, entry.seq, entry.value.bytes))).collect();
    assert_eq!(found, live, "the state is what the feed says");
    assert_eq!(house.stats().kv_tombstones, removed.len() as u64);

    let expiring = live.contains_key(&k("e"));
    house.advance(1000);
    if expiring {
        house.until("the expiry", |engine| engine.head().expect("head") == head + 1).await;
    }
    assert_eq!(house.set("z", "1").await.seq, head + 1 + u64::from(expiring), "numbers go on");
    house.close().await.expect("closes");
}

#[tokio::test]
async fn a_crash_at_any_call_loses_nothing_that_was_told() {
    for fault in [Fault::Crash, Fault::Tear] {
        for call in 1.. {
            let (done, told, disk, now) = run(Some((call, fault))).await;
            for how in [Reboot::Lost, Reboot::Kept, Reboot::Mixed(call)] {
                check(disk.reboot(how), &told, now).await;
            }
            if done {
                assert!(call > 40, "the script makes calls to crash at");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_crash_during_recovery_loses_nothing_either() {
    let (_, _, disk, _) = run(None).await;
    let calls = disk.calls();
    for call in [calls / 3, calls / 2, calls - 3] {
        let (_, told, disk, now) = run(Some((call, Fault::Tear))).await;
        for at in 1..40 {
            let second = disk.reboot(Reboot::Mixed(call + at));
            second.fault_at(at, Fault::Crash);
            let engine = Engine::open_on(ground(&second), Options { clock: Clock::manual(now), ..options() });
            engine.recovered().await.ok();
            second.crash();
            engine.close().await.ok();
            check(second.reboot(Reboot::Lost), &told, now).await;
        }
    }
}

#[tokio::test]
async fn a_write_is_never_acknowledged_after_a_sync_failed_and_reads_go_on() {
    let house = House::new().await;
    house.set("a", "1").await;
    house.disk.fail_syncs(true);
    let error = refused(house.put(&ns("n"), put("a", "2")).await);
    assert_eq!(error.kind(), &Kind::Storage);
    house.disk.fail_syncs(false);
    assert_eq!(refused(house.put(&ns("n"), put("b", "1")).await).kind(), &Kind::Storage);
    assert!(matches!(house.state(), State::Failed(_)));
    assert_eq!(house.read("a").expect("durable").value, json("1"));
    assert_eq!((house.head().expect("head"), house.feed().await.len()), (1, 1));
    assert_eq!(refused(house.close().await).kind(), &Kind::Storage);
}

#[tokio::test]
async fn a_full_disk_refuses_growth_takes_deletes_and_heals() {
    let house = House::new().await;
    house.set("a", "1").await;
    house.disk.set_capacity(Some(house.disk.used()));
    let filling = async {
        loop {
            if let Err(error) = house.put(&ns("n"), put("b", &"x".repeat(5_000))).await {
                return error;
            }
        }
    };
    assert_eq!(filling.await.kind(), &Kind::Full);
    assert_eq!(house.state(), State::DiskFull);
    assert!(house.remove("a").await.is_some());
    assert!(house.read("a").is_none());
    house.disk.set_capacity(None);
    house.set("a", "3").await;
    assert_eq!(house.state(), State::Ready);
    let feed = house.feed().await;
    assert_eq!(numbers(&feed), (1..=feed.len() as u64).collect::<Vec<_>>());
}
