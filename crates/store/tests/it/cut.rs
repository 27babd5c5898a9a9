//! Copies of the log while it goes on.

use manifold_store::{
    Error, Level, LogCut, Store,
    disk::{Disk, Reboot, SimDisk},
};

use crate::support::*;

/// The rows of a log that is made of a cut alone.
fn rows_of(cut: &LogCut) -> Vec<(Vec<u8>, Vec<u8>)> {
    let copy = SimDisk::new();
    copy.create_dir_all(&dir()).expect("creates");
    for file in &cut.files {
        let mut bytes = vec![0; file.len as usize];
        assert_eq!(file.read_at(&mut bytes, 0).expect("readable"), bytes.len(), "{}", file.name);
        copy.create(&dir().join(&file.name)).expect("creates").write_at(&bytes, 0).expect("writes");
    }
    let store = open(&copy);
    assert_eq!(store.durable_seq(), cut.seq);
    assert_eq!(store.stats().torn_bytes, 0);
    all(&store, 100, false)
}

#[test]
fn a_cut_is_what_was_committed_whatever_is_written_and_cleaned_later() {
    for level in [Level::Always, Level::Interval, Level::Os] {
        let disk = SimDisk::new();
        let store = open_at(&disk, level);
        let mut cuts = Vec::new();
        for i in 0..120u32 {
            commit(&store, put(ROWS, &(i % 7).to_be_bytes(), &vec![i as u8; 100 + (i as usize * 37) % 900]));
            if i % 20 == 10 {
                commit(&store, delete(ROWS, &(i % 7).to_be_bytes()));
            }
            if i % 10 == 5 {
                // Not durable yet when the cut is begun.
                store.commit(put(ROWS, b"late", &i.to_be_bytes())).expect("commits");
                let begun = store.cut();
                store.commit(put(ROWS, b"late", b"too late")).expect("commits");
                let seq = begun.seq();
                let cut = begun.settled().expect("settles");
                assert_eq!(cut.seq, seq);
                cuts.push((cut, i));
            }
            while store.clean().expect("cleans") {}
        }
        assert!(store.stats().cleaned_bytes > 20_000);
        for (cut, i) in &cuts {
            let rows = rows_of(cut);
            let late = rows.iter().find(|(key, _)| key == b"late").expect("is there");
            assert_eq!(late.1, i.to_be_bytes());
            let newest = rows.iter().filter(|(key, _)| key != b"late").map(|(_, body)| body[0]).max();
            assert_eq!(newest, Some(*i as u8), "the last row before the cut is in it, none after it");
        }
    }
}

#[test]
fn a_cut_of_a_log_that_fails_is_an_error() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(ROWS, b"a", b"1"));
    disk.crash();
    store.commit(put(ROWS, b"b", b"2")).expect("there is room");
    // Waits for the frame that never becomes durable, and is told so.
    assert!(matches!(store.cut().settled(), Err(Error::Failed(_))));
}

#[test]
fn a_log_at_rest_is_cut_without_its_torn_tail() {
    let disk = SimDisk::new();
    let store = open(&disk);
    for i in 0..50u32 {
        commit(&store, put(ROWS, &i.to_be_bytes(), &[7; 300]));
    }
    drop(store);
    let disk = disk.reboot(Reboot::Kept);
    let (claim, cut) = Store::cut_at_rest(&disk, &dir()).expect("is whole");
    assert!(Store::cut_at_rest(&disk, &dir()).is_err(), "it is claimed");
    assert_eq!(rows_of(&cut).len(), 50);
    drop(claim);
    assert_eq!(open(&disk).durable_seq(), cut.seq);
}
