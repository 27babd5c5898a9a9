//! Dead letters as a queue of their own: they can be leased, given back and acknowledged where they are. To everybody
//! else a letter that is held is a dead letter like any other.

use std::collections::HashSet;

use crate::{
    Error, Namespace, Result, Timestamp, keys,
    live::Live,
    queue::{
        Held, LetterDeed, QueueName, Reason, Settled, Shelf,
        order::Place,
        registry::{Inner, absent},
        rows::{Fate, Lease, Mark},
        state::State,
        step::Step,
    },
};

/// A dead letter as its rows have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) sequence: u64,
    pub(crate) attempts: u32,
    pub(crate) priority: i64,
    pub(crate) died: Timestamp,
    pub(crate) reason: Reason,
    pub(crate) held: Option<Lease>,
}

/// Does something with letters that a caller holds, as one change.
pub(crate) async fn settle(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    held: &[Held],
    deed: LetterDeed,
) -> Result<Settled> {
    live.store.room().await;
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    let settle =
        |inner: &mut Inner| inner.queue_of(Shelf::Letters, name)?.step(live, |step| settle_each(step, held, deed));
    queue.run(live, settle).await
}

/// The rule.
fn settle_each(step: &mut Step<'_, '_>, held: &[Held], deed: LetterDeed) -> Result<Settled> {
    step.txn.relief();
    let mut settled = Settled::default();
    let mut named = HashSet::with_capacity(held.len());
    for held in held.iter().filter(|held| named.insert(held.sequence)) {
        match step.held_letter(*held)? {
            None => settled.not_found.push(held.sequence),
            Some(letter) => {
                match deed {
                    LetterDeed::Return => step.return_letter(letter),
                    LetterDeed::Ack => {
                        step.tally.letters.acked += 1;
                        step.tally.acked += 1;
                        step.remove(letter.sequence, letter.place())?;
                    }
                    LetterDeed::Discard => {
                        step.tally.letters.returned += 1;
                        step.tally.purged += 1;
                        step.remove(letter.sequence, letter.place())?;
                    }
                }
                settled.done += 1;
            }
        }
    }
    Ok(settled)
}

/// Gives back what a caller that went away was about to get.
pub(crate) fn hand_back(inner: &mut Inner, live: &Live, name: &QueueName, held: &[Held]) -> Result<()> {
    inner.queue_of(Shelf::Letters, name)?.step(live, |step| {
        step.txn.relief();
        for held in held {
            if let Some(letter) = step.held_letter(*held)? {
                step.tally.letters.delivered = step.tally.letters.delivered.saturating_sub(1);
                step.hold_letter(letter, None);
            }
        }
        Ok(())
    })
}

impl Letter {
    pub(crate) fn place(&self) -> Place {
        Place::Dead { died: self.died, priority: self.priority, held: self.held.map(|lease| lease.until) }
    }
}

impl State {
    /// Whether the queue ever had a dead letter.
    pub(crate) fn had_letters(&self) -> bool {
        self.tally.letters.arrived > 0
    }
}

impl Step<'_, '_> {
    /// The message, if it is a dead letter.
    pub(crate) fn letter(&mut self, sequence: u64) -> Result<Option<Letter>> {
        let Some(Mark { attempts, fate: Fate::Dead { at, reason, held } }) = self.mark(sequence)? else {
            return Ok(None);
        };
        let priority = self.message(sequence)?.slip()?.priority;
        Ok(Some(Letter { sequence, attempts, priority, died: at, reason, held }))
    }

    /// A message that the order has among the dead letters.
    pub(crate) fn known_letter(&mut self, sequence: u64) -> Result<Letter> {
        self.letter(sequence)?.ok_or_else(|| Error::unreadable("a dead letter"))
    }

    /// The dead letter, if it is held as the caller says.
    fn held_letter(&mut self, held: Held) -> Result<Option<Letter>> {
        let letter = self.letter(held.sequence)?;
        Ok(letter.filter(|letter| letter.held.is_some_and(|lease| held.by(lease))))
    }

    /// Leases a letter that nobody holds; gives the lease's number.
    pub(crate) fn lease_letter(&mut self, sequence: u64, until: Timestamp) -> Result<u64> {
        let letter = self.known_letter(sequence)?;
        let lease = self.next_lease(until);
        self.tally.letters.delivered += 1;
        self.hold_letter(letter, Some(lease));
        Ok(lease.number)
    }

    /// A delivery did not lead to an acknowledgement: the letter is there for whoever comes next.
    pub(crate) fn return_letter(&mut self, letter: Letter) {
        self.tally.letters.returned += 1;
        self.hold_letter(letter, None);
    }

    fn hold_letter(&mut self, letter: Letter, held: Option<Lease>) {
        let Letter { sequence, attempts, died: at, reason, .. } = letter;
        self.write_mark(sequence, Mark { attempts, fate: Fate::Dead { at, reason, held } });
        self.shift(sequence, letter.place(), Letter { held, ..letter }.place());
    }
}
