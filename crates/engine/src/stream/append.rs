//! Appending records, and creating the stream that gets them.

use std::sync::Arc;

use manifold_store::Seq;
use smallvec::SmallVec;

use crate::{
    Error, Kind, Namespace, Result, Timestamp, keys,
    live::Live,
    stream::{
        Append, Appended, MAX_APPEND, NewRecord, Record, StreamRetention,
        row::{Meta, Number, Span, SpanWriter},
        state::{Stream, Tail, is_full},
    },
    timers::Target,
    txn::{self, Txn},
};

/// Longest kind of a record in bytes.
const KIND_MAX: usize = 255;
/// Most bytes of one record's headers.
pub const HEADERS_MAX: usize = 64 << 10;

/// Appends records to a stream, which is created when it is absent.
pub(crate) async fn append(live: &Live, namespace: &Namespace, append: Append) -> Result<Appended> {
    check(live, &append.records)?;
    live.store.room().await;
    let key = keys::stream(namespace, &append.stream);
    let (stream, frame, appended) = commit(live, &key, append)?;
    // Also when nobody waits for the answer any more, readers must get to see the records.
    let _shown = ShownInTheEnd { live, stream: &stream, frame };
    live.durable(frame).await?;
    Ok(appended)
}

/// Creates a stream that is absent; whether it did.
pub(crate) async fn create(live: &Live, key: &[u8], retention: StreamRetention) -> Result<bool> {
    live.store.room().await;
    let (frame, created) = loop {
        if let Some(stream) = live.streams.find(live, key)? {
            break (stream.born, false);
        }
        if let Some((stream, ..)) = create_with(live, key, retention, &mut Vec::new())? {
            break (stream.born, true);
        }
    };
    live.store.durable(frame).await?;
    Ok(created)
}

pub(super) fn check(live: &Live, records: &[NewRecord]) -> Result<()> {
    let too_large = |what: String| Err(Error::new(Kind::TooLarge, what));
    if records.is_empty() {
        return Err(Error::new(Kind::Invalid, "there is no record to append"));
    }
    if records.len() > MAX_APPEND {
        return too_large(format!("{} records are over the limit of {MAX_APPEND}", records.len()));
    }
    let limit = live.limits.value_bytes;
    for NewRecord { kind, headers, payload } in records {
        if payload.len() > limit {
            return too_large(format!("a payload of {} bytes is over the limit of {limit}", payload.len()));
        }
        if kind.len() > KIND_MAX {
            return too_large(format!("a kind of {} bytes is over the limit of {KIND_MAX}", kind.len()));
        }
        let bytes: usize = headers.iter().map(|(name, text)| name.len() + text.len()).sum();
        if bytes > HEADERS_MAX {
            return too_large(format!("headers of {bytes} bytes are over the limit of {HEADERS_MAX}"));
        }
    }
    Ok(())
}

fn commit(live: &Live, key: &[u8], append: Append) -> Result<(Arc<Stream>, Seq, Appended)> {
    let Append { stream: _, mut records, create } = append;
    loop {
        let Some(stream) = live.streams.find(live, key)? else {
            match create_with(live, key, create, &mut records)? {
                Some(done) => return Ok(done),
                None => continue,
            }
        };
        let mut tail = stream.tail.lock();
        // Deleted since it was found: the name is free, or somebody else's.
        if tail.deleted {
            continue;
        }
        let plan = Plan::new(&tail, records, live.clock.now());
        let frame = txn::decide(live, |txn| plan.write(txn, &stream.key)).into_frame()?;
        let done = plan.apply(live, &stream, &mut tail, frame);
        drop(tail);
        return Ok((stream, frame, done));
    }
}

