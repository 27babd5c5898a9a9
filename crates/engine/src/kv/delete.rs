//! Removing one key.

use crate::{
    Cut, Namespace, Result,
    kv::{Changed, Delete, Outcome, change::change, slot::Slot},
    live::Live,
    txn::{Committed, Txn},
};

/// Deletes a key; `None` when it was absent.
pub(crate) async fn delete(live: &Live, namespace: &Namespace, delete: Delete) -> Result<Cut<Outcome>> {
    let done = change(live, namespace, delete.key.clone(), |txn, slot| {
        txn.relief();
        apply(txn, slot, delete)
    });
    let (draft, committed) = done.await?;
    let it = draft.map(|draft| changed(&committed, draft));
    Ok(Cut { head: head_after(live, &committed), it })
}

/// The rule. A key past its deadline expires and counts as absent: there is nothing left to delete.
pub(crate) fn apply(txn: &mut Txn<'_>, slot: &mut Slot, delete: Delete) -> Result<Option<usize>> {
    slot.check(txn, delete.when)?;
    slot.expire_if_due(txn);
    Ok(slot.delete(txn, delete.actor))
}

pub(crate) fn changed(committed: &Committed, draft: usize) -> Changed {
    let change = &committed.changes[draft];
    Changed { version: change.version, seq: change.seq }
}

/// The number of the last change made, or the head when there was none.
pub(crate) fn head_after(live: &Live, committed: &Committed) -> u64 {
    committed.changes.last().map_or_else(|| live.feed.head(&live.store), |change| change.seq)
}
