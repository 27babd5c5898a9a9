//! Writing one key.

use crate::{
    Error, Kind, Namespace, Result,
    feed::{Change, How},
    kv::{Entry, Expires, Put, Value, change::change, slot::Slot},
    live::Live,
    txn::{Deadline, Txn},
};

/// Writes a value; the answer is the new entry.
pub(crate) async fn put(live: &Live, namespace: &Namespace, put: Put) -> Result<Entry> {
    check_size(live, &put.value)?;
    let done = change(live, namespace, put.key.clone(), |txn, slot| apply(txn, slot, put));
    let (draft, committed) = done.await?;
    Ok(entry(&committed.changes[draft]))
}

/// The rule: the condition, then the expiry that is due, then the write.
pub(crate) fn apply(txn: &mut Txn<'_>, slot: &mut Slot, put: Put) -> Result<usize> {
    slot.check(txn, put.when)?;
    txn.replace();
    slot.expire_if_due(txn);
    let deadline = match put.expires {
        Expires::Never => Deadline::Never,
        Expires::At(at) => Deadline::At(at),
        Expires::In(duration) => Deadline::In(duration),
        Expires::Keep => slot.deadline(),
    };
    Ok(slot.set(txn, How::Put, put.value, deadline, put.actor))
}

pub(crate) fn check_size(live: &Live, value: &Value) -> Result<()> {
    let (size, limit) = (value.bytes.len(), live.limits.value_bytes);
    if size > limit {
        return Err(Error::new(Kind::TooLarge, format!("a value of {size} bytes is over the limit of {limit}")));
    }
    Ok(())
}

/// The entry that a set left.
pub(crate) fn entry(change: &Change) -> Entry {
    Entry {
        key: change.key.clone(),
        value: change.value.clone().expect("a set has a value"),
        version: change.version,
        actor: change.actor.clone(),
        updated_at: change.at,
        expires_at: change.expires_at,
        seq: change.seq,
    }
}
