//! Groups as a whole: their description, their list, their end.

use std::sync::Arc;

use crate::{
    Name, Result, keys,
    live::Live,
    stream::{
        GroupInfo,
        group::state::{Groups, not_found},
        row::Number,
        state::Stream,
    },
    txn,
};

/// Describes a group.
pub(crate) async fn info(live: &Live, stream: &Arc<Stream>, name: &Name) -> Result<GroupInfo> {
    let groups = list(live, stream).await?;
    groups.into_iter().find(|group| group.name == *name).ok_or_else(|| not_found(name))
}

/// Describes all groups of a stream by name.
pub(crate) async fn list(live: &Live, stream: &Arc<Stream>) -> Result<Vec<GroupInfo>> {
    let (frame, list) = {
        let mut groups = Groups::of(live, stream)?;
        let (now, bounds) = (live.clock.now(), stream.bounds(&live.store));
        let all = groups.by_name.iter_mut();
        let list = all.map(|(name, group)| group.info(name.clone(), now, bounds)).collect();
        (groups.frame, list)
    };
    live.store.durable(frame).await?;
    Ok(list)
}

/// Deletes a group; whether it was there. What it left goes in the background.
pub(crate) async fn delete(live: &Live, stream: &Arc<Stream>, name: &Name) -> Result<bool> {
    live.store.room().await;
    let (frame, deleted) = {
        let mut groups = Groups::of(live, stream)?;
        match groups.by_name.get(name).filter(|_| !stream.is_deleted()) {
            None => (groups.frame, false),
            Some(group) => {
                let _gone = live.streams.gone.lock();
                let rows = keys::stream_group_rows(stream.id, group.head.number);
                let frame = txn::decide(live, |txn| {
                    txn.relief();
                    txn.delete(keys::STREAM_GROUP, &keys::stream_group(stream.id, name));
                    txn.put(keys::STREAM_GONE, &rows, &Number(u64::MAX).encode(), &[]);
                    Ok(())
                })
                .into_frame()?;
                groups.frame = frame;
                groups.by_name.remove(name);
                live.streams.upkeep.sweep();
                (frame, true)
            }
        }
    };
    live.store.durable(frame).await?;
    Ok(deleted)
}
