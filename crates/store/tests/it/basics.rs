use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use manifold_store::{
    Batch, Level, OpenError, Options, Store, View,
    disk::{RealDisk, SimDisk},
};

use crate::support::*;

#[test]
fn rows_survive_a_clean_restart_at_every_level() {
    for level in [Level::Always, Level::Interval, Level::Os] {
        let disk = SimDisk::new();
        let store = open_at(&disk, level);
        assert!(store.clean_start(), "a new log was never left open");
        commit(&store, put(ROWS, b"a", b"1"));
        commit(&store, put(ROWS, b"b", &[7; 3000]));
        commit(&store, put(COLD, b"c", b"cold"));
        commit(&store, delete(ROWS, b"a"));
        store.close().expect("closes");
        let store = open_at(&disk.fork(), level);
        assert!(store.clean_start());
        assert_eq!(get(&store, ROWS, b"a"), None);
        assert_eq!(get(&store, ROWS, b"b"), Some(vec![7; 3000]));
        assert_eq!(get(&store, COLD, b"c"), Some(b"cold".to_vec()));
        assert_eq!((store.rows(ROWS), store.rows(COLD)), (1, 1));
        assert_eq!(store.table_bytes(ROWS), 3001);
    }
}

#[test]
fn rows_of_counted_tables_are_counted_by_what_their_keys_begin_with() {
    let disk = SimDisk::new();
    let open = |disk: &SimDisk| {
        let options = Options { counted: &[ROWS], ..options() };
        Store::open(Arc::new(disk.clone()), &dir(), options).expect("the store opens")
    };
    let store = open(&disk);
    for key in [&b"a\0x"[..], b"a\0y", b"ab\0x", b"plain", b"a\0x"] {
        commit(&store, put(ROWS, key, b"1"));
    }
    commit(&store, put(COLD, b"a\0z", b"1"));
    let counts = |store: &Store| [&b"a"[..], b"ab", b"plain", b""].map(|name| store.rows_of(ROWS, name));
    assert_eq!(counts(&store), [2, 1, 0, 0]);
    assert_eq!(store.rows_of(COLD, b"a"), 0);
    commit(&store, delete(ROWS, b"a\0x"));
    commit(&store, delete(ROWS, b"a\0x"));
    commit(&store, delete(ROWS, b"ab\0x"));
    assert_eq!(counts(&store), [1, 0, 0, 0]);
    commit(&store, put(ROWS, b"a\0x", b"2"));
    store.close().expect("closes");
    let store = open(&disk.fork());
    assert_eq!(counts(&store), [2, 0, 0, 0]);
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open_real(dir.path(), Options::new(TABLES));
    let second = Store::open(Arc::new(RealDisk), dir.path(), Options::new(TABLES));
    assert!(matches!(second, Err(OpenError::Locked(path)) if path == dir.path()));
    assert!(Store::verify(&RealDisk, dir.path()).is_err());
    store.close().expect("closes");
    open_real(dir.path(), Options::new(TABLES)).close().expect("closes");
}

#[test]
fn a_reader_sees_a_write_only_when_it_is_durable() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(ROWS, b"k", b"old"));
    disk.fail_syncs(true);
    let seq = store.commit(put(ROWS, b"k", b"new")).expect("accepted");
    let latest = store.get(View::Latest, ROWS, b"k").expect("there");
    assert_eq!((latest.seq(), &latest.body().expect("readable")[..]), (seq, &b"new"[..]));
    assert!(store.wait_durable(seq).is_err());
    assert_eq!(get(&store, ROWS, b"k"), Some(b"old".to_vec()), "what is durable stays readable");
}

#[test]
fn a_snapshot_keeps_its_state_while_everything_changes() {
    let disk = SimDisk::new();
    let store = open(&disk);
    for i in 0..100u32 {
        commit(&store, put(ROWS, &i.to_be_bytes(), b"before"));
    }
    let (snapshot, ()) = store.snapshot(|| ());
    for i in 0..100u32 {
        let key = i.to_be_bytes();
        commit(&store, if i % 2 == 0 { put(ROWS, &key, b"after") } else { delete(ROWS, &key) });
        commit(&store, put(ROWS, &(1000 + i).to_be_bytes(), b"new"));
    }
    let range = manifold_store::Range { from: Vec::new(), to: None, limit: 1000, reverse: false };
    let seen = snapshot.range(ROWS, &range);
    assert_eq!(seen.rows.len(), 100);
    assert!(seen.rows.iter().all(|(_, row)| &row.body().expect("readable")[..] == b"before"));
    assert_eq!(snapshot.get(ROWS, &1u32.to_be_bytes()).expect("still there").head(), b"h");
    drop(snapshot);
    assert_eq!(all(&store, 1000, false).len(), 150);
}

#[test]
fn ranges_come_in_order_and_resume_in_both_directions() {
    let disk = SimDisk::new();
    let store = open(&disk);
    let mut expected = Vec::new();
    for i in 0..500u32 {
        let key = i.wrapping_mul(2_654_435_761).to_be_bytes();
        store.commit(put(ROWS, &key, &i.to_be_bytes())).expect("accepted");
        expected.push((key.to_vec(), i.to_be_bytes().to_vec()));
    }
    store.wait_durable(500).expect("durable");
    expected.sort();
    for limit in [1, 7, 100, 10_000] {
        assert_eq!(all(&store, limit, false), expected, "limit {limit}");
    }
    expected.reverse();
    for limit in [1, 7, 100, 10_000] {
        assert_eq!(all(&store, limit, true), expected, "limit {limit}, reverse");
    }
}

