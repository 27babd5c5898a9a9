//! Looking at queues without changing them.

use manifold_store::{Range, Row, Snapshot, View};

use crate::{
    Error, Namespace, Result, Timestamp, keys,
    live::Live,
    queue::{
        LetterStats, Message, QueueName, Shelf, Stats,
        pack::Stored,
        registry::{Inner, absent},
        rows::{Card, LetterTally, Mark, Tally},
        state::State,
    },
};

/// Names read at a time.
const NAMES: usize = 1024;

/// The next messages.
pub(crate) async fn peek(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    count: usize,
    max_bytes: usize,
) -> Result<Vec<Message>> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    let found = queue.look(live, |inner| inner.existing(name)?.next_stored(live, count, max_bytes)).await?;
    let read = |(sequence, attempts, max_attempts, stored): &(u64, u32, u32, Stored)| {
        Message::read(stored, *sequence, *attempts, *max_attempts)
    };
    found.iter().map(read).collect()
}

/// What a queue holds and has seen.
pub(crate) async fn stats(live: &Live, namespace: &Namespace, name: &QueueName) -> Result<Stats> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue.look(live, |inner| read_stats(inner, live, name)).await
}

fn read_stats(inner: &mut Inner, live: &Live, name: &QueueName) -> Result<Stats> {
    let waiting = inner.line.waiting();
    let who_waits: Vec<_> = inner.line.consumers().collect();
    let state = inner.existing(name)?;
    let oldest = state.order.ready.oldest().map(|sequence| state.enqueued_at(live, sequence)).transpose()?;
    let (order, tally) = (&state.order, &state.tally);
    Ok(Stats {
        ready: order.waiting(),
        delayed: order.delayed.len() as u64,
        leased: order.leased.len() as u64,
        dead: order.dead.len() as u64,
        enqueued_total: tally.enqueued,
        last: tally.last,
        acked_total: tally.acked,
        purged_total: tally.purged,
        delivered_total: tally.delivered,
        returned_total: tally.returned,
        dead_total: tally.died,
        waiting,
        consumers: state.holders.count(order.leased.len(), who_waits.into_iter()),
        oldest,
        settings: state.card.settings,
        by_itself: state.by_itself,
    })
}

/// What the dead letters of a queue are as a queue of their own.
pub(crate) async fn letter_stats(live: &Live, namespace: &Namespace, name: &QueueName) -> Result<LetterStats> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue.look(live, |inner| read_letter_stats(inner, live, name)).await
}

fn read_letter_stats(inner: &mut Inner, live: &Live, name: &QueueName) -> Result<LetterStats> {
    let who_waits: Vec<_> = inner.letter_line.consumers().collect();
    let state = inner.queue_of(Shelf::Letters, name)?;
    let oldest = state.order.letters.oldest().map(|sequence| state.enqueued_at(live, sequence)).transpose()?;
    let LetterTally { arrived, delivered, returned, acked } = state.tally.letters;
    let held = state.order.held.len();
    Ok(LetterStats {
        ready: state.order.letters.len(),
        leased: held as u64,
        arrived_total: arrived,
        delivered_total: delivered,
        returned_total: returned,
        acked_total: acked,
        consumers: state.letter_holders.count(held, who_waits.into_iter()),
        oldest,
    })
}

/// The queues of a namespace, sorted by name.
pub(crate) fn list(live: &Live, namespace: &Namespace) -> Result<Vec<QueueName>> {
    names(live, namespace, |_, card| Ok(!card.deleted))
}

/// The queues of a namespace that have or had dead letters, sorted by name.
pub(crate) fn list_with_letters(live: &Live, namespace: &Namespace) -> Result<Vec<QueueName>> {
    names(live, namespace, |snapshot, card| {
        let tally = snapshot.get(keys::QUEUE_TALLY, &keys::number(card.id));
        Ok(tally.as_ref().map(Tally::read).transpose()?.is_some_and(|tally| tally.letters.arrived > 0))
    })
}

fn names(
    live: &Live,
    namespace: &Namespace,
    wanted: impl Fn(&Snapshot, &Card) -> Result<bool>,
) -> Result<Vec<QueueName>> {
    let start = keys::kv_start(namespace);
    let mut range = Range { from: start.to_vec(), to: keys::prefix_end(&start), limit: NAMES, reverse: false };
    let (snapshot, ()) = live.store.snapshot(|| ());
    let mut names = Vec::new();
    loop {
        let chunk = snapshot.range(keys::QUEUE, &range);
        for (row, card) in &chunk.rows {
            if wanted(&snapshot, &Card::read(card)?)? {
                names.push(QueueName::new(row.slice(start.len()..)).map_err(|_| Error::unreadable("a queue"))?);
            }
        }
        match chunk.resume {
            Some(from) => range.from = from,
            None => return Ok(names),
        }
    }
}

/// Whether the row of a queue is one of a queue that was not deleted.
pub(crate) fn exists(card: &Row) -> Result<bool> {
    Ok(!Card::read(card)?.deleted)
}

impl State {
    pub(crate) fn key(&self, sequence: u64) -> [u8; 16] {
        keys::in_queue(self.card.id, sequence)
    }

    /// A message; every number of the order has one.
    pub(crate) fn message(&self, live: &Live, sequence: u64) -> Result<Stored> {
        let found = self.find(sequence, |table, key| live.store.get(View::Latest, table, key))?;
        found.ok_or_else(|| Error::unreadable("a queue"))
    }

    /// What became of a message, if anything.
    pub(crate) fn mark(&self, live: &Live, sequence: u64) -> Result<Option<Mark>> {
        let row = live.store.get(View::Latest, keys::QUEUE_MARK, &self.key(sequence));
        row.as_ref().map(Mark::read).transpose()
    }

    fn enqueued_at(&self, live: &Live, sequence: u64) -> Result<Timestamp> {
        Ok(self.message(live, sequence)?.slip()?.enqueued_at)
    }

    fn next_stored(&self, live: &Live, count: usize, max_bytes: usize) -> Result<Vec<(u64, u32, u32, Stored)>> {
        let mut found: Vec<(u64, u32, u32, Stored)> = Vec::new();
        let mut bytes = 0usize;
        for (_, sequence) in self.order.ready.iter().take(count) {
            let stored = self.message(live, sequence)?;
            bytes = bytes.saturating_add(stored.body_len());
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            let attempts = self.mark(live, sequence)?.map_or(0, |mark| mark.attempts);
            let max_attempts = stored.slip()?.max_attempts.unwrap_or(self.card.settings.max_attempts);
            found.push((sequence, attempts, max_attempts, stored));
        }
        Ok(found)
    }
}
