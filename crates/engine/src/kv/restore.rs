//! The floor of a namespace from an export: the highest version among removed keys that are forgotten.

use crate::{
    Namespace, Result,
    export::{Done, How},
    keys,
    kv::row::Floor,
    live::Live,
    txn,
};

/// Raises the floor of a namespace.
pub(crate) async fn restore_floor(live: &Live, namespace: &Namespace, version: u64, how: How<'_>) -> Result<Done> {
    live.store.room().await;
    let decided = {
        // Whoever forgets tombstones holds the same lock.
        let _held = live.locks.lock(namespace.as_bytes());
        txn::decide(live, |txn| {
            let known = txn.get(keys::FLOOR, namespace.as_bytes()).map(|row| Floor::read(&row)).transpose()?;
            let done = if known.is_some_and(|Floor(known)| known >= version) { Done::Same } else { Done::Written };
            if done == Done::Written {
                txn.enter(namespace);
                txn.put(keys::FLOOR, namespace.as_bytes(), &Floor(version).encode(), &[]);
            }
            (how.mark)(&[done]).write(txn);
            Ok(done)
        })
    };
    Ok(live.settle(decided).await?.0)
}
