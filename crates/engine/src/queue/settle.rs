//! What a consumer does with the messages it holds: acknowledge, give back, hold longer.

use std::{collections::HashSet, time::Duration};

use crate::{
    Namespace, Result, keys,
    live::Live,
    queue::{
        Held, Nack, NackTo, QueueName, Reason, Settled,
        order::Place,
        registry::{Inner, absent},
        rows::Lease,
        step::{Leased, Step},
    },
};

/// What is done with messages that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Ack,
    GiveUp(NackTo),
    Extend(Duration),
}

pub(crate) async fn ack(live: &Live, namespace: &Namespace, name: &QueueName, held: &[Held]) -> Result<Settled> {
    each(live, namespace, name, held, Deed::Ack).await
}

pub(crate) async fn nack(live: &Live, namespace: &Namespace, name: &QueueName, nack: &Nack) -> Result<Settled> {
    each(live, namespace, name, &nack.messages, Deed::GiveUp(nack.to)).await
}

pub(crate) async fn extend(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    held: &[Held],
    lease: Duration,
) -> Result<Settled> {
    each(live, namespace, name, held, Deed::Extend(lease)).await
}

/// Does the same with every message that is held as the caller says, as one change.
async fn each(live: &Live, namespace: &Namespace, name: &QueueName, held: &[Held], deed: Deed) -> Result<Settled> {
    live.store.room().await;
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue.run(live, |inner| inner.existing(name)?.step(live, |step| settle(step, held, deed))).await
}

/// The rule.
fn settle(step: &mut Step<'_, '_>, held: &[Held], deed: Deed) -> Result<Settled> {
    if !matches!(deed, Deed::Extend(_)) {
        step.txn.relief();
    }
    let mut settled = Settled::default();
    let mut named = HashSet::with_capacity(held.len());
    for held in held.iter().filter(|held| named.insert(held.sequence)) {
        match step.held(*held)? {
            None => settled.not_found.push(held.sequence),
            Some(leased) if deed.apply(step, leased)? => settled.dead += 1,
            Some(_) => settled.done += 1,
        }
    }
    Ok(settled)
}

impl Held {
    /// Whether the message is held as the caller says.
    pub(crate) fn by(self, lease: Lease) -> bool {
        self.lease.is_none_or(|number| number == lease.number)
    }
}

impl Deed {
    /// Whether the message became a dead letter.
    fn apply(self, step: &mut Step<'_, '_>, leased: Leased) -> Result<bool> {
        match self {
            Deed::Ack => {
                step.tally.acked += 1;
                step.remove(leased.sequence, Place::Leased(leased.until)).map(|()| false)
            }
            Deed::GiveUp(to) => give_up(step, leased, to),
            Deed::Extend(lease) => {
                step.extend(leased, step.now().plus(lease));
                Ok(false)
            }
        }
    }
}

/// Gives back what a caller that went away was about to get.
pub(crate) fn hand_back(inner: &mut Inner, live: &Live, name: &QueueName, held: &[Held]) -> Result<()> {
    inner.existing(name)?.step(live, |step| {
        step.txn.relief();
        for held in held {
            if let Some(leased) = step.held(*held)? {
                step.take_back(leased)?;
            }
        }
        Ok(())
    })
}

fn give_up(step: &mut Step<'_, '_>, leased: Leased, to: NackTo) -> Result<bool> {
    match to {
        NackTo::Ready(delay) => {
            let due = (!delay.is_zero()).then(|| step.now().plus(delay)).filter(|due| due.0 < u64::MAX);
            step.give_back(leased, Reason::Nack, due)
        }
        NackTo::Undelivered => step.take_back(leased).map(|()| false),
        NackTo::Dead => {
            let priority = step.message(leased.sequence)?.slip()?.priority;
            step.kill(leased, priority, Reason::Nack).map(|()| true)
        }
    }
}
