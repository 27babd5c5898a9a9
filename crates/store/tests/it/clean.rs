//! Cleaning old segments.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use manifold_store::{
    Level, Options, Range, Store,
    disk::{Reboot, SimDisk},
};

use crate::support::*;

#[test]
fn overwritten_rows_give_their_space_back_and_live_ones_move() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(ROWS, b"stays", &[1; 2000]));
    commit(&store, put(COLD, b"cold", &[4; 500]));
    for i in 0..400u32 {
        commit(&store, put(ROWS, b"hot", &[i as u8; 200]));
        while store.clean().expect("cleans") {}
    }
    let stats = store.stats();
    assert!(stats.log_bytes < 30_000, "{stats:?}");
    assert!(stats.cleaned_bytes > 50_000, "{stats:?}");
    assert!(disk.used() < 60_000);
    assert_eq!(get(&store, ROWS, b"stays"), Some(vec![1; 2000]));
    assert_eq!(get(&store, COLD, b"cold"), Some(vec![4; 500]));
    drop(store);
    let store = open(&disk.reboot(Reboot::Lost));
    assert_eq!(get(&store, ROWS, b"stays"), Some(vec![1; 2000]));
    assert_eq!(get(&store, COLD, b"cold"), Some(vec![4; 500]));
    assert_eq!(get(&store, ROWS, b"hot"), Some(vec![399u32 as u8; 200]));
}

#[test]
fn a_deleted_row_stays_deleted_when_the_segments_around_it_go() {
    let disk = SimDisk::new();
    let store = open(&disk);
    for round in 0..30u32 {
        for i in 0..20u32 {
            commit(&store, put(ROWS, &i.to_be_bytes(), &[round as u8; 150]));
        }
        for i in 0..20u32 {
            commit(&store, delete(ROWS, &i.to_be_bytes()));
        }
        while store.clean().expect("cleans") {}
        assert_eq!(all(&open(&disk.reboot(Reboot::Kept)), 100, false), []);
    }
    assert!(store.stats().segments < 5);
}

#[test]
fn the_only_segment_gives_back_what_is_dead_in_it_when_that_is_much() {
    let disk = SimDisk::new();
    let options = Options { segment_bytes: 1 << 30, ..options() };
    let store = Store::open(Arc::new(disk.clone()), &dir(), options).expect("opens");
    commit(&store, put(ROWS, b"stays", &[1; 2000]));
    let fill = |mebibytes: std::ops::Range<u8>| {
        for i in mebibytes {
            commit(&store, put(ROWS, b"hot", &vec![i; 1 << 20]));
        }
    };
    fill(0..20);
    assert!(!store.clean().expect("cleans"), "there is little to win");
    fill(20..40);
    assert!(store.clean().expect("cleans"));
    assert!(store.stats().log_bytes < 2 << 20, "{:?}", store.stats());
    drop(store);
    let store = open(&disk.reboot(Reboot::Lost));
    assert_eq!(get(&store, ROWS, b"stays"), Some(vec![1; 2000]));
    assert_eq!(get(&store, ROWS, b"hot"), Some(vec![39; 1 << 20]));
}

#[test]
fn a_snapshot_outlives_the_segment_its_rows_were_in() {
    let disk = SimDisk::new();
    let store = open(&disk);
    for i in 0..30u32 {
        commit(&store, put(ROWS, &i.to_be_bytes(), &[7; 1500]));
    }
    let (snapshot, ()) = store.snapshot(|| ());
    for i in 0..30u32 {
        commit(&store, put(ROWS, &i.to_be_bytes(), &[8; 1500]));
        while store.clean().expect("cleans") {}
    }
    for i in 0..30u32 {
        let row = snapshot.get(ROWS, &i.to_be_bytes()).expect("still there");
        assert_eq!(row.body().expect("still readable")[..], [7; 1500], "row {i}");
    }
    let range = Range { from: Vec::new(), to: None, limit: 100, reverse: false };
    assert_eq!(snapshot.range(ROWS, &range).rows.len(), 30);
    drop(snapshot);
    while store.clean().expect("cleans") {}
    assert_eq!(all(&store, 100, false).len(), 30);
}

