//! Random scripts against a plain map, with restarts, crashes, cleaning and open snapshots in between.

use std::collections::BTreeMap;

use manifold_store::{
    Batch, Range, Snapshot,
    disk::{Reboot, SimDisk},
};
use proptest::prelude::*;

use crate::support::*;

#[derive(Debug, Clone)]
enum Step {
    Batch(Vec<(u8, Option<u16>)>),
    Clean,
    Snapshot,
    CheckSnapshot,
    Restart(bool),
    List(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec((0..40u8, prop::option::weighted(0.75, 0..1600u16)), 1..5).prop_map(Step::Batch),
        1 => Just(Step::Clean),
        1 => Just(Step::Snapshot),
        2 => Just(Step::CheckSnapshot),
        1 => any::<bool>().prop_map(Step::Restart),
        1 => (1..60u8).prop_map(Step::List),
    ]
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn rows_of(snapshot: &Snapshot) -> Model {
    let range = Range { from: Vec::new(), to: None, limit: 1000, reverse: false };
    let chunk = snapshot.range(ROWS, &range);
    assert_eq!(chunk.resume, None);
    chunk.rows.iter().map(|(k, row)| (k.to_vec(), row.body().expect("readable").to_vec())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_an_ordered_map_that_survives(steps in prop::collection::vec(step(), 1..60)) {
        let mut disk = SimDisk::new();
        let mut store = open(&disk);
        commit(&store, put(POINTS, b"a log without a frame counts as closed", b""));
        let mut model = Model::new();
        let mut dirty = true;
        let mut snapshots: Vec<(Snapshot, Model)> = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            match step {
                Step::Batch(ops) => {
                    let mut batch = Batch::new();
                    for (key, len) in ops {
                        let key = format!("a-key-long-enough-for-the-heap-{key}").into_bytes();
                        match len {
                            Some(len) => {
                                let body = vec![i as u8; usize::from(*len)];
                                batch.put(ROWS, &key, b"h", &body);
                                model.insert(key, body);
                            }
                            None => {
                                batch.delete(ROWS, &key);
                                model.remove(&key);
                            }
                        }
                    }
                    commit(&store, batch);
                    dirty = true;
                }
                Step::Clean => while store.clean().expect("cleans") {
                    dirty = true;
                },
                Step::Snapshot => snapshots.push((store.snapshot(|| ()).0, model.clone())),
                Step::CheckSnapshot => {
                    if let Some((snapshot, then)) = snapshots.pop() {
                        prop_assert_eq!(rows_of(&snapshot), then);
                    }
                }
                Step::Restart(clean) => {
                    snapshots.clear();
                    if *clean {
                        store.close().expect("closes");
                    }
                    drop(store);
                    disk = disk.reboot(if *clean { Reboot::Lost } else { Reboot::Mixed(i as u64) });
                    store = open(&disk);
                    prop_assert_eq!(store.clean_start(), *clean || !dirty);
                    dirty &= !*clean;
                }
                Step::List(limit) => {
                    let rows = all(&store, usize::from(*limit), i % 2 == 0);
                    prop_assert_eq!(rows.len(), model.len());
                    prop_assert_eq!(rows.into_iter().collect::<Model>(), model.clone());
                }
            }
            prop_assert_eq!(store.rows(ROWS), model.len() as u64);
            let bytes: usize = model.values().map(|v| v.len() + 1).sum();
            prop_assert_eq!(store.table_bytes(ROWS), bytes as u64);
        }
        prop_assert_eq!(all(&store, 17, false).into_iter().collect::<Model>(), model);
    }
}
