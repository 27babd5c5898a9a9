//! What the rows of a queue say. A message is written once: what happens to it afterwards is a mark beside it, so that
//! a lease never rewrites a payload. Everything a decision needs lies in heads, which are always in memory.

use std::time::Duration;

use bytes::Bytes;
use manifold_store::{Row, Store, View};

use crate::{
    Error, Result, Timestamp, codec, keys,
    kv::{Encoding, Value},
    queue::{Reason, Settings},
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;
/// Of a queue's row and of its counters. Those of version 1 know no consumers of dead letters and no bound of what a
/// consumer holds; they are read, and never written again.
const QUEUE_ENCODING: u8 = 2;
/// No queue counts further: a row that does is damaged, and must not make sums overflow.
const PLAUSIBLE: u64 = 1 << 60;

/// The head of a queue's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Card {
    /// Never given to another queue.
    pub(crate) id: u64,
    /// Deleted: its numbers go on, and its dead letters stay, for a new queue of the name.
    pub(crate) deleted: bool,
    /// Whether somebody chose the settings; else they are those of the message that made the queue.
    pub(crate) configured: bool,
    pub(crate) settings: Settings,
}

impl Card {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a queue"))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let Settings { max_depth, max_attempts, max_dead, max_held, dedup_window, lease, default_priority } =
            self.settings;
        let mut head = vec![QUEUE_ENCODING, u8::from(self.deleted) | u8::from(self.configured) << 1];
        codec::put_varint(&mut head, self.id);
        put_bound(&mut head, max_depth);
        codec::put_varint(&mut head, max_attempts.into());
        put_bound(&mut head, max_dead);
        put_bound(&mut head, max_held);
        codec::put_varint(&mut head, millis(dedup_window));
        codec::put_varint(&mut head, millis(lease));
        codec::put_varint(&mut head, zigzag(default_priority));
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        let version = reader.byte().filter(|version| (1..=QUEUE_ENCODING).contains(version))?;
        let flags = reader.byte()?;
        Some(Card {
            deleted: flags & 1 != 0,
            configured: flags & 2 != 0,
            id: reader.varint()?,
            settings: Settings {
                max_depth: reader.varint()?.checked_sub(1),
                max_attempts: u32::try_from(reader.varint()?).ok()?,
                max_dead: reader.varint()?.checked_sub(1),
                max_held: if version == 1 { None } else { reader.varint()?.checked_sub(1) },
                dedup_window: Duration::from_millis(reader.varint()?),
                lease: Duration::from_millis(reader.varint()?),
                default_priority: unzigzag(reader.varint()?),
            },
        })
    }
}

/// The counters of a queue: a small row that every change of the queue rewrites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// The last number given to a message.
    pub(crate) last: u64,
    /// The last number given to a lease.
    pub(crate) last_lease: u64,
    pub(crate) enqueued: u64,
    pub(crate) acked: u64,
    pub(crate) purged: u64,
    pub(crate) delivered: u64,
    pub(crate) returned: u64,
    pub(crate) died: u64,
    pub(crate) letters: LetterTally,
    /// The deadline of the queue's timer: never later than the first thing that will be due.
    pub(crate) armed: Option<Timestamp>,
}

/// What was done with dead letters as a queue of their own. It outlives the queue, as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LetterTally {
    /// Messages that became dead letters.
    pub(crate) arrived: u64,
    pub(crate) delivered: u64,
    pub(crate) returned: u64,
    pub(crate) acked: u64,
}

impl Tally {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("the counters of a queue"))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(48);
        head.push(QUEUE_ENCODING);
        self.counts().into_iter().for_each(|count| codec::put_varint(&mut head, count));
        codec::put_deadline(&mut head, self.armed);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        let version = reader.byte().filter(|version| (1..=QUEUE_ENCODING).contains(version))?;
        let mut tally = Tally {
            last: reader.varint()?,
            last_lease: reader.varint()?,
            enqueued: reader.varint()?,
            acked: reader.varint()?,
            purged: reader.varint()?,
            delivered: reader.varint()?,
            returned: reader.varint()?,
            died: reader.varint()?,
            ..Tally::default()
        };
        tally.letters = match version {
            1 => LetterTally { arrived: tally.died, ..LetterTally::default() },
            _ => LetterTally {
                arrived: reader.varint()?,
                delivered: reader.varint()?,
                returned: reader.varint()?,
                acked: reader.varint()?,
            },
        };
        tally.armed = reader.deadline()?;
        tally.counts().into_iter().all(|count| count <= PLAUSIBLE).then_some(tally)
    }

    /// Every number but the deadline, in the order of the row.
    fn counts(&self) -> [u64; 12] {
        let Tally { last, last_lease, enqueued, acked, purged, delivered, returned, died, letters, armed: _ } = *self;
        let LetterTally { arrived, delivered: lent, returned: given_back, acked: settled } = letters;
        [last, last_lease, enqueued, acked, purged, delivered, returned, died, arrived, lent, given_back, settled]
    }
}

/// The head of a message's row; the body is its headers, then its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slip<'a> {
    pub(crate) encoding: Encoding,
    pub(crate) priority: i64,
    pub(crate) enqueued_at: Timestamp,
    /// Invisible until then, as long as it has no mark.
    pub(crate) due: Option<Timestamp>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) headers_len: usize,
    /// Empty = none.
    pub(crate) dedup_key: &'a [u8],
}

