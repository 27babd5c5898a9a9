//! A script of writes, sealed as they come, crashed at every call to the disk. Whatever the disk kept: what was
//! acknowledged is there, and no write is there by half.

use manifold_store::disk::{Fault, Reboot};

use super::*;
use crate::{Clock, Options, tests::START};

const WRITES: i64 = 24;

/// What each write leaves in both series: one point goes forward, one into the past, and one changes again and again.
fn points_of(write: i64) -> [(i64, f64); 3] {
    let value = write as f64;
    [(1000 + write, value), (1000 - write * 3, value), (0, value)]
}

fn options() -> Options {
    Options { clock: Clock::manual(START), ..Options::new("/data") }
}

fn tuning() -> Tuning {
    Tuning { block_points: 6, rewritten_per_point: 100, rewrites: 1, backlog_bytes: 200, chunk_bytes: 40, ..small() }
}

/// Runs until the disk stops; how many writes were acknowledged.
async fn script(engine: &Engine, told: &mut i64) -> Result<()> {
    for write in 0..WRITES {
        let mut lines = Lines::default();
        for (time, value) in points_of(write) {
            for host in ["a", "b"] {
                lines = lines.line(host, time, &[("v", Scalar::Float(value))]);
            }
        }
        engine.write_points(&ns("n"), lines.0, true).await?;
        *told = write + 1;
    }
    Ok(())
}

/// Runs the script on a disk with a fault; whether it came to its end.
async fn run(fault: Option<(u64, Fault)>) -> (bool, i64, SimDisk) {
    let disk = SimDisk::new();
    if let Some((call, fault)) = fault {
        disk.fault_at(call, fault);
    }
    let ground = crate::open::Ground { series: tuning(), ..crate::tests::ground(&disk) };
    let engine = Engine::open_on(ground, options());
    let (mut told, mut done) = (0, false);
    if engine.recovered().await.is_ok() {
        let script = script(&engine, &mut told);
        // A machine that stopped answers nobody.
        done = matches!(tokio::time::timeout(Duration::from_millis(500), script).await, Ok(Ok(())));
    }
    disk.crash();
    engine.close().await.ok();
    (done, told, disk)
}

/// Opens what the disk kept and holds it against what was told.
async fn check(disk: SimDisk, told: i64) {
    let mut house = House::tuned(disk, options(), tuning()).await;
    for _ in 0..2 {
        let found = house.column("a", "v");
        assert_eq!(found, house.column("b", "v"));
        let writes = found.iter().filter(|(time, _)| *time >= 1000).count() as i64;
        assert!(writes >= told, "{told} writes were told, {writes} are there");
        let model: BTreeMap<i64, f64> = (0..writes).flat_map(points_of).collect();
        assert_eq!(found, floats(model));
        house.write(Lines::floats("c", [(1, 1.0)])).await;
        assert_eq!(house.column("c", "v"), floats([(1, 1.0)]));
        house.age().await;
        assert_eq!(house.column("a", "v"), found);
        house.restart().await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_at_every_call() {
    for fault in [Fault::Crash, Fault::Tear] {
        for call in 1.. {
            let (done, told, disk) = run(Some((call, fault))).await;
            for how in [Reboot::Lost, Reboot::Mixed(call * 2 + 1)] {
                check(disk.reboot(how), told).await;
            }
            if done {
                assert!(call > 60, "the script makes calls to crash at");
                break;
            }
        }
    }
}
