//! Making a queue.

use crate::{
    Error, Namespace, Result, keys,
    live::Live,
    queue::{Created, QueueName, Settings, step::Step},
};

pub(crate) async fn create(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    settings: Settings,
) -> Result<Created> {
    live.store.room().await;
    let row = keys::queue(namespace, name);
    let queue = live.queues.find_or_expect(live, &row);
    queue.run(live, |inner| inner.make(live, &row, |step| configure(step, name, settings))).await
}

/// The rule.
fn configure(step: &mut Step<'_, '_>, name: &QueueName, settings: Settings) -> Result<Created> {
    let card = step.card;
    if card.configured && !card.deleted {
        return if card.settings == settings {
            Ok(Created::Unchanged)
        } else {
            Err(Error::conflict(0, format!("queue {name} has other settings")))
        };
    }
    if card.deleted {
        step.txn.grow()?;
    }
    step.revive(settings, true);
    Ok(if card.deleted { Created::New } else { Created::Configured })
}
