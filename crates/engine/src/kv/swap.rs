//! Writing one key and telling what it held before.

use manifold_store::Row;

use crate::{
    Key, Kind, Namespace, Result, keys,
    kv::{Entry, Put, Swapped, put, row::Head, slot::Slot},
    live::Live,
    txn::{self, Txn},
};

/// Writes a value unless its condition fails; either way tells what was there.
pub(crate) async fn swap(live: &Live, namespace: &Namespace, put: Put) -> Result<Swapped> {
    put::check_size(live, &put.value)?;
    live.store.room().await;
    let row = keys::kv(namespace, &put.key);
    let key = put.key.clone();
    let decided = {
        let _held = live.locks.lock(&row);
        txn::decide(live, |txn| {
            let mut slot = Slot::load(txn, namespace.clone(), put.key.clone())?;
            let previous = slot.live_row(txn).cloned();
            Ok((apply(live, txn, &mut slot, put)?, previous))
        })
    };
    let ((draft, previous), committed) = live.settle(decided).await?;
    let written = draft.map(|draft| put::entry(&committed.changes[draft]));
    Ok(Swapped { previous: previous.map(|row| read(key, &row)).transpose()?.flatten(), written })
}

/// The rule: that of a put, but a condition that fails is an answer and no error.
fn apply(live: &Live, txn: &mut Txn<'_>, slot: &mut Slot, put: Put) -> Result<Option<usize>> {
    match slot.check(txn, put.when) {
        Ok(()) => put::apply(txn, slot, put).map(Some),
        Err(refused) if matches!(refused.kind(), Kind::Conflict { .. }) => {
            live.counters.refused(&refused);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The content of a long value is read only here, when no lock is held any more.
fn read(key: Key, row: &Row) -> Result<Option<Entry>> {
    Head::read(row)?.map(|head| head.entry(key, row, false)).transpose()
}
