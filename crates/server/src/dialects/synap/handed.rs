//! Messages on their way to a consumer, inside of an answer. When the answer is lost they go back to their places as if
//! nobody had taken them: their consumer has never seen them.

use manifold_engine::{
    Engine, Namespace,
    queue::{Held, QueueName, Shelf},
};

use crate::net::Receipt;

/// A message that was leased to who is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) queue: QueueName,
    pub(super) shelf: Shelf,
    pub(super) held: Held,
}

/// Takes messages back when the answer that carries them is lost; none when it carries none.
pub(super) fn receipt(engine: Engine, namespace: Namespace, handed: Vec<Handed>) -> Option<Receipt> {
    if handed.is_empty() {
        return None;
    }
    Some(Receipt::new(move || {
        for Handed { queue, shelf, held } in &handed {
            if let Err(error) = engine.queue_hand_back(&namespace, queue, *shelf, &[*held]) {
                tracing::debug!(%error, "a message that was not received comes back when its lease ends");
            }
        }
    }))
}
