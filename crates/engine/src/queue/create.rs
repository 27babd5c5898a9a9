//! Making a queue.

use crate::{
    Error, Namespace, Result, keys,
    live::Live,
    queue::{Created, Named, QueueName, Settings, step::Step},
};

pub(crate) async fn create(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    base: Settings,
    named: Named,
) -> Result<Created> {
    live.store.room().await;
    let row = keys::queue(namespace, name);
    let queue = live.queues.find_or_expect(live, &row);
    queue.run(live, |inner| inner.make(live, &row, |step| configure(step, name, base, named))).await
}

/// The rule. A queue that somebody made has its settings for good: only what is named has to be as it is.
fn configure(step: &mut Step<'_, '_>, name: &QueueName, base: Settings, named: Named) -> Result<Created> {
    let card = step.card;
    if card.configured && !card.deleted {
        return if named.over(card.settings) == card.settings {
            Ok(Created::Unchanged)
        } else {
            Err(Error::conflict(0, format!("queue {name} has other settings")))
        };
    }
    if card.deleted {
        step.txn.grow()?;
    }
    step.revive(named.over(base), true);
    Ok(if card.deleted { Created::New } else { Created::Configured })
}
