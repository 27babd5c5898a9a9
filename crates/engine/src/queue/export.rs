//! Queues, as lines of an export: what they are, their messages in the order of their numbers, deduplication keys.

use bytes::Bytes;
use manifold_store::Row;

use crate::{
    Error, Result,
    export::{
        Cut, Record, Sink,
        record::{DeadLine, DeadReason, DedupLine, LeaseLine, MessageLine, QueueCounted, QueueLine, QueueSettings},
        text::Text,
    },
    keys,
    queue::{
        Reason, Settings,
        order::BLOCK,
        pack::{self, Content, PACK, Stored},
        rows::{Card, Dedup, Fate, Lease, Mark, Tally, millis},
    },
    types::Rows,
};

/// All queues in the order of their names.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    for (row_key, row) in Rows::all(cut, keys::QUEUE, &cut.prefix()) {
        let (namespace, name) = keys::split_kv(&row_key).ok_or_else(damaged)?;
        let queue = Queue { cut, namespace: Text::of(namespace), name: Text::of(name), card: Card::read(&row)? };
        queue.export(sink)?;
    }
    Ok(())
}

struct Queue<'a> {
    cut: &'a Cut,
    namespace: Text,
    name: Text,
    card: Card,
}

impl Queue<'_> {
    fn export(&self, sink: &mut Sink) -> Result<()> {
        let id = keys::number(self.card.id);
        // A queue that was only made has counted nothing, and so has no row for it.
        let tally = self.cut.get(keys::QUEUE_TALLY, &id).as_ref().map(Tally::read).transpose()?.unwrap_or_default();
        sink.put(&Record::Queue(self.line(&tally)))?;
        for (block, _) in Rows::all(self.cut, keys::QUEUE_BLOCK, &id) {
            let first = block.get(id.len()..).and_then(keys::read_number).and_then(|block| block.checked_mul(BLOCK));
            let first = first.ok_or_else(damaged)?;
            let last = first.saturating_add(BLOCK - 1).min(tally.last);
            for number in first / PACK..=last / PACK {
                self.pack(number, last, sink)?;
            }
        }
        for (key, row) in Rows::all(self.cut, keys::QUEUE_DEDUP, &id) {
            let Dedup { sequence, until } = Dedup::read(&row)?;
            sink.put(&Record::Dedup(DedupLine {
                namespace: self.namespace.clone(),
                queue: self.name.clone(),
                dedup_key: Text(key.slice(id.len()..)),
                sequence,
                until: until.0,
            }))?;
        }
        Ok(())
    }

    fn line(&self, tally: &Tally) -> QueueLine {
        let Card { deleted, configured, settings, .. } = self.card;
        let Settings { max_depth, max_attempts, max_dead, max_held, dedup_window, lease, default_priority } = settings;
        let letters = tally.letters;
        QueueLine {
            namespace: self.namespace.clone(),
            queue: self.name.clone(),
            deleted,
            configured,
            settings: QueueSettings {
                max_depth,
                max_attempts,
                max_dead,
                max_held,
                dedup_window_ms: millis(dedup_window),
                lease_ms: millis(lease),
                default_priority,
            },
            last: tally.last,
            last_lease: tally.last_lease,
            counted: QueueCounted {
                acked: tally.acked,
                purged: tally.purged,
                delivered: tally.delivered,
                returned: tally.returned,
                died: tally.died,
                letters_arrived: letters.arrived,
                letters_delivered: letters.delivered,
                letters_returned: letters.returned,
                letters_acked: letters.acked,
            },
        }
    }

    /// The messages whose numbers make a pack, whether they lie in one or not, up to the one of number `last`.
    fn pack(&self, number: u64, last: u64, sink: &mut Sink) -> Result<()> {
        let key = keys::in_queue(self.card.id, number);
        let packed = self.cut.get(keys::QUEUE_PACK, &key).as_ref().map(Content::read).transpose()?;
        let left = self.cut.get(keys::QUEUE_PACK_LEFT, &key).as_ref().map(pack::read_left).transpose()?;
        let mut packed: Vec<(u64, Stored)> = match &packed {
            Some(content) => {
                let left = |(sequence, _): &(u64, &Stored)| left.is_none_or(|left| left & pack::bit(*sequence) != 0);
                content.numbered(number).filter(left).map(|(sequence, stored)| (sequence, stored.clone())).collect()
            }
            None => Vec::new(),
        };
        let end = last.min(number * PACK + (PACK - 1));
        for sequence in number * PACK..=end {
            if let Some(row) = self.cut.get(keys::QUEUE_MESSAGE, &keys::in_queue(self.card.id, sequence)) {
                packed.push((sequence, Stored::Own(row)));
            }
        }
        packed.sort_unstable_by_key(|(sequence, _)| *sequence);
        packed.iter().try_for_each(|(sequence, stored)| sink.put(&Record::Message(self.message(*sequence, stored)?)))
    }

    fn message(&self, sequence: u64, stored: &Stored) -> Result<MessageLine> {
        let slip = stored.slip()?;
        let (headers, payload) = slip.content(stored.body()?)?;
        let mark: Option<Row> = self.cut.get(keys::QUEUE_MARK, &keys::in_queue(self.card.id, sequence));
        let mark = mark.as_ref().map(Mark::read).transpose()?;
        let Mark { attempts, fate } = mark.unwrap_or(Mark { attempts: 0, fate: Fate::Waiting(slip.due) });
        let lease = |lease: Lease| LeaseLine { lease: lease.number, until: lease.until.0 };
        let (visible_at, leased, dead) = match fate {
            Fate::Waiting(due) => (due.map(|at| at.0), None, None),
            Fate::Leased(held) => (None, Some(lease(held)), None),
            Fate::Dead { at, reason, held } => {
                let reason = match reason {
                    Reason::Expired => DeadReason::Expired,
                    Reason::Nack => DeadReason::Nack,
                };
                (None, held.map(lease), Some(DeadLine { at: at.0, reason }))
            }
        };
        Ok(MessageLine {
            namespace: self.namespace.clone(),
            queue: self.name.clone(),
            sequence,
            payload: (&payload).into(),
            headers: Text(headers),
            priority: slip.priority,
            enqueued_at: slip.enqueued_at.0,
            max_attempts: slip.max_attempts,
            dedup_key: Text(Bytes::copy_from_slice(slip.dedup_key)),
            attempts,
            visible_at,
            leased,
            dead,
        })
    }
}

fn damaged() -> Error {
    Error::unreadable("a queue")
}
