//! A script, crashed at every call to the disk. Whatever the disk kept: what was acknowledged is there, once, in its
//! place, sealed or not, and nothing that was done with comes back.

use std::collections::BTreeSet;

use manifold_store::disk::{Fault, Reboot, SimDisk};

use super::*;
use crate::{Clock, Engine, Options, tests::START};

/// What was acknowledged.
#[derive(Debug, Default)]
struct Told {
    /// Appended below this offset.
    end: u64,
    /// Trimmed below this one.
    first: u64,
    acked: BTreeSet<u64>,
    /// Delivered below this offset.
    position: u64,
    /// A stream that was deleted.
    deleted: bool,
}

async fn script(engine: &Engine, told: &mut Told) -> Result<()> {
    let (n, s, g) = (ns("n"), name("s"), name("g"));
    let other = Append { stream: name("other"), ..appending(vec![record("x")]) };
    engine.append(&n, other).await?;
    for round in 0..5u64 {
        for count in [1, 2, 130] {
            let payloads = told.end..told.end + count;
            let records = payloads.map(|offset| record(&offset.to_string())).collect();
            told.end = engine.append(&n, appending(records)).await?.last + 1;
        }
        let read = GroupRead {
            group: g.clone(),
            consumer: name("c"),
            start: StreamStart::First,
            limit: 20,
            max_bytes: usize::MAX,
            ack_timeout: Duration::from_secs(60),
            wait: None,
        };
        let taken = engine.read_group(&n, &s, read).await?;
        let offsets: Vec<u64> = taken.iter().map(|delivery| delivery.record.offset).collect();
        told.position = offsets.last().map_or(told.position, |last| last + 1);
        let done = engine.ack_records(&n, &s, &g, &offsets[..offsets.len() / 2]).await?;
        told.acked.extend(done.settled);
        engine.nack_records(&n, &s, &g, &offsets[offsets.len() - 1..]).await?;
        if round == 3 {
            told.first = engine.trim_stream(&n, &s, StreamTrim::BeforeOffset(30)).await?.first;
            told.deleted = engine.delete_stream(&n, &name("other")).await?;
        }
    }
    Ok(())
}

/// Runs the script on a disk with a fault; whether it came to its end.
async fn run(fault: Option<(u64, Fault)>) -> (bool, Told, SimDisk) {
    let disk = SimDisk::new();
    if let Some((call, fault)) = fault {
        disk.fault_at(call, fault);
    }
    let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
    let mut told = Told::default();
    let engine = Engine::open_on(crate::tests::ground(&disk), options);
    let mut done = false;
    if engine.recovered().await.is_ok() {
        let script = script(&engine, &mut told);
        done = matches!(tokio::time::timeout(Duration::from_secs(5), script).await, Ok(Ok(())));
    }
    disk.crash();
    engine.close().await.ok();
    (done, told, disk)
}

async fn check(disk: SimDisk, told: &Told) {
    let house = House::on(disk, Options { clock: Clock::manual(START), ..Options::new("/data") }).await;
    if told.end > 0 {
        let info = house.describe().await;
        assert!(info.end >= told.end && info.first >= told.first, "{info:?} {told:?}");
        let mut next = info.first;
        while next < info.end {
            let page = house.page_from(next).await;
            for record in &page.records {
                assert_eq!((record.offset, &record.payload[..]), (next, next.to_string().as_bytes()));
                next += 1;
            }
        }
        assert_eq!(house.add(&["more"]).await.first, info.end);
    }
    if told.position > 0 {
        let group = house.group_info(&ns("n"), &name("s"), &name("g")).await.expect("a group");
        assert!(group.position >= told.position);
        let acked = Vec::from_iter(told.acked.iter().copied());
        let again = house.ack_records(&ns("n"), &name("s"), &name("g"), &acked).await.expect("ack");
        assert_eq!(again.settled, [0u64; 0], "nothing that was acknowledged is pending again");
    }
    let other = house.stream_info(&ns("n"), &name("other")).await;
    assert!(!told.deleted || *refused(other).kind() == Kind::NotFound);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_at_every_call() {
    let (done, told, disk) = run(None).await;
    assert!(done && told.end == 665 && told.first == 30 && told.deleted);
    let calls = disk.calls();
    for call in 1..=calls {
        for fault in [Fault::Crash, Fault::Tear] {
            let (_, told, disk) = run(Some((call, fault))).await;
            for how in [Reboot::Lost, Reboot::Mixed(call * 2 + 1)] {
                check(disk.reboot(how), &told).await;
            }
        }
    }
}