impl<'a> Slip<'a> {
    pub(crate) fn read(row: &'a Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a message"))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(16 + self.dedup_key.len());
        head.push(ENCODING);
        head.push(match self.encoding {
            Encoding::Json => 1,
            Encoding::Binary => 2,
        });
        codec::put_varint(&mut head, zigzag(self.priority));
        codec::put_varint(&mut head, self.enqueued_at.0);
        codec::put_deadline(&mut head, self.due);
        codec::put_varint(&mut head, self.max_attempts.unwrap_or(0).into());
        codec::put_varint(&mut head, self.headers_len as u64);
        head.extend_from_slice(self.dedup_key);
        head
    }

    pub(crate) fn decode(head: &'a [u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        Some(Slip {
            encoding: match reader.byte()? {
                1 => Encoding::Json,
                2 => Encoding::Binary,
                _ => return None,
            },
            priority: unzigzag(reader.varint()?),
            enqueued_at: Timestamp(reader.varint()?),
            due: reader.deadline()?,
            max_attempts: Some(u32::try_from(reader.varint()?).ok()?).filter(|max| *max > 0),
            headers_len: usize::try_from(reader.varint()?).ok()?,
            dedup_key: reader.rest(),
        })
    }

    /// Headers and payload.
    pub(crate) fn content(&self, mut body: Bytes) -> Result<(Bytes, Value)> {
        if body.len() < self.headers_len {
            return Err(Error::unreadable("a message"));
        }
        let headers = body.split_to(self.headers_len);
        Ok((headers, Value { encoding: self.encoding, bytes: body }))
    }
}

/// The head of a mark: what became of a message since it was enqueued. A message without one waits for its first
/// delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Deliveries so far.
    pub(crate) attempts: u32,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Visible from then on, or at once.
    Waiting(Option<Timestamp>),
    Leased(Lease),
    Dead {
        at: Timestamp,
        reason: Reason,
        /// Held by a consumer of dead letters.
        held: Option<Lease>,
    },
}

/// A consumer holds the message until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Tells it from every other lease of the queue.
    pub(crate) number: u64,
    pub(crate) until: Timestamp,
}

impl Mark {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("the mark of a message"))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(20);
        head.push(ENCODING);
        codec::put_varint(&mut head, self.attempts.into());
        match self.fate {
            Fate::Waiting(due) => {
                head.push(1);
                codec::put_deadline(&mut head, due);
            }
            Fate::Leased(lease) => {
                head.push(2);
                lease.append(&mut head);
            }
            Fate::Dead { at, reason, held } => {
                head.push(match (reason, held) {
                    (Reason::Expired, None) => 3,
                    (Reason::Nack, None) => 4,
                    (Reason::Expired, Some(_)) => 5,
                    (Reason::Nack, Some(_)) => 6,
                });
                codec::put_varint(&mut head, at.0);
                held.iter().for_each(|lease| lease.append(&mut head));
            }
        }
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        let attempts = u32::try_from(reader.varint()?).ok()?;
        let fate = match reader.byte()? {
            1 => Fate::Waiting(reader.deadline()?),
            2 => Fate::Leased(Lease::decode(&mut reader)?),
            kind @ 3..=6 => Fate::Dead {
                at: Timestamp(reader.varint()?),
                reason: if kind % 2 == 1 { Reason::Expired } else { Reason::Nack },
                held: if kind >= 5 { Some(Lease::decode(&mut reader)?) } else { None },
            },
            _ => return None,
        };
        Some(Mark { attempts, fate })
    }
}

impl Lease {
    fn append(self, head: &mut Vec<u8>) {
        codec::put_varint(head, self.number);
        codec::put_varint(head, self.until.0);
    }

    pub(crate) fn decode(reader: &mut codec::Reader<'_>) -> Option<Self> {
        Some(Lease { number: reader.varint()?, until: Timestamp(reader.varint()?) })
    }
}

/// The head of a deduplication key's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dedup {
    /// The message that had it first.
    pub(crate) sequence: u64,
    /// It counts until then even when the message is gone.
    pub(crate) until: Timestamp,
}

impl Dedup {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("a deduplication key"))
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, self.sequence);
        codec::put_varint(&mut head, self.until.0);
        head
    }

    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        Some(Dedup { sequence: reader.varint()?, until: Timestamp(reader.varint()?) })
    }
}

/// The head of the row that remembers the last number given to a queue.
pub(crate) fn encode_last_id(last: u64) -> Vec<u8> {
    let mut head = vec![ENCODING];
    codec::put_varint(&mut head, last);
    head
}

/// The last number given to a queue; 0 = none yet.
pub(crate) fn last_id(store: &Store) -> Result<u64> {
    let Some(row) = store.get(View::Latest, keys::META, keys::META_QUEUE) else { return Ok(0) };
    let mut reader = codec::Reader::new(row.head());
    let last = reader.byte().filter(|encoding| *encoding == ENCODING).and_then(|_| reader.varint());
    last.ok_or_else(|| Error::unreadable("the last number of a queue"))
}

/// 0 for none, else the bound + 1.
fn put_bound(out: &mut Vec<u8>, bound: Option<u64>) {
    codec::put_varint(out, bound.map_or(0, |bound| bound.saturating_add(1)));
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Small for numbers near zero on either side.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
