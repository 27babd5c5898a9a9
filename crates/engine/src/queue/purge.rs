//! Throwing messages away: those that wait, the dead ones, a whole queue. A million messages do not go in one frame: they
//! go in pieces, oldest pieces first, and what came in after the call stays.

use crate::{
    Namespace, Result, keys,
    live::Live,
    queue::{
        PurgeLetters, QueueName, Shelf,
        order::Place,
        registry::absent,
        rows::{Fate, Tally},
        state::{State, Window},
        step::{Key, Step},
    },
};

/// Messages that go in one frame.
const BATCH: usize = 4096;

/// Throws away the messages that wait; how many.
pub(crate) async fn purge(live: &Live, namespace: &Namespace, name: &QueueName) -> Result<u64> {
    pieces(live, namespace, name, Shelf::Messages, State::waiting).await
}

/// Throws away the dead letters, those that are held too; how many.
pub(crate) async fn purge_dead(live: &Live, namespace: &Namespace, name: &QueueName) -> Result<u64> {
    pieces(live, namespace, name, Shelf::Messages, State::dead).await
}

/// Throws away the dead letters as a queue of their own; how many.
pub(crate) async fn purge_letters(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    what: PurgeLetters,
) -> Result<u64> {
    let which = match what {
        PurgeLetters::All => State::dead,
        PurgeLetters::NotHeld => State::letters,
    };
    pieces(live, namespace, name, Shelf::Letters, which).await
}

/// A message that is to go.
enum Doomed {
    At(u64, Place),
    Letter(u64),
}

/// Which messages of a queue are to go: at most [`BATCH`] with a number up to the one given.
type Which = fn(&State, u64) -> Vec<Doomed>;

async fn pieces(live: &Live, namespace: &Namespace, name: &QueueName, shelf: Shelf, which: Which) -> Result<u64> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    let mut purged = 0;
    let mut last = None;
    loop {
        live.store.room().await;
        let piece = queue
            .run(live, |inner| {
                let state = inner.queue_of(shelf, name)?;
                let doomed = which(state, *last.get_or_insert(state.tally.last));
                state.step(live, |step| throw_away(step, &doomed))
            })
            .await?;
        purged += piece;
        if piece < BATCH as u64 {
            return Ok(purged);
        }
    }
}

fn throw_away(step: &mut Step<'_, '_>, doomed: &[Doomed]) -> Result<u64> {
    step.txn.relief();
    for doomed in doomed {
        let (sequence, place) = match doomed {
            Doomed::At(sequence, place) => (*sequence, *place),
            Doomed::Letter(sequence) => (*sequence, step.known_letter(*sequence)?.place()),
        };
        step.remove(sequence, place)?;
    }
    step.tally.purged += doomed.len() as u64;
    Ok(doomed.len() as u64)
}

/// Deletes a queue with all that waits in it or is leased; whether there was one. The last piece and the queue go
/// together.
pub(crate) async fn delete(live: &Live, namespace: &Namespace, name: &QueueName) -> Result<bool> {
    let Some(queue) = live.queues.find(live, &keys::queue(namespace, name)) else { return Ok(false) };
    loop {
        live.store.room().await;
        let gone = queue
            .run(live, |inner| {
                let Ok(state) = inner.existing(name) else { return Ok(Some(false)) };
                let doomed = state.living();
                let windows = state.first_windows();
                let last = doomed.len() < BATCH && windows.len() < BATCH;
                state.step(live, |step| {
                    throw_away(step, &doomed)?;
                    windows.iter().try_for_each(|(window, key)| forget_window(step, *window, key))?;
                    if last {
                        end(step);
                    }
                    Ok(last.then_some(true))
                })
            })
            .await?;
        if let Some(gone) = gone {
            return Ok(gone);
        }
    }
}

/// A new queue of the name knows only the keys of the dead letters it has.
fn forget_window(step: &mut Step<'_, '_>, window: Window, key: &[u8]) -> Result<()> {
    let dead = step.mark(window.1)?.is_some_and(|mark| matches!(mark.fate, Fate::Dead { .. }));
    step.close_window(window, key, if dead { Key::Stays } else { Key::Goes });
    Ok(())
}

/// The queue is no more; its numbers go on in the next one of its name, and so do its dead letters.
fn end(step: &mut Step<'_, '_>) {
    let Tally { last, last_lease, armed, letters, .. } = step.tally;
    let enqueued = step.state.order.dead.len() as u64;
    step.tally = Tally { last, last_lease, armed, letters, enqueued, ..Tally::default() };
    step.card.deleted = true;
}

impl State {
    fn waiting(&self, last: u64) -> Vec<Doomed> {
        let ready = self.order.ready.iter().map(|(priority, sequence)| (sequence, Place::Ready(priority)));
        let delayed = self.order.delayed.iter().map(|(at, sequence)| (*sequence, Place::Delayed(*at)));
        let old = ready.chain(delayed).filter(|(sequence, _)| *sequence <= last);
        old.map(|(sequence, place)| Doomed::At(sequence, place)).take(BATCH).collect()
    }

    fn dead(&self, last: u64) -> Vec<Doomed> {
        let dead = self.order.dead.iter().map(|(_, sequence)| *sequence);
        dead.filter(|sequence| *sequence <= last).map(Doomed::Letter).take(BATCH).collect()
    }

    fn letters(&self, last: u64) -> Vec<Doomed> {
        let letters = self.order.letters.iter().map(|(_, sequence)| sequence);
        letters.filter(|sequence| *sequence <= last).map(Doomed::Letter).take(BATCH).collect()
    }

    fn living(&self) -> Vec<Doomed> {
        let leased = self.order.leased.iter().map(|(until, sequence)| Doomed::At(*sequence, Place::Leased(*until)));
        self.waiting(u64::MAX).into_iter().chain(leased).take(BATCH).collect()
    }

    fn first_windows(&self) -> Vec<(Window, Box<[u8]>)> {
        self.windows.iter().take(BATCH).map(|(window, key)| (*window, key.clone())).collect()
    }
}
