//! Streams from lines of an export: records keep their offsets and times, groups what they have not acknowledged.

use std::{sync::Arc, time::Duration};

use manifold_store::Seq;

use crate::{
    Error, Kind, Name, Namespace, Result, Timestamp,
    export::{
        Done, How, Record as Line, count,
        record::{GroupLine, PendingLine, RecordLine, StreamLine},
        text::Text,
        time,
    },
    keys::{self, RowKey},
    live::Live,
    stream::{
        NewRecord, Record, StreamRetention,
        append::{Plan, ShownInTheEnd, check},
        group::{CONSUMERS, Effect, GROUPS, Group, Groups, PENDING},
        manage,
        row::{GroupHead, Meta, Number, Pending},
        state::{Stream, Tail},
    },
    txn::{self, Txn},
};

/// The row key of the stream that a line is about; none for other lines.
pub(crate) fn row_key(line: &Line) -> Result<Option<RowKey>> {
    let (namespace, stream) = match line {
        Line::Stream(line) => (&line.namespace, &line.stream),
        Line::Record(line) => (&line.namespace, &line.stream),
        Line::Group(line) => (&line.namespace, &line.stream),
        Line::Pending(line) => (&line.namespace, &line.stream),
        _ => return Ok(None),
    };
    let namespace = Namespace::new(namespace.0.clone());
    let namespace = namespace.map_err(|error| invalid(format!("the namespace {error}")))?;
    Ok(Some(keys::stream(&namespace, &name("stream", stream)?)))
}

fn name(what: &str, name: &Text) -> Result<Name> {
    Name::new(name.0.clone()).map_err(|error| invalid(format!("the {what} {error}")))
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, what)
}

/// Begins a stream: without records, which the lines behind bring.
pub(crate) async fn begin(live: &Live, row: &RowKey, line: &StreamLine, how: How<'_>) -> Result<Done> {
    live.store.room().await;
    loop {
        let begun = {
            let _held = live.locks.lock(row);
            if live.streams.find_locked(live, row)?.is_none() {
                Some((create(live, row, line, how)?, Done::Written))
            } else if how
                .on_conflict
                .decide(|| format!("there is a stream {} already", line.stream.0.escape_ascii()))?
            {
                None
            } else {
                let decided = txn::decide(live, |txn| {
                    (how.mark)(&[Done::Skipped]).write(txn);
                    Ok(())
                });
                Some((decided.into_frame()?, Done::Skipped))
            }
        };
        if let Some((frame, done)) = begun {
            live.durable(frame).await?;
            return Ok(done);
        }
        manage::delete(live, row).await?;
    }
}

/// The caller holds the lock of the stream's name, and there is none of it.
fn create(live: &Live, row: &RowKey, line: &StreamLine, how: How<'_>) -> Result<Seq> {
    let retention = StreamRetention {
        age: line.retention_ms.map(Duration::from_millis),
        records: line.retention_records,
        bytes: line.retention_bytes,
    };
    let mut next_id = live.streams.next_id.lock();
    let meta = Meta {
        id: *next_id,
        created_at: time(line.created_at)?,
        first: count(line.first)?,
        last_at: time(line.last_at)?,
        next_group: 1,
        armed: None,
        retention,
    };
    let frame = txn::decide(live, |txn| {
        txn.grow()?;
        txn.enter_of(row);
        txn.put(keys::META, keys::META_STREAM, &Number(*next_id + 1).encode(), &[]);
        txn.put(keys::STREAM, row, &meta.encode(), &[]);
        (how.mark)(&[Done::Written]).write(txn);
        Ok(())
    })
    .into_frame()?;
    *next_id += 1;
    let stream = Arc::new(Stream::new(row.clone(), frame, Tail::new(meta), &live.streams.ring_bytes));
    stream.show_later(frame, stream.tail.lock().visible(), Vec::new());
    live.streams.insert(stream);
    Ok(frame)
}

