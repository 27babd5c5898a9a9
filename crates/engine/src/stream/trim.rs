//! Dropping records from the start of a stream, because somebody says so or because its retention does. Rows go whole:
//! the first one kept may hold records that are gone for readers.

use std::sync::Arc;

use manifold_store::{Seq, View};

use crate::{
    Result, Timestamp, keys,
    live::Live,
    stream::{
        StreamTrim, StreamTrimmed,
        read::Rows,
        row::{Meta, Number},
        state::{Bounds, Stream, Tail},
    },
    timers::Target,
    txn,
};

/// Most rows removed in the commit that trims; what is more goes in the background.
const ROWS: usize = 256;
/// A stream's age is looked at no more often than this.
const PAUSE_MS: u64 = 1000;

/// Drops what `trim` says.
pub(crate) async fn trim(live: &Live, stream: &Arc<Stream>, trim: StreamTrim) -> Result<Option<StreamTrimmed>> {
    let (frame, trimmed) = {
        let mut tail = stream.tail.lock();
        if tail.deleted {
            return Ok(None);
        }
        let first = match trim {
            StreamTrim::MaxLen(records) => tail.end.saturating_sub(records),
            StreamTrim::BeforeOffset(offset) => offset,
            StreamTrim::MaxAge(age) => younger(live, &tail, live.clock.now().minus(age))?,
        };
        let armed = tail.meta.armed;
        let trimmed = cut(live, stream, &mut tail, first, armed)?;
        (tail.frame, trimmed)
    };
    live.store.durable(frame).await?;
    stream.show(&live.store);
    Ok(Some(trimmed))
}

/// Drops what the bounds by number and size no longer allow.
pub(crate) fn trim_surplus(live: &Live, stream: &Arc<Stream>) -> Result<Seq> {
    let mut tail = stream.tail.lock();
    if tail.deleted || !tail.is_over() {
        return Ok(0);
    }
    let Bounds { mut first, end } = tail.bounds();
    if let Some(records) = tail.meta.retention.records {
        first = first.max(end.saturating_sub(records));
    }
    if let Some(bytes) = tail.meta.retention.bytes {
        first = first.max(lighter(live, &tail, bytes)?);
    }
    let armed = tail.meta.armed;
    cut(live, stream, &mut tail, first, armed)?;
    Ok(tail.frame)
}

/// The timer of a stream is due: drops what is too old, and says when to look again.
pub(crate) fn trim_aged(live: &Live, key: &[u8], deadline: Timestamp) -> Result<Seq> {
    let Some(stream) = live.streams.find(live, key)? else { return forget_timer(live, key, deadline) };
    let mut tail = stream.tail.lock();
    let Some(age) = tail.meta.retention.age.filter(|_| !tail.deleted && tail.meta.armed == Some(deadline)) else {
        return forget_timer(live, key, deadline);
    };
    let now = live.clock.now();
    // A record is too old at its age to the millisecond, as everything is due at its deadline.
    let first = younger(live, &tail, Timestamp(now.minus(age).0.saturating_add(1)))?;
    let rows = Rows::new(live, View::Latest, stream.id);
    let armed = match rows.at(first)? {
        Some((span, _)) if first < tail.end => Some(span.first_at.plus(age).max(Timestamp(now.0 + PAUSE_MS))),
        _ => None,
    };
    cut(live, &stream, &mut tail, first, armed)?;
    Ok(tail.frame)
}

/// A timer that a change of the retention, or of the stream, left behind.
fn forget_timer(live: &Live, key: &[u8], deadline: Timestamp) -> Result<Seq> {
    let decided = txn::decide(live, |txn| {
        txn.relief();
        txn.clear_timer(deadline, Target::Stream(key));
        Ok(())
    });
    decided.into_frame()
}

/// The offset of the first record at or after `at`.
fn younger(live: &Live, tail: &Tail, at: Timestamp) -> Result<u64> {
    if tail.last_at < at {
        return Ok(tail.end);
    }
    Rows::new(live, View::Latest, tail.meta.id).since(tail.bounds(), at)
}

/// The offset of the first row from which on no more than `bytes` are kept; the last row stays however large it is.
fn lighter(live: &Live, tail: &Tail, bytes: u64) -> Result<u64> {
    let rows = Rows::new(live, View::Latest, tail.meta.id);
    let Bounds { first: mut low, end: mut high } = tail.bounds();
    // Rows that begin below `low` are too many, one that begins at `high` is not, or is the end.
    while low < high {
        let middle = low + (high - low) / 2;
        let Some((span, _)) = rows.at(middle)? else { break };
        if tail.total - span.before > bytes && span.end() < tail.end {
            low = span.end();
        } else {
            high = span.first.max(low);
        }
    }
    Ok(low)
}

/// Makes `first` the first offset kept, and `armed` the stream's timer, in one commit; nothing when both are so.
pub(crate) fn cut(
    live: &Live,
    stream: &Arc<Stream>,
    tail: &mut Tail,
    first: u64,
    armed: Option<Timestamp>,
) -> Result<StreamTrimmed> {
    let Bounds { first: from, end } = tail.bounds();
    let first = first.clamp(from, end);
    let meta = Meta { first, armed, last_at: tail.last_at, ..tail.meta.clone() };
    if (first, armed) != (from, tail.meta.armed) {
        commit(live, stream, tail, meta)?;
    }
    Ok(StreamTrimmed { trimmed: first - from, first })
}

/// Commits a change of the stream's own row.
pub(crate) fn commit(live: &Live, stream: &Arc<Stream>, tail: &mut Tail, meta: Meta) -> Result<()> {
    let rows = Rows::new(live, View::Latest, stream.id);
    let first = meta.first;
    let base = if first == tail.end { tail.total } else { rows.at(first)?.map_or(tail.base, |(span, _)| span.before) };
    let _gone = live.streams.gone.lock();
    let mut old = if first > tail.meta.first { rows.first(first, ROWS + 1)? } else { Vec::new() };
    let more = old.len() > ROWS;
    old.truncate(ROWS);
    let frame = txn::decide(live, |txn| {
        txn.relief();
        for span in old.iter().filter(|span| span.end() <= first) {
            txn.delete(keys::STREAM_RECORDS, &keys::stream_records(stream.id, span.first));
        }
        if more {
            txn.put(keys::STREAM_GONE, &keys::number(stream.id), &Number(first).encode(), &[]);
        }
        if meta.armed != tail.meta.armed {
            tail.meta.armed.into_iter().for_each(|at| txn.clear_timer(at, Target::Stream(&stream.key)));
            meta.armed.into_iter().for_each(|at| txn.set_timer(at, Target::Stream(&stream.key)));
        }
        txn.put(keys::STREAM, &stream.key, &meta.encode(), &[]);
        Ok(())
    })
    .into_frame()?;
    tail.meta = meta;
    tail.base = base;
    tail.frame = frame;
    tail.small.retain(|span| span.end() > first);
    stream.show_later(frame, tail.visible(), Vec::new());
    if more {
        live.streams.upkeep.sweep();
    }
    Ok(())
}