#[test]
fn the_hook_is_told_of_every_frame_in_order_before_readers_see_it() {
    let disk = SimDisk::new();
    let store = open(&disk);
    let told = Arc::new(AtomicU64::new(0));
    let hook = told.clone();
    store.on_durable(Box::new(move |seq| {
        assert!(hook.swap(seq, Ordering::SeqCst) < seq);
    }));
    for i in 0..50u32 {
        let seq = commit(&store, put(ROWS, &i.to_be_bytes(), b"x"));
        assert!(told.load(Ordering::SeqCst) >= seq);
        let (snapshot, head) = store.snapshot(|| told.load(Ordering::SeqCst));
        assert_eq!(snapshot.seq(), head);
    }
}

#[test]
fn a_batch_is_one_change_and_its_last_word_counts() {
    let disk = SimDisk::new();
    let store = open(&disk);
    let mut batch = Batch::new();
    batch.put(ROWS, b"a", b"h", b"1");
    batch.put(ROWS, b"a", b"h", b"2");
    batch.put(ROWS, b"b", b"h", b"3");
    batch.delete(ROWS, b"b");
    let seq = commit(&store, batch);
    assert_eq!(get(&store, ROWS, b"a"), Some(b"2".to_vec()));
    assert_eq!(get(&store, ROWS, b"b"), None);
    assert_eq!(store.rows(ROWS), 1);
    assert_eq!(store.commit(Batch::new()).expect("nothing to do"), seq);
}

#[test]
fn many_threads_commit_and_every_frame_has_its_own_number() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open_real(dir.path(), Options { segment_bytes: 64 << 10, ..Options::new(TABLES) });
    let threads: Vec<_> = (0..8u32)
        .map(|t| {
            let store = store.clone();
            std::thread::spawn(move || {
                (0..200u32)
                    .map(|i| commit(&store, put(POINTS, &[t.to_be_bytes(), i.to_be_bytes()].concat(), &[t as u8; 40])))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut seqs: Vec<_> = threads.into_iter().flat_map(|t| t.join().expect("no panic")).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=1600).collect::<Vec<_>>());
    assert!(store.stats().fsyncs < 1600, "committers share fsyncs");
    store.close().expect("closes");
    let (claim, lines) = Store::verify(&RealDisk, dir.path()).expect("the log is whole");
    drop(claim);
    assert!(lines.last().is_some_and(|line| line.contains("last frame 1601, last stop clean")), "{lines:?}");
    let store = open_real(dir.path(), Options::new(TABLES));
    assert_eq!(store.rows(POINTS), 1600);
}

#[test]
fn a_directory_without_a_log_is_not_verified_and_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    let names = || std::fs::read_dir(home.path()).expect("a directory").count();
    let refused = || Store::verify(&RealDisk, home.path()).expect_err("there is no log").to_string();
    assert!(refused().contains("there is no log in it"), "{}", refused());
    assert_eq!(names(), 0, "of an empty one");
    std::fs::write(home.path().join("file"), "hi").expect("write a file");
    assert!(refused().contains("there is no log in it"), "{}", refused());
    assert_eq!(names(), 1, "of one with something else in it");
    let absent = Store::verify(&RealDisk, &home.path().join("absent"));
    assert!(matches!(absent, Err(OpenError::Io { path, .. }) if path == home.path().join("absent")));

    let dir = home.path().join("data");
    let store = open_real(&dir, Options::new(TABLES));
    commit(&store, put(ROWS, b"a", b"1"));
    store.close().expect("closes");
    std::fs::remove_file(dir.join("log-0000000001.seg")).expect("remove the segment");
    assert!(matches!(Store::verify(&RealDisk, &dir), Err(OpenError::Foreign { .. })), "its segments are gone");
}

#[test]
fn a_look_locks_by_the_lock_file_that_is_there_and_makes_none() {
    let home = tempfile::tempdir().expect("a directory");
    let store = open_real(home.path(), Options::new(TABLES));
    commit(&store, put(ROWS, b"a", b"1"));
    store.close().expect("closes");
    let (claim, _) = Store::verify(&RealDisk, home.path()).expect("the log is whole");
    assert!(matches!(Store::claim(&RealDisk, home.path()), Err(OpenError::Locked(_))), "it is being looked at");
    drop(claim);
    let lock = home.path().join("LOCK");
    std::fs::remove_file(&lock).expect("remove the lock file");
    Store::verify(&RealDisk, home.path()).expect("nobody has it open");
    Store::cut_at_rest(&RealDisk, home.path()).expect("nobody has it open");
    assert!(!lock.exists());
    open_real(home.path(), Options::new(TABLES)).close().expect("closes");
    assert!(lock.exists(), "who opens it makes one");
}

#[test]
fn an_unclean_stop_is_noticed() {
    let disk = SimDisk::new();
    commit(&open(&disk), put(ROWS, b"a", b"1"));
    let again = disk.fork();
    assert!(!open(&again).clean_start());
    assert_eq!(again.read(&PathBuf::from("/data/log.new")), None);
}

#[test]
fn a_range_finds_every_key_however_many_came_since_the_last_one() {
    let store = open(&SimDisk::new());
    let key = |n: u32| n.to_be_bytes();
    for first in (0..40_000).step_by(1000) {
        let mut batch = Batch::new();
        (first..first + 1000).for_each(|n| batch.put(ROWS, &key(n), b"", b""));
        commit(&store, batch);
    }
    let found: Vec<_> = all(&store, 1000, false).into_iter().map(|(found, _)| found).collect();
    assert_eq!(found, (0..40_000).map(|n| key(n).to_vec()).collect::<Vec<_>>());
}
