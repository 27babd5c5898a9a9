//! Failing syncs, failing writes, full disks.

use std::sync::Arc;

use manifold_store::{
    Error, Options, State, Store,
    disk::{Fault, Reboot, SimDisk},
};

use crate::support::*;

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_the_durable_stays_readable() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(ROWS, b"a", b"1"));
    disk.fail_syncs(true);
    let seq = store.commit(put(ROWS, b"b", b"2")).expect("accepted into the buffer");
    assert!(matches!(store.wait_durable(seq), Err(Error::Failed(_))));
    disk.fail_syncs(false);
    let calls = disk.calls();
    assert!(matches!(store.commit(put(ROWS, b"c", b"3")), Err(Error::Failed(_))));
    assert!(matches!(store.state(), State::Failed(_)));
    assert_eq!(get(&store, ROWS, b"a"), Some(b"1".to_vec()));
    assert_eq!(get(&store, ROWS, b"b"), None);
    assert!(store.close().is_err());
    assert_eq!(disk.calls(), calls, "the log is never touched again");
    drop(store);
    let store = open(&disk.reboot(Reboot::Lost));
    assert_eq!(get(&store, ROWS, b"a"), Some(b"1".to_vec()));
    assert_eq!(get(&store, ROWS, b"c"), None);
}

#[test]
fn a_call_that_fails_at_any_step_ends_writing_and_loses_nothing_acknowledged() {
    for call in 6..120 {
        let disk = SimDisk::new();
        disk.fault_at(call, Fault::Fail);
        let Ok(store) = try_open(&disk) else { continue };
        let mut acknowledged = 0;
        let mut failed = false;
        for i in 0..40u32 {
            let done = store.commit(put(ROWS, &i.to_be_bytes(), &[1; 300])).and_then(|seq| store.wait_durable(seq));
            match done {
                Ok(()) => {
                    assert!(!failed, "call {call}: acknowledged after a failure");
                    acknowledged = i + 1;
                }
                Err(_) => failed = true,
            }
        }
        drop(store);
        for how in [Reboot::Lost, Reboot::Kept] {
            let store = open(&disk.reboot(how));
            for i in 0..acknowledged {
                assert_eq!(get(&store, ROWS, &i.to_be_bytes()), Some(vec![1; 300]), "call {call}, row {i}");
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_growth_takes_deletes_and_heals() {
    for capacity in (2000..12_000).step_by(613) {
        let disk = SimDisk::new();
        let store = open(&disk);
        disk.set_capacity(Some(capacity));
        let mut kept = 0u32;
        while let Ok(seq) = store.commit(put(ROWS, &kept.to_be_bytes(), &[2; 100])) {
            store.wait_durable(seq).expect("what is accepted becomes durable");
            kept += 1;
        }
        assert_eq!(store.state(), State::Full);
        assert!(matches!(store.commit(put(ROWS, b"x", &[2; 100])), Err(Error::Full)));
        let seq = store.commit(delete(ROWS, &0u32.to_be_bytes()));
        if kept > 0 {
            store.wait_durable(seq.expect("deletes use the reserve")).expect("durable");
        }
        for i in 1..kept {
            assert_eq!(get(&store, ROWS, &i.to_be_bytes()), Some(vec![2; 100]));
        }
        disk.set_capacity(None);
        commit(&store, put(ROWS, b"x", b"healed"));
        assert_eq!(store.state(), State::Open);
        drop(store);
        let store = open(&disk.reboot(Reboot::Lost));
        assert_eq!(get(&store, ROWS, b"x"), Some(b"healed".to_vec()));
        assert_eq!(store.rows(ROWS), u64::from(kept.max(1)));
    }
}

#[test]
fn deleting_frees_a_full_disk() {
    let disk = SimDisk::new();
    let options = Options { reserve_bytes: 4096, ..options() };
    let store = Store::open(Arc::new(disk.clone()), &dir(), options).expect("opens");
    disk.set_capacity(Some(20_000));
    let mut kept = 0u32;
    while let Ok(seq) = store.commit(put(ROWS, &kept.to_be_bytes(), &[2; 100])) {
        store.wait_durable(seq).expect("durable");
        kept += 1;
    }
    for i in 0..kept {
        commit(&store, delete(ROWS, &i.to_be_bytes()));
    }
    while store.clean().expect("cleans") {}
    commit(&store, put(ROWS, b"again", &[3; 100]));
    assert_eq!(store.state(), State::Open);
}
