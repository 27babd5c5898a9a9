//! A key whose deadline has passed, met by the timer worker.

use bytes::Bytes;

use crate::{
    Error, Key, Namespace, Result, Timestamp, keys,
    kv::slot::Slot,
    timers::Target,
    txn::{Deadline, Txn},
    types,
};

/// Expires the key with row key `row`, whose timer rang for `deadline`; the caller holds its lock. A timer that does
/// not belong to what the key holds by now is removed, and nothing else happens.
pub(crate) fn expire(txn: &mut Txn<'_>, row: &[u8], deadline: Timestamp) -> Result<()> {
    let (namespace, key) = names(row).ok_or_else(|| Error::unreadable("a timer"))?;
    if types::expire(txn, row, deadline)? {
        return Ok(());
    }
    let mut slot = Slot::load(txn, namespace, key)?;
    if slot.deadline() == Deadline::At(deadline) {
        slot.expire_if_due(txn);
    } else {
        txn.clear_timer(deadline, Target::Key(row));
    }
    Ok(())
}

fn names(row: &[u8]) -> Option<(Namespace, Key)> {
    let (namespace, key) = keys::split_kv(row)?;
    let namespace = Namespace::new(Bytes::copy_from_slice(namespace)).ok()?;
    Some((namespace, Key::new(Bytes::copy_from_slice(key)).ok()?))
}
