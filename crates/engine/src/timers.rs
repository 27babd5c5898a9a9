//! One durable index of deadlines for all features. Its rows are the truth; memory holds only the next deadline, so that
//! the worker knows how long to sleep. What a deadline means is said by the feature its kind belongs to.

use std::sync::atomic::{AtomicU64, Ordering};

use manifold_store::{Batch, Range, Seq, Store, View};
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::{
    Error, Result, Timestamp, keys, kv,
    live::Live,
    queue, recache, stream, txn,
    work::{Tick, Work},
};

#[cfg(test)]
mod tests;

/// Most timers handled in one commit.
const BATCH: usize = 256;

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// The expiry of a key: its row key in the table of keys.
    Key(&'a [u8]),
    /// Something is due in a queue: its row key in the table of queues.
    Queue(&'a [u8]),
    /// The age of a stream's oldest records: the stream's row key.
    Stream(&'a [u8]),
    /// The end of a page's record: its row key.
    Record(&'a [u8]),
}

impl<'a> Target<'a> {
    fn kind(self) -> u8 {
        match self {
            Target::Key(_) => 1,
            Target::Queue(_) => 2,
            Target::Stream(_) => 3,
            Target::Record(_) => 4,
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Target::Key(row) | Target::Queue(row) | Target::Stream(row) | Target::Record(row) => row,
        }
    }
}

type TimerKey = SmallVec<[u8; 128]>;

/// Adds the row that says `target` is due at `deadline`.
pub(crate) fn set(batch: &mut Batch, deadline: Timestamp, target: Target<'_>) {
    batch.put(keys::TIMER, &row_key(deadline, target), &[], &[]);
}

/// Removes it.
pub(crate) fn clear(batch: &mut Batch, deadline: Timestamp, target: Target<'_>) {
    batch.delete(keys::TIMER, &row_key(deadline, target));
}

pub(crate) fn row_key(deadline: Timestamp, target: Target<'_>) -> TimerKey {
    let mut row = TimerKey::from_slice(&deadline.0.to_be_bytes());
    row.push(target.kind());
    row.extend_from_slice(target.bytes());
    row
}

pub(crate) fn read_row_key(row: &[u8]) -> Option<(Timestamp, Target<'_>)> {
    let (deadline, rest) = row.split_first_chunk()?;
    let (kind, target) = rest.split_first()?;
    let target = match kind {
        1 => Target::Key(target),
        2 => Target::Queue(target),
        3 => Target::Stream(target),
        4 => Target::Record(target),
        _ => return None,
    };
    Some((Timestamp(u64::from_be_bytes(*deadline)), target))
}

/// The deadline the worker sleeps until.
#[derive(Debug)]
pub(crate) struct Timers {
    next_ms: AtomicU64,
    earlier: Notify,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Timers { next_ms: AtomicU64::new(0), earlier: Notify::new() }
    }

    /// A timer for `deadline` was committed.
    pub(crate) fn wake(&self, deadline: Timestamp) {
        if self.next_ms.fetch_min(deadline.0, Ordering::SeqCst) > deadline.0 {
            self.earlier.notify_one();
        }
    }

    /// Looks up the next deadline. Whoever commits one meanwhile lowers what is forgotten here first, so none is missed.
    fn look_ahead(&self, store: &Store) {
        self.next_ms.store(u64::MAX, Ordering::SeqCst);
        let first = Range { from: Vec::new(), to: None, limit: 1, reverse: false };
        let chunk = store.range(View::Latest, keys::TIMER, &first);
        if let Some((deadline, _)) = chunk.rows.first().and_then(|(row, _)| read_row_key(row)) {
            self.next_ms.fetch_min(deadline.0, Ordering::SeqCst);
        }
    }

    fn next(&self) -> Timestamp {
        Timestamp(self.next_ms.load(Ordering::SeqCst))
    }
}

/// Does what is due.
pub(crate) struct Expiry;

impl Work for Expiry {
    fn name(&self) -> &'static str {
        "timers"
    }

    async fn trigger(&self, live: &Live) {
        loop {
            let earlier = live.timers.earlier.notified();
            tokio::select! {
                () = live.clock.until(live.timers.next()) => return,
                () = earlier => {}
            }
        }
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let now = live.clock.now();
        let due = Range {
            from: Vec::new(),
            to: Some(now.0.saturating_add(1).to_be_bytes().to_vec()),
            limit: BATCH,
            reverse: false,
        };
        let due = live.store.range(View::Latest, keys::TIMER, &due).rows;
        if due.is_empty() {
            live.timers.look_ahead(&live.store);
            return Ok(Tick { more: live.timers.next() <= now, frame: 0 });
        }
        let due = due
            .iter()
            .map(|(row, _)| read_row_key(row).ok_or_else(|| Error::unreadable("a timer")))
            .collect::<Result<Vec<_>>>()?;
        let records = due.iter().filter_map(|(deadline, target)| match target {
            Target::Record(row) => Some((*deadline, *row)),
            Target::Key(_) | Target::Queue(_) | Target::Stream(_) => None,
        });
        let mut frame = expire_keys(live, &due)?.max(recache::expire(live, records)?);
        for (deadline, target) in due {
            match target {
                Target::Key(_) | Target::Record(_) => {}
                // Queues and streams have locks of their own, so each commits on its own.
                Target::Queue(row) => frame = frame.max(queue::ring(live, row, deadline)?),
                Target::Stream(row) => frame = frame.max(stream::trim_aged(live, row, deadline)?),
            }
        }
        Ok(Tick { more: true, frame })
    }
}

/// Expires keys, all in one commit.
fn expire_keys(live: &Live, due: &[(Timestamp, Target<'_>)]) -> Result<Seq> {
    let keys: SmallVec<[(Timestamp, &[u8]); 8]> = due
        .iter()
        .filter_map(|(deadline, target)| match target {
            Target::Key(row) => Some((*deadline, *row)),
            Target::Queue(_) | Target::Stream(_) | Target::Record(_) => None,
        })
        .collect();
    if keys.is_empty() {
        return Ok(0);
    }
    let _held = live.locks.lock_all(keys.iter().map(|(_, row)| *row));
    let decided = txn::decide(live, |txn| {
        txn.relief();
        keys.iter().try_for_each(|(deadline, row)| kv::expire(txn, row, *deadline))
    });
    decided.into_frame()
}