/// Appends records to the stream that was begun, in one commit. An error names the line by its index.
pub(crate) async fn append(live: &Live, row: &RowKey, lines: &[&RecordLine], how: How<'_>) -> Result<Vec<Done>> {
    live.store.room().await;
    let stream = begun(live, row)?;
    let done = vec![Done::Written; lines.len()];
    let frame = {
        let mut tail = stream.tail.lock();
        let mut records = Vec::with_capacity(lines.len());
        let (mut offset, mut at) = (tail.end, tail.last_at);
        for (index, line) in lines.iter().enumerate() {
            let record = record(live, line, offset, at).map_err(|error| error.at(index))?;
            (offset, at) = (offset + 1, record.at);
            records.push(Arc::new(record));
        }
        let plan = Plan::of(&tail, records);
        let frame = txn::decide(live, |txn| {
            plan.write(txn, &stream.key)?;
            (how.mark)(&done).write(txn);
            Ok(())
        })
        .into_frame()?;
        plan.apply(live, &stream, &mut tail, frame);
        frame
    };
    let _shown = ShownInTheEnd { live, stream: &stream, frame };
    live.durable(frame).await?;
    Ok(done)
}

fn begun(live: &Live, row: &RowKey) -> Result<Arc<Stream>> {
    let stream = live.streams.find(live, row)?.filter(|stream| !stream.is_deleted());
    stream.ok_or_else(|| invalid("the line of the stream does not stand before it"))
}

fn record(live: &Live, line: &RecordLine, offset: u64, after: Timestamp) -> Result<Record> {
    if line.offset != offset {
        return Err(invalid(format!("record {} does not follow: the next one is {offset}", line.offset)));
    }
    let at = time(line.at)?;
    if at < after {
        return Err(invalid(format!("record {offset} is older than the one before it")));
    }
    let (kind, payload) = (line.kind.0.clone(), line.payload.0.clone());
    let new = NewRecord { kind, headers: line.headers.clone(), payload };
    check(live, std::slice::from_ref(&new))?;
    Ok(new.at(offset, at))
}

/// Adds a group to the stream that was begun.
pub(crate) async fn group(live: &Live, row: &RowKey, line: &GroupLine, how: How<'_>) -> Result<Done> {
    live.store.room().await;
    let stream = begun(live, row)?;
    let name = name("group", &line.group)?;
    if line.consumers.len() > CONSUMERS {
        return Err(invalid(format!("a group has {CONSUMERS} consumers at most")));
    }
    let head = GroupHead { number: 0, position: count(line.position)?, dead: count(line.dead)? };
    let consumers = line.consumers.iter().map(|consumer| self::name("consumer", consumer).map(Effect::Consumer));
    let effects = consumers.collect::<Result<Vec<_>>>()?;
    let frame = {
        let mut groups = Groups::of(live, &stream)?;
        if groups.by_name.contains_key(&name) {
            return Err(invalid(format!("the group {name} is there twice")));
        }
        if groups.by_name.len() >= GROUPS {
            return Err(invalid(format!("a stream has {GROUPS} groups at most")));
        }
        groups.create(live, &stream, &name, Group::new(head), effects, marked(how))?
    };
    live.store.durable(frame).await?;
    Ok(Done::Written)
}

/// Adds what a group has not acknowledged.
pub(crate) async fn pending(live: &Live, row: &RowKey, line: &PendingLine, how: How<'_>) -> Result<Done> {
    live.store.room().await;
    let stream = begun(live, row)?;
    let name = name("group", &line.group)?;
    let frame = {
        let mut groups = Groups::of(live, &stream)?;
        let end = stream.tail.lock().end;
        let group = groups.by_name.get(&name).ok_or_else(|| invalid(format!("there is no group {name} before it")))?;
        if group.pending.len() + line.pending.len() > PENDING {
            return Err(invalid(format!("a group has {PENDING} pending records at most")));
        }
        let set = |(offset, deliveries, deadline): &(u64, u32, Option<u64>)| {
            if *offset >= end {
                return Err(invalid(format!("record {offset} is pending and was never appended")));
            }
            let deadline = deadline.map(time).transpose()?;
            Ok(Effect::Set(*offset, Pending { deliveries: (*deliveries).max(1), deadline }))
        };
        let effects = line.pending.iter().map(set).collect::<Result<Vec<_>>>()?;
        groups.commit(live, &stream, &name, effects, marked(how))?
    };
    live.store.durable(frame).await?;
    Ok(Done::Written)
}

/// Writes how far the import is beside a change of a group.
fn marked(how: How<'_>) -> impl FnOnce(&mut Txn<'_>) {
    move |txn| (how.mark)(&[Done::Written]).write(txn)
}
