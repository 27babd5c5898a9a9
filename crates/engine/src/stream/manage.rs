//! Streams as a whole: their description, their list, their settings, their end.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use manifold_store::{Batch, Range, Seq, View};

use crate::{
    Error, Name, Namespace, Result, keys,
    live::Live,
    stream::{
        StreamInfo, StreamRetention,
        group::Groups,
        row::{Meta, Number},
        state::{Bounds, Stream},
        trim,
    },
    timers::Target,
    txn,
};

/// Describes a stream; none when it was deleted since it was found.
pub(crate) async fn info(live: &Live, stream: &Arc<Stream>) -> Result<Option<StreamInfo>> {
    let (groups, frame) = {
        let groups = Groups::of(live, stream)?;
        (groups.names(), groups.frame)
    };
    live.store.durable(frame.max(stream.born)).await?;
    let Bounds { first, end } = stream.bounds(&live.store);
    let tail = stream.tail.lock();
    if tail.deleted {
        return Ok(None);
    }
    let name = keys::split_kv(&stream.key).and_then(|(_, name)| Name::new(Bytes::copy_from_slice(name)).ok());
    Ok(Some(StreamInfo {
        name: name.ok_or_else(|| Error::unreadable("a stream"))?,
        first,
        end,
        bytes: tail.total - tail.base,
        created_at: stream.created_at,
        generation: stream.id,
        retention: tail.meta.retention,
        groups,
        followers: stream.followers.load(Ordering::Relaxed),
    }))
}

/// Describes the streams of a namespace.
pub(crate) async fn list(
    live: &Live,
    namespace: &Namespace,
    after: Option<&Name>,
    limit: usize,
) -> Result<Vec<StreamInfo>> {
    let start = keys::kv_start(namespace);
    let mut from = start.to_vec();
    if let Some(after) = after {
        from = keys::stream(namespace, after).to_vec();
        from.push(0);
    }
    let mut range = Range { from, to: keys::prefix_end(&start), limit: limit.clamp(1, 256), reverse: false };
    let mut streams = Vec::new();
    loop {
        let chunk = live.store.range(View::Durable, keys::STREAM, &range);
        for (key, _) in &chunk.rows {
            let Some(stream) = live.streams.find(live, key)? else { continue };
            streams.extend(info(live, &stream).await?);
            if streams.len() >= limit {
                return Ok(streams);
            }
        }
        match chunk.resume {
            Some(resume) => range.from = resume,
            None => return Ok(streams),
        }
        tokio::task::yield_now().await;
    }
}

/// Sets how much is kept; false when the stream was deleted since it was found.
pub(crate) async fn retain(live: &Live, stream: &Arc<Stream>, retention: StreamRetention) -> Result<bool> {
    live.store.room().await;
    let frame = {
        let mut tail = stream.tail.lock();
        if tail.deleted {
            return Ok(false);
        }
        // The timer that comes first finds out how old the records are.
        let armed = retention.age.filter(|_| tail.end > tail.meta.first).map(|_| live.clock.now());
        // What the bound of before has hidden stays hidden.
        let first = tail.visible().first;
        let meta = Meta { first, retention, armed, last_at: tail.last_at, ..tail.meta.clone() };
        trim::commit(live, stream, &mut tail, meta)?;
        live.streams.upkeep.look(stream, &tail);
        tail.frame
    };
    live.store.durable(frame).await?;
    Ok(true)
}

/// Deletes a stream; whether it was there. Its records and groups go in the background.
pub(crate) async fn delete(live: &Live, key: &[u8]) -> Result<bool> {
    live.store.room().await;
    let (frame, deleted) = {
        let _held = live.locks.lock(key);
        match live.streams.find_locked(live, key)? {
            Some(stream) => (delete_locked(live, &stream)?, true),
            None => (unsaid(live, key)?, false),
        }
    };
    live.store.durable(frame).await?;
    Ok(deleted)
}

/// The frame after which it may be said that there is no such stream.
pub(crate) fn unsaid(live: &Live, key: &[u8]) -> Result<Seq> {
    match live.store.get(View::Durable, keys::STREAM, key) {
        Some(_) => Ok(live.store.commit(Batch::new())?),
        None => Ok(0),
    }
}

fn delete_locked(live: &Live, stream: &Arc<Stream>) -> Result<Seq> {
    let _groups = stream.groups.lock();
    let mut tail = stream.tail.lock();
    let _gone = live.streams.gone.lock();
    let frame = txn::decide(live, |txn| {
        txn.relief();
        txn.delete(keys::STREAM, &stream.key);
        tail.meta.armed.into_iter().for_each(|at| txn.clear_timer(at, Target::Stream(&stream.key)));
        txn.put(keys::STREAM_GONE, &keys::number(stream.id), &Number(u64::MAX).encode(), &[]);
        Ok(())
    })
    .into_frame()?;
    tail.deleted = true;
    tail.frame = frame;
    live.streams.remove(&stream.key);
    live.streams.upkeep.sweep();
    stream.wake();
    Ok(frame)
}
