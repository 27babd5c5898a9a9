//! Points on their way from buffers into blocks.

use manifold_store::{Table, disk::Reboot};

use super::*;
use crate::{Clock, Options, keys, tests::START};

async fn house_with(tuning: Tuning) -> House {
    let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
    House::tuned(SimDisk::new(), options, tuning).await
}

async fn house() -> House {
    house_with(small()).await
}

impl House {
    fn rows(&self, table: Table) -> u64 {
        self.live().expect("a live engine").store.rows(table)
    }

    async fn until_sealed(&self) {
        self.until("sealing", |engine| engine.series_stats().buffered == 0).await;
    }

    /// Waits until there is nothing to seal any more.
    async fn until_quiet(&self) {
        self.until("the end of sealing", |engine| engine.live().expect("a live engine").series.upkeep.is_idle()).await;
    }
}

#[tokio::test]
async fn points_that_come_in_order_become_blocks_and_their_chunks_go() {
    let mut house = house().await;
    let all: Vec<_> = (0..80).map(|at| (at * 10, at as f64)).collect();
    for some in all.chunks(4) {
        house.write(Lines::floats("a", some.iter().copied())).await;
    }
    house.age().await;
    house.until("the removal of chunks", |_| house.rows(keys::SERIES_CHUNK) == 0).await;
    for _ in 0..2 {
        let stats = house.series_stats();
        assert_eq!((stats.series, stats.buffered, stats.sealed), (1, 0, 80));
        assert!((10..=16).contains(&stats.blocks), "{stats:?}");
        assert_eq!(stats.blocks, house.rows(keys::SERIES_BLOCK));
        assert_eq!(house.column("a", "v"), floats(all.iter().copied()));
        assert_eq!(house.column_within("a", "v", (95, 120)), floats(all[10..=12].iter().copied()));
        house.restart().await;
    }
    house.write(Lines::floats("a", [(0, 5.0)])).await;
    assert_eq!(house.column("a", "v")[0], (0, Scalar::Float(5.0)), "a chunk that comes after the restart counts");
}

#[tokio::test]
async fn points_of_the_past_go_into_the_blocks_where_they_belong() {
    let mut house = house().await;
    let mut model = BTreeMap::new();
    // From the end to the start, then in between, then over everything.
    let tens = || (0..64).map(|at| at * 10);
    let rounds: [Vec<i64>; 3] = [tens().rev().collect(), tens().map(|at| at + 5).collect(), tens().collect()];
    for (round, times) in rounds.into_iter().enumerate() {
        for some in times.chunks(8) {
            let points = some.iter().map(|time| (*time, (round as i64 * 1000 + time) as f64));
            model.extend(points.clone());
            house.write(Lines::floats("a", points)).await;
            assert_eq!(house.column("a", "v"), floats(model.clone()));
        }
        house.until_quiet().await;
        assert_eq!(house.column("a", "v"), floats(model.clone()));
    }
    house.restart().await;
    assert_eq!(house.column("a", "v"), floats(model.clone()));
    let blocks = house.series_stats().blocks;
    assert!(blocks <= 40, "{blocks} blocks for {} points", model.len());
}

#[tokio::test]
async fn a_few_points_over_many_blocks_wait_for_more() {
    let house = house().await;
    house.write(Lines::floats("a", (0..256).map(|at| (at * 10, 0.0)))).await;
    house.until_sealed().await;
    house.write(Lines::floats("a", (0..9).map(|at| (at * 200, 1.0)))).await;
    house.until_quiet().await;
    assert_eq!(house.series_stats().buffered, 9);
    house.write(Lines::floats("a", (0..15).map(|at| (at * 100, 2.0)))).await;
    house.until_sealed().await;
    let column = house.column("a", "v");
    assert_eq!(column.len(), 256);
    assert_eq!([&column[0].1, &column[20].1, &column[160].1], [2.0, 2.0, 1.0].map(Scalar::Float).each_ref());
}

#[tokio::test]
async fn small_blocks_are_joined_until_they_are_full() {
    let house = house_with(Tuning { block_points: 64, backlog_bytes: 1, ..small() }).await;
    for at in 0..256 {
        house.write(Lines::floats("a", [(at, at as f64)])).await;
        house.until_sealed().await;
    }
    let blocks = house.series_stats().blocks;
    assert!(blocks <= 256 / 32 + 6, "{blocks}");
    assert_eq!(house.column("a", "v"), floats((0..256).map(|at| (at, at as f64))));
}

