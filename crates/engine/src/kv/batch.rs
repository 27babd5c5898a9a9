//! Many operations as one change of state.

use std::collections::{HashMap, hash_map};

use foldhash::quality::RandomState;

use crate::{
    Cut, Error, Kind, Result,
    keys::{self, RowKey},
    kv::{Op, Outcome, delete, put, slot::Slot},
    live::Live,
    txn::{self, Txn},
};

/// Applies all operations in order, or none.
pub(crate) async fn batch(live: &Live, operations: Vec<Op>) -> Result<Cut<Vec<Outcome>>> {
    check(live, &operations)?;
    live.store.room().await;
    let rows: Vec<RowKey> = operations.iter().map(row_key).collect();
    let decided = {
        let _held = live.locks.lock_all(rows.iter().map(|row| &row[..]));
        txn::decide(live, |txn| apply(txn, operations, rows))
    };
    let (drafts, committed) = live.settle(decided).await?;
    let it = drafts.into_iter().map(|draft| draft.map(|draft| delete::changed(&committed, draft))).collect();
    Ok(Cut { head: delete::head_after(live, &committed), it })
}

fn check(live: &Live, operations: &[Op]) -> Result<()> {
    let limit = live.limits.batch_ops;
    if operations.len() > limit {
        return Err(Error::new(Kind::Invalid, format!("a batch has at most {limit} operations")));
    }
    for (index, operation) in operations.iter().enumerate() {
        if let Op::Put(_, put) = operation {
            put::check_size(live, &put.value).map_err(|error| error.at(index))?;
        }
    }
    Ok(())
}

fn row_key(operation: &Op) -> RowKey {
    match operation {
        Op::Put(namespace, put) => keys::kv(namespace, &put.key),
        Op::Delete(namespace, delete) => keys::kv(namespace, &delete.key),
    }
}

/// The keys of a batch; clients choose the names, so the hash is seeded.
type Slots = HashMap<RowKey, Slot, RandomState>;

/// Runs the rules one after another: each sees what those before it did, through the slot they share.
fn apply(txn: &mut Txn<'_>, operations: Vec<Op>, rows: Vec<RowKey>) -> Result<Vec<Option<usize>>> {
    if operations.iter().all(|operation| matches!(operation, Op::Delete(..))) {
        txn.relief();
    }
    let mut slots = Slots::with_capacity_and_hasher(rows.len(), RandomState::default());
    let mut drafts = Vec::with_capacity(rows.len());
    for (index, (operation, row)) in operations.into_iter().zip(rows).enumerate() {
        drafts.push(apply_one(txn, &mut slots, operation, row).map_err(|error| error.at(index))?);
    }
    Ok(drafts)
}

fn apply_one(txn: &mut Txn<'_>, slots: &mut Slots, operation: Op, row: RowKey) -> Result<Option<usize>> {
    let (namespace, key) = match &operation {
        Op::Put(namespace, put) => (namespace, &put.key),
        Op::Delete(namespace, delete) => (namespace, &delete.key),
    };
    let slot = match slots.entry(row) {
        hash_map::Entry::Occupied(known) => known.into_mut(),
        hash_map::Entry::Vacant(new) => new.insert(Slot::load(txn, namespace.clone(), key.clone())?),
    };
    match operation {
        Op::Put(_, put) => put::apply(txn, slot, put).map(Some),
        Op::Delete(_, delete) => delete::apply(txn, slot, delete),
    }
}
