//! Queues from lines of an export: numbers, attempts, leases and times are what they were.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;

use crate::{
    Error, Kind, Namespace, Result, Timestamp,
    export::{
        Done, How, Record, count,
        record::{DeadReason, DedupLine, MessageLine, QueueLine},
        text::Text,
        time,
    },
    keys::{self, RowKey},
    kv::Value,
    live::Live,
    queue::{
        PurgeLetters, QueueName, Reason, Settings,
        enqueue::{self, DEDUP_KEY_BYTES},
        order::Place,
        purge,
        rows::{Card, Fate, Lease, LetterTally, Mark, Slip, Tally},
        state::Window,
        step::Step,
    },
};

/// The row key of the queue that a line is about; none for other lines.
pub(crate) fn row_key(record: &Record) -> Result<Option<RowKey>> {
    let (namespace, queue) = match record {
        Record::Queue(line) => (&line.namespace, &line.queue),
        Record::Message(line) => (&line.namespace, &line.queue),
        Record::Dedup(line) => (&line.namespace, &line.queue),
        _ => return Ok(None),
    };
    let (namespace, queue) = names(namespace, queue)?;
    Ok(Some(keys::queue(&namespace, &queue)))
}

fn names(namespace: &Text, queue: &Text) -> Result<(Namespace, QueueName)> {
    let invalid = |what: &str, error| Error::new(Kind::Invalid, format!("the {what} {error}"));
    let namespace = Namespace::new(namespace.0.clone()).map_err(|error| invalid("namespace", error))?;
    Ok((namespace, QueueName::new(queue.0.clone()).map_err(|error| invalid("queue", error))?))
}

/// Begins a queue: without messages, which the lines behind bring.
pub(crate) async fn begin(live: &Live, line: &QueueLine, how: How<'_>) -> Result<Done> {
    let (namespace, name) = names(&line.namespace, &line.queue)?;
    let row = keys::queue(&namespace, &name);
    live.store.room().await;
    loop {
        let queue = live.queues.find_or_expect(live, &row);
        let begun = queue.run(live, |inner| {
            let taken = inner.state().is_some_and(|state| !state.card.deleted || state.order.len() > 0);
            if taken {
                let replace = how.on_conflict.decide(|| format!("there is a queue {name} already"))?;
                if replace {
                    return Ok(None);
                }
            }
            inner
                .make(live, &row, |step| {
                    let done = if taken { Done::Skipped } else { Done::Written };
                    if done == Done::Written {
                        step.txn.grow()?;
                        found(step, line)?;
                    }
                    (how.mark)(&[done]).write(step.txn);
                    Ok(done)
                })
                .map(Some)
        });
        if let Some(done) = begun.await? {
            return Ok(done);
        }
        drop(queue);
        purge::delete(live, &namespace, &name).await?;
        match purge::purge_letters(live, &namespace, &name, PurgeLetters::All).await {
            // It had none.
            Err(error) if *error.kind() == Kind::NotFound => {}
            purged => drop(purged?),
        }
    }
}

/// The queue as its line says. Numbers that were given out here are not given out again.
fn found(step: &mut Step<'_, '_>, line: &QueueLine) -> Result<()> {
    let (settings, counted) = (&line.settings, &line.counted);
    let settings = Settings {
        max_depth: settings.max_depth,
        max_attempts: settings.max_attempts.max(1),
        max_dead: settings.max_dead,
        max_held: settings.max_held,
        dedup_window: Duration::from_millis(settings.dedup_window_ms),
        lease: Duration::from_millis(settings.lease_ms),
        default_priority: settings.default_priority,
    };
    step.revive(settings, line.configured);
    step.card = Card { deleted: line.deleted, ..step.card };
    // A queue that was deleted and had the usual settings looks as if it had never been: its row says that it was.
    step.txn.put(keys::QUEUE, &step.state.row, &step.card.encode(), &[]);
    step.tally = Tally {
        last: step.tally.last.max(count(line.last)?),
        last_lease: step.tally.last_lease.max(count(line.last_lease)?),
        // Each message that comes counts itself.
        enqueued: count(counted.acked)? + count(counted.purged)?,
        acked: counted.acked,
        purged: counted.purged,
        delivered: count(counted.delivered)?,
        returned: count(counted.returned)?,
        died: count(counted.died)?,
        letters: LetterTally {
            arrived: count(counted.letters_arrived)?,
            delivered: count(counted.letters_delivered)?,
            returned: count(counted.letters_returned)?,
            acked: count(counted.letters_acked)?,
        },
        armed: step.tally.armed,
    };
    Ok(())
}

