//! What a consumer does with the messages it holds: acknowledge, give back, hold longer.

use std::{collections::HashSet, time::Duration};

use crate::{
    Namespace, Result, keys,
    live::Live,
    queue::{
        Held, Nack, NackTo, QueueName, Reason, Settled,
        order::Place,
        registry::{Inner, absent},
        step::{Leased, Step},
    },
};

/// What is done with a message; whether it became a dead letter.
type Rule<'r> = &'r mut dyn FnMut(&mut Step<'_, '_>, Leased) -> Result<bool>;

pub(crate) async fn ack(live: &Live, namespace: &Namespace, name: &QueueName, held: &[Held]) -> Result<Settled> {
    each(live, namespace, name, held, Relief::Yes, &mut |step, leased| {
        step.tally.acked += 1;
        step.remove(leased.sequence, Place::Leased(leased.until))?;
        Ok(false)
    })
    .await
}

pub(crate) async fn nack(live: &Live, namespace: &Namespace, name: &QueueName, nack: &Nack) -> Result<Settled> {
    each(live, namespace, name, &nack.messages, Relief::Yes, &mut |step, leased| give_up(step, leased, nack.to)).await
}

pub(crate) async fn extend(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    held: &[Held],
    lease: Duration,
) -> Result<Settled> {
    each(live, namespace, name, held, Relief::No, &mut |step, leased| {
        let until = step.now().plus(lease);
        step.extend(leased, until);
        Ok(false)
    })
    .await
}

/// Gives back what a caller that went away was about to get.
pub(crate) fn hand_back(inner: &mut Inner, live: &Live, name: &QueueName, held: &[Held]) -> Result<()> {
    let state = inner.existing(name)?;
    state.step(live, |step| {
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
        NackTo::Dead => step.kill(leased, Reason::Nack).map(|()| true),
    }
}

/// Whether a batch may use the reserve of a full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relief {
    Yes,
    No,
}

/// Does the same with every message that is held as the caller says, as one change.
async fn each(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    held: &[Held],
    relief: Relief,
    rule: Rule<'_>,
) -> Result<Settled> {
    live.admit().await?;
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue
        .run(live, |inner| {
            inner.existing(name)?.step(live, |step| {
                if relief == Relief::Yes {
                    step.txn.relief();
                }
                settle(step, held, rule)
            })
        })
        .await
}

fn settle(step: &mut Step<'_, '_>, held: &[Held], rule: Rule<'_>) -> Result<Settled> {
    let mut settled = Settled::default();
    let mut named = HashSet::with_capacity(held.len());
    for held in held {
        if !named.insert(held.sequence) {
            continue;
        }
        match step.held(*held)? {
            None => settled.not_found.push(held.sequence),
            Some(leased) => match rule(step, leased)? {
                true => settled.dead += 1,
                false => settled.done += 1,
            },
        }
    }
    Ok(settled)
}