/// A row that cleaning copied lies where it was until its copy is written.
#[test]
fn every_row_is_readable_at_every_moment_of_cleaning() {
    const ROUNDS: u32 = 40;
    for level in [Level::Always, Level::Interval, Level::Os] {
        let disk = SimDisk::new();
        let options = Options { segment_bytes: 64 << 10, ..options() };
        let store = Store::open(Arc::new(disk.clone()), &dir(), Options { level, ..options.clone() }).expect("opens");
        for i in 0..20u32 {
            commit(&store, put(COLD, &i.to_be_bytes(), &[i as u8; 2000]));
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let read = || {
                let mut reads = 0u64;
                while !done.load(Ordering::Relaxed) {
                    for i in 0..20u32 {
                        assert_eq!(
                            get(&store, COLD, &i.to_be_bytes()),
                            Some(vec![i as u8; 2000]),
                            "{level:?}, row {i}"
                        );
                    }
                    reads += 1;
                }
                assert!(reads > u64::from(ROUNDS), "{level:?}: {reads} reads");
            };
            let readers = [scope.spawn(read), scope.spawn(read)];
            for round in 0..ROUNDS {
                for i in 0..40u32 {
                    commit(&store, put(ROWS, b"hot", &[(round + i) as u8; 1500]));
                }
                while store.clean().expect("cleans") {
                    // Long enough to be seen by a reader, if there is anything to see.
                    thread::yield_now();
                }
            }
            done.store(true, Ordering::Relaxed);
            readers.into_iter().for_each(|reader| reader.join().expect("all rows were readable"));
        });
        drop(store);
        let store = Store::open(Arc::new(disk.reboot(Reboot::Kept)), &dir(), options).expect("opens");
        for i in 0..20u32 {
            assert_eq!(get(&store, COLD, &i.to_be_bytes()), Some(vec![i as u8; 2000]), "{level:?}, row {i}");
        }
    }
}

/// A reader that is slow to look sees the row as it is then, not that what it came for is gone.
#[test]
fn a_row_that_is_overwritten_again_and_again_is_always_there() {
    let store = open_at(&SimDisk::new(), Level::Os);
    commit(&store, put(POINTS, b"hot", b"0"));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let read = || {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let found = get(&store, POINTS, b"hot").expect("it was never deleted");
                let number: u32 = String::from_utf8(found).expect("text").parse().expect("a number");
                assert!(number >= last, "{number} after {last}");
                last = number;
            }
        };
        let readers = [scope.spawn(read), scope.spawn(read), scope.spawn(read)];
        for number in 1..=20_000u32 {
            commit(&store, put(POINTS, b"hot", number.to_string().as_bytes()));
            if number % 1000 == 0 {
                while store.clean().expect("cleans") {}
            }
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().expect("it was there every time"));
    });
}

#[test]
fn the_maintenance_thread_cleans_under_load_on_a_real_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { segment_bytes: 256 << 10, level: manifold_store::Level::Os, ..Options::new(TABLES) };
    let store = open_real(dir.path(), options.clone());
    let mut expected = std::collections::BTreeMap::new();
    for i in 0..40_000u32 {
        let key = (i * 7919 % 500).to_be_bytes();
        let body = vec![i as u8; 100 + (i % 37) as usize * 50];
        let seq = store.commit(put(ROWS, &key, &body)).expect("accepted");
        if i % 64 == 0 {
            store.wait_durable(seq).expect("written");
        }
        expected.insert(key.to_vec(), body);
    }
    for _ in 0..400 {
        if store.stats().log_bytes <= 4 << 20 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(store.stats().log_bytes <= 4 << 20, "{:?}", store.stats());
    assert_eq!(all(&store, 1000, false), expected.clone().into_iter().collect::<Vec<_>>());
    store.close().expect("closes");
    let store = open_real(dir.path(), options);
    assert_eq!(all(&store, 1000, false), expected.into_iter().collect::<Vec<_>>());
}
