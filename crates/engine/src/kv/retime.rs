//! Giving a key another deadline. That is a write of the value it has.

use crate::{
    Namespace, Result, keys,
    kv::{Entry, Expires, Retime, Value, put, row::Head, slot::Slot},
    live::Live,
    txn::{self, Deadline, Txn},
};

/// Gives a live key a deadline, or takes it away; the entry it is then.
pub(crate) async fn retime(live: &Live, namespace: &Namespace, retime: Retime) -> Result<Option<Entry>> {
    live.store.room().await;
    let row = keys::kv(namespace, &retime.key);
    let decided = {
        let _held = live.locks.lock(&row);
        txn::decide(live, |txn| {
            let mut slot = Slot::load(txn, namespace.clone(), retime.key.clone())?;
            apply(txn, &mut slot, retime)
        })
    };
    let (draft, committed) = live.settle(decided).await?;
    Ok(draft.map(|draft| put::entry(&committed.changes[draft])))
}

/// The rule. Nothing of it depends on the value: it is read, perhaps from the disk, only to be written again.
fn apply(txn: &mut Txn<'_>, slot: &mut Slot, retime: Retime) -> Result<Option<usize>> {
    let Some(row) = slot.live_row(txn).cloned() else { return Ok(None) };
    let deadline = match retime.expires {
        Expires::Never => Deadline::Never,
        Expires::At(at) => Deadline::At(at),
        Expires::In(duration) => Deadline::In(duration),
        Expires::Keep => slot.deadline(),
    };
    if deadline == slot.deadline() {
        return Ok(None);
    }
    txn.grow()?;
    let Some(head) = Head::read(&row)? else { return Ok(None) };
    let value = Value { encoding: head.encoding, bytes: row.body()? };
    Ok(Some(slot.set(txn, value, deadline, retime.actor)))
}
