//! Writers, readers and sealing at the same time: what a writer was told is there from then on, without gaps, whatever
//! way from buffers into blocks it is on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use super::*;
use crate::{Level, Options};

const WRITERS: i64 = 3;
const WRITES: i64 = 300;
/// Points of a write: the newest ones, and one of the past again.
const POINTS: i64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_checker_sees_all_points_all_the_time() {
    for level in [Level::Always, Level::Os] {
        let options = Options { level, ..Options::new("/data") };
        let house = Arc::new(House::tuned(SimDisk::new(), options, small()).await);
        let told: Arc<Vec<AtomicI64>> = Arc::new((0..WRITERS).map(|_| AtomicI64::new(0)).collect());
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (house, told, done) = (house.clone(), told.clone(), done.clone());
                std::thread::spawn(move || {
                    while !done.load(Ordering::Acquire) {
                        look(&house, &told)
                    }
                })
            })
            .collect();
        let writers = (0..WRITERS).map(|host| tokio::spawn(write_all(house.clone(), told.clone(), host)));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("a writer");
        }
        done.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().expect("a reader"));
        look(&house, &told);
        assert!(house.series_stats().sealed > 0);
    }
}

async fn write_all(house: Arc<House>, told: Arc<Vec<AtomicI64>>, host: i64) {
    for write in 0..WRITES {
        let first = write * POINTS;
        let again = (first * 7919) % (first + 1);
        let times = (first..first + POINTS).chain([again]);
        house.write(Lines::floats(&host.to_string(), times.map(|time| (time, time as f64)))).await;
        told[host as usize].store(first + POINTS, Ordering::Release);
    }
}

fn look(house: &House, told: &[AtomicI64]) {
    for (host, told) in told.iter().enumerate() {
        let least = told.load(Ordering::Acquire);
        let found = house.column(&host.to_string(), "v");
        let count = found.len() as i64;
        assert!(count >= least && count % POINTS == 0, "{least} points were told, {count} are there");
        assert_eq!(found, floats((0..count).map(|time| (time, time as f64))));
    }
}
