//! What all verbs on one key have in common.

use crate::{
    Key, Namespace, Result, keys,
    kv::slot::Slot,
    live::Live,
    txn::{self, Committed, Txn},
};

/// Runs a rule on one key, and answers when that is durable.
pub(crate) async fn change<T>(
    live: &Live,
    namespace: &Namespace,
    key: Key,
    rule: impl FnOnce(&mut Txn<'_>, &mut Slot) -> Result<T>,
) -> Result<(T, Committed)> {
    live.store.room().await;
    let row = keys::kv(namespace, &key);
    let decided = {
        let _held = live.locks.lock(&row);
        txn::decide(live, |txn| {
            let mut slot = Slot::load(txn, namespace.clone(), key)?;
            rule(txn, &mut slot)
        })
    };
    live.settle(decided).await
}
