//! Dead letters: looking at them, giving them another chance, throwing them away.

use std::{collections::HashSet, ops::Bound};

use crate::{
    Error, Namespace, Result, Timestamp, keys,
    live::Live,
    queue::{
        DeadLetter, DeadPage, ListDead, Message, QueueName, Reason, Settled,
        pack::Stored,
        registry::absent,
        rows::{Fate, Mark},
        state::State,
        step::Step,
    },
};

pub(crate) async fn list(live: &Live, namespace: &Namespace, name: &QueueName, list: ListDead) -> Result<DeadPage> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    let (found, more) = queue.look(live, |inner| inner.existing(name)?.dead_letters(live, list)).await?;
    let letters = found.iter().map(Found::read).collect::<Result<_>>()?;
    Ok(DeadPage { letters, more })
}

/// A dead letter, its content not yet read.
struct Found {
    stored: Stored,
    sequence: u64,
    attempts: u32,
    max_attempts: u32,
    dead_at: Timestamp,
    reason: Reason,
}

impl State {
    fn dead_letters(&mut self, live: &Live, list: ListDead) -> Result<(Vec<Found>, bool)> {
        let from = list.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found: Vec<Found> = Vec::new();
        let mut bytes = 0usize;
        for (at, sequence) in self.order.dead.range((from, Bound::Unbounded)) {
            let stored = self.message(live, *sequence)?;
            bytes = bytes.saturating_add(stored.body_len());
            if found.len() == list.limit.max(1) || (bytes > list.max_bytes && !found.is_empty()) {
                return Ok((found, true));
            }
            let Some(Mark { attempts, fate: Fate::Dead { reason, .. } }) = self.mark(live, *sequence)? else {
                return Err(Error::unreadable("a dead letter"));
            };
            let max_attempts = stored.slip()?.max_attempts.unwrap_or(self.card.settings.max_attempts);
            found.push(Found { stored, sequence: *sequence, attempts, max_attempts, dead_at: *at, reason });
        }
        Ok((found, false))
    }
}

impl Found {
    fn read(&self) -> Result<DeadLetter> {
        let Found { stored, sequence, attempts, max_attempts, dead_at, reason } = self;
        let message = Message::read(stored, *sequence, *attempts, *max_attempts)?;
        Ok(DeadLetter { message, dead_at: *dead_at, reason: *reason })
    }
}

pub(crate) async fn requeue(live: &Live, namespace: &Namespace, name: &QueueName, dead: &[u64]) -> Result<Settled> {
    live.store.room().await;
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue.run(live, |inner| inner.existing(name)?.step(live, |step| requeue_each(step, dead))).await
}

fn requeue_each(step: &mut Step<'_, '_>, dead: &[u64]) -> Result<Settled> {
    let mut settled = Settled::default();
    let mut named = HashSet::with_capacity(dead.len());
    for sequence in dead.iter().filter(|sequence| named.insert(**sequence)) {
        match step.letter(*sequence)? {
            Some(letter) => {
                step.requeue(letter);
                settled.done += 1;
            }
            None => settled.not_found.push(*sequence),
        }
    }
    Ok(settled)
}
