//! Crashes at every I/O step, on the simulated disk.

use std::collections::BTreeMap;

use manifold_store::{
    Batch, Level, Store, View,
    disk::{Fault, Reboot, SimDisk},
};

use crate::support::*;

/// One step of the script: a batch of one to three operations over few keys, so that rows are overwritten, deleted
/// and cleaned; every tenth step is long, every fifteenth cleans.
#[derive(Debug, Clone)]
struct Step {
    ops: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    clean: bool,
}

fn script(seed: u64, steps: usize) -> Vec<Step> {
    let mut x = seed | 1;
    let mut rand = move |n: u64| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x % n
    };
    (0..steps)
        .map(|i| {
            let n = 1 + rand(3);
            let ops = (0..n)
                .map(|_| {
                    let key = format!("key-{}", rand(8)).into_bytes();
                    let len = if i % 10 == 9 { 2500 } else { rand(200) as usize };
                    let value = (rand(4) > 0).then(|| vec![i as u8; len]);
                    (key, value)
                })
                .collect();
            Step { ops, clean: i % 15 == 14 }
        })
        .collect()
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn apply(model: &mut Model, step: &Step) {
    for (key, value) in &step.ops {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

fn batch(step: &Step) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in &step.ops {
        match value {
            Some(value) => batch.put(ROWS, key, b"h", value),
            None => batch.delete(ROWS, key),
        }
    }
    batch
}

/// Runs the script until the disk stops it; the states after each acknowledged step and, last, after the step in flight.
fn run(store: &Store, script: &[Step]) -> (Vec<Model>, bool) {
    let mut states = vec![Model::new()];
    for step in script {
        let mut next = states.last().expect("never empty").clone();
        apply(&mut next, step);
        states.push(next);
        let done = store.commit(batch(step)).and_then(|seq| store.wait_durable(seq));
        let done = done.and_then(|()| if step.clean { store.clean().map(drop) } else { Ok(()) });
        if done.is_err() {
            return (states, false);
        }
    }
    (states, true)
}

fn contents(store: &Store) -> Model {
    all(store, 100, false).into_iter().collect()
}

/// After a crash the state is that of the last acknowledged step, or of the one that was in flight.
fn check(store: &Store, states: &[Model], finished: bool, what: &str) {
    let found = contents(store);
    let last = states.len() - 1;
    let acknowledged = if finished { last } else { last - 1 };
    assert!(
        found == states[acknowledged] || found == states[last],
        "{what}: not the state of an acknowledged step, of {} steps",
        states.len()
    );
    for (key, value) in &found {
        assert_eq!(get(store, ROWS, key).as_ref(), Some(value));
    }
}

/// The calls that the whole script makes.
fn calls_of(script: &[Step]) -> u64 {
    let disk = SimDisk::new();
    let store = open(&disk);
    let (_, finished) = run(&store, script);
    assert!(finished);
    drop(store);
    disk.calls()
}

#[test]
fn a_script_crashed_at_every_step_loses_nothing_and_starts_again() {
    let script = script(42, 60);
    let calls = calls_of(&script);
    assert!(calls > 150, "the script makes only {calls} calls");
    for call in 1..=calls {
        for fault in [Fault::Crash, Fault::Tear] {
            let disk = SimDisk::new();
            disk.fault_at(call, fault);
            let (states, finished) = match try_open(&disk) {
                Ok(store) => run(&store, &script),
                Err(_) => (vec![Model::new()], true),
            };
            for how in [Reboot::Lost, Reboot::Kept, Reboot::Mixed(call)] {
                let what = format!("{fault:?} at call {call}, {how:?}");
                let after = disk.reboot(how);
                recover_under_crashes(&after, &states, finished, &what);
                let store = open(&after);
                check(&store, &states, finished, &what);
                // And the store is a good one: it takes more and gives it back.
                commit(&store, put(ROWS, b"zz", b"more"));
                drop(store);
                assert_eq!(get(&open(&after.reboot(Reboot::Lost)), ROWS, b"zz"), Some(b"more".to_vec()), "{what}");
            }
        }
    }
}

/// Crashes the recovery itself at each of its own calls.
fn recover_under_crashes(disk: &SimDisk, states: &[Model], finished: bool, what: &str) {
    for call in 1.. {
        let disk = disk.reboot(Reboot::Kept);
        disk.fault_at(call, Fault::Crash);
        match try_open(&disk) {
            Ok(store) if !disk.crashed() => return check(&store, states, finished, what),
            _ => {}
        }
        for how in [Reboot::Lost, Reboot::Kept] {
            let again = disk.reboot(how);
            check(&open(&again), states, finished, &format!("{what}, recovery crashed at its call {call}, {how:?}"));
        }
    }
}

#[test]
fn a_thousand_random_crashes_lose_nothing() {
    for seed in 1..=1000u64 {
        let script = script(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), 40);
        let disk = SimDisk::new();
        let fault = if seed % 2 == 0 { Fault::Crash } else { Fault::Tear };
        disk.fault_at(1 + seed * 7919 % 160, fault);
        let (states, finished) = match try_open(&disk) {
            Ok(store) => run(&store, &script),
            Err(_) => (vec![Model::new()], true),
        };
        let how = [Reboot::Lost, Reboot::Kept, Reboot::Mixed(seed)][(seed % 3) as usize];
        check(&open(&disk.reboot(how)), &states, finished, &format!("seed {seed}, {how:?}"));
    }
}

#[test]
fn weaker_levels_lose_only_a_suffix() {
    for level in [Level::Interval, Level::Os] {
        for seed in 1..=60u64 {
            let disk = SimDisk::new();
            let store = open_at(&disk, level);
            let mut states = vec![Model::new()];
            for step in script(seed, 40) {
                let mut next = states.last().expect("never empty").clone();
                apply(&mut next, &step);
                states.push(next);
                commit(&store, batch(&step));
            }
            disk.crash();
            drop(store);
            // The process died: the kernel has everything. The machine died: a prefix is left.
            let kept = contents(&open(&disk.reboot(Reboot::Kept)));
            assert_eq!(Some(&kept), states.last(), "{level:?}, seed {seed}");
            for how in [Reboot::Lost, Reboot::Mixed(seed)] {
                let found = contents(&open(&disk.reboot(how)));
                assert!(states.contains(&found), "{level:?}, seed {seed}, {how:?}: not a prefix");
            }
        }
    }
}

#[test]
fn rows_not_yet_durable_are_never_shown_and_never_half_there() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(ROWS, b"a", b"0"));
    disk.fail_syncs(true);
    let mut batch = Batch::new();
    batch.put(ROWS, b"a", b"h", b"1");
    batch.put(ROWS, b"b", b"h", b"1");
    let seq = store.commit(batch).expect("accepted");
    assert!(store.wait_durable(seq).is_err());
    assert_eq!(all(&store, 10, false), [(b"a".to_vec(), b"0".to_vec())]);
    assert!(store.get(View::Latest, ROWS, b"b").is_some());
}
