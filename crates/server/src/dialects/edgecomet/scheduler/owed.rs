//! What the home has still to be told of leases. A home that does not answer is told again; until it knows, the leases
//! take space, so that what is owed has a bound.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use futures_util::{StreamExt, stream};
use manifold_engine::recache::{DeadLetter, Lease};

use crate::dialects::edgecomet::home::{Home, HomeError};

#[cfg(test)]
mod tests;

/// What the home is told at a time.
const BATCH: usize = 1000;
/// Calls for single leases that run at the same time.
const AT_ONCE: usize = 64;

/// What becomes of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It is over.
    Finish,
    /// It goes on: its attempts, and when it is due for the next one, are its own.
    Wait,
    /// It is given up.
    Bury(DeadLetter),
    /// Its entry goes back to its queue.
    GiveBack,
}

/// Leases with what the home is told of them.
pub(super) type Batch = Vec<(Lease, End)>;

/// What the home has still to be told.
#[derive(Debug, Default)]
pub(super) struct Owed {
    by_lease: HashMap<u64, (Lease, End), RandomState>,
    /// What is being told, of leases that end.
    ending: usize,
}

impl Owed {
    /// Something more; of one lease the last counts.
    pub(super) fn add(&mut self, lease: Lease, end: End) {
        self.by_lease.insert(lease.id, (lease, end));
    }

    /// What to tell next.
    pub(super) fn take(&mut self) -> Batch {
        let batch: Batch = if self.by_lease.len() <= BATCH {
            self.by_lease.drain().map(|(_, owed)| owed).collect()
        } else {
            let some: Vec<u64> = self.by_lease.keys().copied().take(BATCH).collect();
            some.iter().filter_map(|lease| self.by_lease.remove(lease)).collect()
        };
        self.ending = ending(&batch);
        batch
    }

    /// The home was told what was taken, except for this. What is known better by now stays.
    pub(super) fn told(&mut self, failed: Batch) {
        self.ending = 0;
        for (lease, end) in failed {
            self.by_lease.entry(lease.id).or_insert((lease, end));
        }
    }

    /// Nothing is to be told.
    pub(super) fn is_empty(&self) -> bool {
        self.by_lease.is_empty()
    }

    /// Leases that neither wait nor are in flight, and of which the home does not know that they ended.
    pub(super) fn ending(&self) -> usize {
        self.ending + self.by_lease.values().filter(|(_, end)| *end != End::Wait).count()
    }

    /// How many leases the home has to be told of.
    pub(super) fn len(&self) -> usize {
        self.by_lease.len()
    }
}

fn ending(batch: &Batch) -> usize {
    batch.iter().filter(|(_, end)| *end != End::Wait).count()
}

/// Tells the home; gives back what it did not take, and the last reason why.
pub(super) async fn tell(home: Home, batch: Batch, most_letters: u64) -> (Batch, Option<HomeError>) {
    let (mut finish, mut give_back, mut single) = (Vec::new(), Vec::new(), Vec::new());
    for (lease, end) in batch {
        match end {
            End::Finish => finish.push(lease),
            End::GiveBack => give_back.push(lease),
            End::Wait | End::Bury(_) => single.push((lease, end)),
        }
    }
    let (mut failed, mut why) = (Batch::new(), None);
    if !finish.is_empty()
        && let Err(error) = home.finish(&finish).await
    {
        failed.extend(finish.into_iter().map(|lease| (lease, End::Finish)));
        why = Some(error);
    }
    if !give_back.is_empty()
        && let Err(error) = home.give_back(&give_back).await
    {
        failed.extend(give_back.into_iter().map(|lease| (lease, End::GiveBack)));
        why = Some(error);
    }
    let calls = single.into_iter().map(|(lease, end)| {
        let home = &home;
        async move {
            let told = match &end {
                End::Bury(letter) => home.bury(&lease, letter.clone(), most_letters).await,
                _ => home.wait_for_retry(&lease, lease.attempts, lease.due).await,
            };
            told.err().map(|error| (lease, end, error))
        }
    });
    let mut told = stream::iter(calls).buffer_unordered(AT_ONCE);
    while let Some(answer) = told.next().await {
        if let Some((lease, end, error)) = answer {
            failed.push((lease, end));
            why = Some(error);
        }
    }
    (failed, why)
}