#[tokio::test]
async fn columns_with_few_points_are_sealed_when_they_keep_too_many_chunks() {
    let house = house().await;
    house.write(Lines::floats("slow", [(0, 0.5)])).await;
    for at in 0..200 {
        house.write(Lines::floats("fast", [(at, 1.0)])).await;
    }
    house.until("sealing of the slow series", |_| house.rows(keys::SERIES_CHUNK) < 60).await;
    assert_eq!(house.column("slow", "v"), floats([(0, 0.5)]));
}

#[tokio::test]
async fn columns_with_few_points_are_sealed_when_they_keep_chunks_for_too_long() {
    let house = house().await;
    house.write(Lines::floats("a", [(0, 0.5)])).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(house.series_stats().buffered, 1);
    house.advance(3_600_000);
    house.until_sealed().await;
    house.until("the removal of chunks", |_| house.rows(keys::SERIES_CHUNK) == 0).await;
    assert_eq!(house.column("a", "v"), floats([(0, 0.5)]));
}

#[tokio::test]
async fn columns_with_few_points_are_sealed_when_buffers_take_too_much_memory() {
    let house = house_with(Tuning { block_points: 1024, buffer_bytes: 2400, ..Tuning::default() }).await;
    for round in 0..50 {
        let line = |lines: Lines, host: i64| lines.line(&host.to_string(), round, &[("v", Scalar::Int(host))]);
        house.write((0..20).fold(Lines::default(), line)).await;
        assert!(house.series_stats().buffered <= 240, "a write waits for room");
    }
    assert_eq!(house.column("7", "v"), (0..50).map(|time| (time, Scalar::Int(7))).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_writer_is_told_when_there_is_no_room_for_long() {
    let house = house_with(Tuning { block_points: 1024, buffer_bytes: 1200, ..Tuning::default() }).await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let live = house.live().expect("a live engine").clone();
    let (stalled, is_stalled) = tokio::sync::oneshot::channel();
    let holder = std::thread::spawn(move || {
        let _sealer = live.series.upkeep.exclusive();
        stalled.send(()).expect("somebody waits");
        held.recv().expect("a word");
    });
    is_stalled.await.expect("it stalls");
    house.write(Lines::floats("a", (0..120).map(|at| (at, 0.0)))).await;
    let refused = async { refused(house.write_points(&ns("n"), Lines::floats("a", [(199, 0.0)]).0, false).await) };
    let time = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            house.advance(1000);
        }
    };
    let (error, ()) = tokio::join!(refused, time);
    assert_eq!(error.kind(), &Kind::Busy);
    release.send(()).expect("it waits");
    holder.join().expect("it ends");
    house.write(Lines::floats("a", [(199, 0.0)])).await;
    assert_eq!(house.column("a", "v").len(), 121);
}

#[tokio::test]
async fn a_value_changes_its_type_and_back_through_buffers_and_blocks() {
    let mut house = house().await;
    let values = [Scalar::Float(0.5), Scalar::Int(-1), Scalar::Uint(2), Scalar::Bool(true)];
    let mut model = BTreeMap::new();
    for round in 0..12i64 {
        for at in 0..5 {
            let (time, value) = (round * 5 + at, values[(round as usize + at as usize / 4) % 4].clone());
            house.write(Lines::default().line("a", time, &[("v", value.clone())])).await;
            model.insert(time, value);
        }
        assert_eq!(house.column("a", "v"), model.clone().into_iter().collect::<Vec<_>>());
    }
    house.crash(Reboot::Lost).await;
    assert_eq!(house.column("a", "v"), model.into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn long_texts_do_not_make_long_blocks() {
    let mut house = house_with(Tuning { block_text_bytes: 1000, commit_text_bytes: 1500, ..small() }).await;
    let long = |time: i64| text(&format!("{time}{}", "x".repeat(if time == 20 { 5000 } else { 300 })));
    for time in 0..40 {
        house.write(Lines::default().line("a", time, &[("s", long(time))])).await;
    }
    house.age().await;
    for _ in 0..2 {
        assert_eq!(house.column("a", "s"), (0..40).map(|time| (time, long(time))).collect::<Vec<_>>());
        let stats = house.series_stats();
        assert!(stats.blocks > 13, "{stats:?}");
        house.restart().await;
    }
}
