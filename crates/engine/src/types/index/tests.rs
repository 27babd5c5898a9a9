use std::collections::BTreeSet;

use manifold_store::Batch;
use proptest::prelude::*;

use super::*;
use crate::tests::House;

const TABLE: Table = keys::ZSET_ORDER;
const ID: u64 = 7;

/// Some rows are added, then some removed, as two commits.
#[derive(Debug, Clone)]
struct Round {
    add: Vec<u16>,
    remove: Vec<u16>,
    fill: bool,
}

fn round() -> impl Strategy<Value = Round> {
    let many = || (any::<u16>(), 0u16..2000, 1u16..9);
    (many(), many(), any::<bool>()).prop_map(|(add, remove, fill)| {
        let run =
            |(from, len, step): (u16, u16, u16)| (0..len).map(|n| from.wrapping_add(n.wrapping_mul(step))).collect();
        Round { add: run(add), remove: run(remove), fill }
    })
}

fn row(key: u16) -> Vec<u8> {
    keys::in_collection(ID, &key.to_be_bytes()).to_vec()
}

impl Index {
    fn check(&self, rows: &BTreeSet<u16>) {
        let total: u64 = self.groups.iter().map(|group| group.count).sum();
        assert_eq!(total, rows.len() as u64);
        assert!(self.groups.iter().all(|group| group.count == count_of(&group.blocks) && !group.blocks.is_empty()));
        let blocks = self.groups.iter().flat_map(|group| &group.blocks);
        assert!(blocks.clone().all(|block| block.count <= BLOCK_MAX));
        assert!(blocks.clone().count() <= rows.len() / 16 + 2, "no swarm of short blocks");
        assert!(blocks.map(|block| &block.first).is_sorted());
        let sorted: Vec<u16> = rows.iter().copied().collect();
        for rank in (0..sorted.len()).step_by(97) {
            let near = self.at(rank as u64).expect("a block");
            let key = sorted[rank].to_be_bytes();
            assert!(near.first[..] <= key[..] && near.before <= rank as u64);
            assert_eq!(near, self.near(&key));
            let skipped = sorted.iter().filter(|other| other.to_be_bytes()[..] < near.first[..]).count();
            assert_eq!(skipped as u64, near.before);
        }
        assert_eq!(self.at(sorted.len() as u64), None);
    }
}

#[test]
fn an_index_counts_what_the_model_has() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let done = runner.run(&proptest::collection::vec(round(), 1..8), |rounds| {
        let house = runtime.block_on(House::new());
        let store = &house.live().expect("live").store;
        let mut index = Index::default();
        let mut rows = BTreeSet::new();
        for Round { add, remove, fill } in rounds {
            let added: BTreeSet<u16> = add.into_iter().filter(|key| rows.insert(*key)).collect();
            let mut batch = Batch::new();
            added.iter().for_each(|key| batch.put(TABLE, &row(*key), &[], &[]));
            store.commit(batch).expect("commit");
            added.iter().for_each(|key| index.follow(&row(*key), true));
            added.iter().for_each(|key| index.split_at(store, TABLE, &row(*key)));
            let removed: BTreeSet<u16> = remove.into_iter().filter(|key| rows.remove(key)).collect();
            let mut batch = Batch::new();
            removed.iter().for_each(|key| batch.delete(TABLE, &row(*key)));
            store.commit(batch).expect("commit");
            removed.iter().for_each(|key| index.follow(&row(*key), false));
            if fill && index.fill(store, TABLE, ID) {
                index.check(&rows);
            }
        }
        while !index.fill(store, TABLE, ID) {}
        index.check(&rows);
        runtime.block_on(house.close()).expect("closes");
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}