/// Adds messages and deduplication keys to the queue that was begun, in one commit.
pub(crate) async fn fill(live: &Live, row: &RowKey, lines: &[&Record], how: How<'_>) -> Result<Vec<Done>> {
    live.store.room().await;
    let missing = || Error::new(Kind::Invalid, "the line of the queue does not stand before it");
    let queue = live.queues.find(live, row).ok_or_else(missing)?;
    queue
        .run(live, |inner| {
            let state = inner.open().ok_or_else(missing)?;
            let (done, added) = state.step(live, |step| {
                step.txn.grow()?;
                let mut added = Added::default();
                for (index, line) in lines.iter().enumerate() {
                    let one = match line {
                        Record::Message(line) => message(live, step, &mut added, line),
                        Record::Dedup(line) => dedup(step, &mut added, line),
                        other => Err(Error::new(Kind::Bug, format!("a queue has no {:?}", other.name()))),
                    };
                    one.map_err(|error| error.at(index))?;
                }
                let done = vec![Done::Written; lines.len()];
                (how.mark)(&done).write(step.txn);
                Ok((done, added))
            })?;
            if let (Some(first), Some(last)) = (added.sequences.first(), added.sequences.last()) {
                state.pack_between(live, *first, *last);
            }
            Ok(done)
        })
        .await
}

/// What the lines before have added in the same commit.
#[derive(Default)]
struct Added {
    sequences: BTreeSet<u64>,
    keys: BTreeSet<Bytes>,
    windows: BTreeSet<Window>,
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, what)
}

fn message(live: &Live, step: &mut Step<'_, '_>, added: &mut Added, line: &MessageLine) -> Result<()> {
    let sequence = line.sequence;
    if sequence == 0 || sequence > step.tally.last {
        return Err(invalid(format!("message {sequence} is not one of those that its queue has given numbers to")));
    }
    if !added.sequences.insert(sequence) || step.find_message(sequence)?.is_some() {
        return Err(invalid(format!("message {sequence} is there twice")));
    }
    let payload = Value::try_from(line.payload.clone()).map_err(invalid)?;
    let (headers, dedup_key) = (&line.headers.0, &line.dedup_key.0);
    enqueue::check_size(live, headers.len() + payload.bytes.len())?;
    if dedup_key.len() > DEDUP_KEY_BYTES {
        return Err(invalid(format!("a deduplication key has at most {DEDUP_KEY_BYTES} bytes")));
    }
    let fate = fate(line)?;
    let waits = line.attempts == 0 && matches!(fate, Fate::Waiting(_));
    let slip = Slip {
        encoding: payload.encoding,
        priority: line.priority,
        enqueued_at: time(line.enqueued_at)?,
        due: if waits { line.visible_at.map(Timestamp) } else { None },
        max_attempts: line.max_attempts.map(|max| max.max(1)),
        headers_len: headers.len(),
        dedup_key,
    };
    let body = if headers.is_empty() { payload.bytes } else { [&headers[..], &payload.bytes].concat().into() };
    let mark = (!waits).then_some(Mark { attempts: line.attempts, fate });
    step.restore(sequence, &slip, &body, Place::of(slip.priority, fate), mark);
    Ok(())
}

fn fate(line: &MessageLine) -> Result<Fate> {
    let lease = line.leased.map(|held| Ok::<_, Error>(Lease { number: count(held.lease)?, until: time(held.until)? }));
    match (line.visible_at, lease.transpose()?, line.dead) {
        (due, None, None) => Ok(Fate::Waiting(due.map(time).transpose()?)),
        (None, Some(lease), None) => Ok(Fate::Leased(lease)),
        (None, held, Some(dead)) => {
            let reason = match dead.reason {
                DeadReason::Expired => Reason::Expired,
                DeadReason::Nack => Reason::Nack,
            };
            Ok(Fate::Dead { at: time(dead.at)?, reason, held })
        }
        (Some(_), _, _) => Err(invalid("a message that will be visible is neither leased nor dead")),
    }
}

fn dedup(step: &mut Step<'_, '_>, added: &mut Added, line: &DedupLine) -> Result<()> {
    let (key, window) = (&line.dedup_key.0, (time(line.until)?, line.sequence));
    if !(1..=DEDUP_KEY_BYTES).contains(&key.len()) {
        return Err(invalid(format!("a deduplication key has 1 to {DEDUP_KEY_BYTES} bytes, not {}", key.len())));
    }
    if line.sequence == 0 || line.sequence > step.tally.last {
        return Err(invalid(format!("message {} is not one that its queue has given a number to", line.sequence)));
    }
    let known = step.txn.get(keys::QUEUE_DEDUP, &keys::dedup(step.card.id, key)).is_some();
    if known || step.state.windows.contains_key(&window) {
        return Err(invalid("the deduplication key is there twice"));
    }
    if !added.keys.insert(key.clone()) || !added.windows.insert(window) {
        return Err(invalid("the deduplication key is there twice"));
    }
    step.open_window(key, line.sequence, window.0);
    Ok(())
}