/// Creates a stream with its first records, if any; none, and nothing taken, when somebody else did.
fn create_with(
    live: &Live,
    key: &[u8],
    retention: StreamRetention,
    records: &mut Vec<NewRecord>,
) -> Result<Option<(Arc<Stream>, Seq, Appended)>> {
    let _held = live.locks.lock(key);
    if live.streams.find_locked(live, key)?.is_some() {
        return Ok(None);
    }
    let mut next_id = live.streams.next_id.lock();
    let now = live.clock.now();
    let meta = Meta { id: *next_id, created_at: now, first: 0, last_at: now, next_group: 1, armed: None, retention };
    let tail = Tail::new(meta);
    let plan = Plan { new: true, ..Plan::new(&tail, std::mem::take(records), now) };
    let frame = txn::decide(live, |txn| {
        txn.enter_of(key);
        txn.put(keys::META, keys::META_STREAM, &Number(*next_id + 1).encode(), &[]);
        plan.write(txn, key)
    })
    .into_frame()?;
    *next_id += 1;
    let stream = Arc::new(Stream::new(key.into(), frame, tail, &live.streams.ring_bytes));
    let done = plan.apply(live, &stream, &mut stream.tail.lock(), frame);
    live.streams.insert(stream.clone());
    Ok(Some((stream, frame, done)))
}

/// What an append will write.
pub(super) struct Plan {
    records: Vec<Arc<Record>>,
    rows: SmallVec<[SpanWriter; 1]>,
    at: Timestamp,
    meta: Meta,
    /// The stream's own row is written too.
    new: bool,
}

impl Plan {
    fn new(tail: &Tail, records: Vec<NewRecord>, now: Timestamp) -> Self {
        let at = now.max(tail.last_at);
        let records = (tail.end..).zip(records).map(|(offset, record)| Arc::new(record.at(offset, at)));
        Plan { at, ..Plan::of(tail, records.collect()) }
    }

    /// For records that follow the last one, in place and in time.
    pub(super) fn of(tail: &Tail, records: Vec<Arc<Record>>) -> Self {
        let at = records.first().map_or(tail.last_at, |record| record.at);
        let mut rows: SmallVec<[SpanWriter; 1]> = SmallVec::new();
        for record in &records {
            let end_of = |span: &Span| span.before + span.bytes;
            match rows.last_mut() {
                Some(row) if !is_full(row.span()) => row.push(record),
                last => {
                    let before = last.map_or(tail.total, |row| end_of(row.span()));
                    let mut row = SpanWriter::new(record.offset, before);
                    row.push(record);
                    rows.push(row);
                }
            }
        }
        // Whoever wants old records gone is woken when these are old, unless he will be woken for older ones.
        let armed = tail.meta.armed.or(tail.meta.retention.age.filter(|_| !records.is_empty()).map(|age| at.plus(age)));
        Plan { records, rows, at, meta: Meta { armed, ..tail.meta.clone() }, new: armed != tail.meta.armed }
    }

    pub(super) fn write(&self, txn: &mut Txn<'_>, key: &[u8]) -> Result<()> {
        txn.grow()?;
        for row in &self.rows {
            let span = row.span();
            txn.put(keys::STREAM_RECORDS, &keys::stream_records(self.meta.id, span.first), &span.encode(), row.body());
        }
        if self.new {
            txn.put(keys::STREAM, key, &self.meta.encode(), &[]);
            // Only a plan that arms it differs from the row that is there.
            self.meta.armed.into_iter().for_each(|deadline| txn.set_timer(deadline, Target::Stream(key)));
        }
        Ok(())
    }

    pub(super) fn apply(self, live: &Live, stream: &Arc<Stream>, tail: &mut Tail, frame: Seq) -> Appended {
        let Plan { records, rows, at, meta, new: _ } = self;
        let (first, count) = (tail.end, records.len() as u64);
        tail.meta = meta;
        tail.frame = frame;
        rows.iter().for_each(|row| tail.added(*row.span()));
        live.streams.upkeep.look(stream, tail);
        stream.show_later(frame, tail.visible(), records);
        let followers = stream.followers.load(std::sync::atomic::Ordering::Relaxed);
        Appended { first, last: (first + count).saturating_sub(1), at, generation: stream.id, followers }
    }
}

/// Shows the records when they are durable: at once when the append has waited for that, else in the background.
pub(super) struct ShownInTheEnd<'a> {
    pub(super) live: &'a Live,
    pub(super) stream: &'a Arc<Stream>,
    pub(super) frame: Seq,
}

impl Drop for ShownInTheEnd<'_> {
    fn drop(&mut self) {
        if self.live.store.durable_seq() >= self.frame {
            self.stream.show(&self.live.store);
        } else {
            self.live.streams.upkeep.show_later(self.stream);
        }
    }
}
