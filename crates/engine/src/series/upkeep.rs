//! What there is to do in the background: columns to be sealed and chunks to be removed; and the worker that does it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use manifold_store::{Seq, State};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{
    Error, Kind, Result, keys,
    live::Live,
    series::{seal::Target, sealer::Sealer, space::Space},
    txn,
    work::{Tick, Work},
};

/// Looks for chunks that are too old are this far apart.
const LOOK: Duration = Duration::from_secs(30);
/// Chunks removed in one commit.
const CHUNKS: usize = 512;
/// So long a writer waits for sealing to make room.
const ROOM_WAIT: Duration = Duration::from_secs(10);

/// What there is to do, and who does it.
#[derive(Default)]
pub(crate) struct Upkeep {
    waiting: Mutex<Waiting>,
    added: Notify,
    /// Changes after which there may be room for writers.
    room: Notify,
    sealer: Mutex<Sealer>,
}

#[derive(Default)]
struct Waiting {
    columns: VecDeque<Target>,
    /// Spaces with chunks that nobody needs.
    spaces: HashMap<u64, Arc<Space>>,
}

impl Upkeep {
    /// A column has enough points to be sealed.
    pub(crate) fn add(&self, target: Target) {
        self.waiting.lock().columns.push_back(target);
        self.added.notify_one();
    }

    /// The column that has waited longest.
    pub(crate) fn next(&self) -> Option<Target> {
        self.waiting.lock().columns.pop_front()
    }

    /// Whether no column waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.lock().columns.is_empty()
    }

    /// A space has chunks that nobody needs.
    pub(crate) fn done(&self, space: &Arc<Space>) {
        self.waiting.lock().spaces.entry(space.id).or_insert_with(|| space.clone());
        self.added.notify_one();
    }

    /// Something may have become too much.
    pub(crate) fn look(&self) {
        self.added.notify_one();
    }

    /// Nobody changes blocks until the answer is dropped. For readers; who changes some wants [`Upkeep::sealer`].
    pub(crate) fn exclusive(&self) -> MutexGuard<'_, Sealer> {
        self.sealer.lock()
    }

    /// Whether all that was to be done is done, and durable.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let sealer = self.sealer.lock();
        let waiting = self.waiting.lock();
        waiting.columns.is_empty() && waiting.spaces.is_empty() && sealer.is_idle()
    }

    /// Points have left buffers.
    pub(crate) fn has_room(&self) {
        self.room.notify_waiters();
    }

    /// Waits until the buffers have room for more points; `Busy` when that takes too long.
    pub(crate) async fn room(&self, live: &Live) -> Result<()> {
        // A store that takes nothing says so itself.
        let is_open = || live.store.state() == State::Open;
        let has_room = || live.series.totals.buffer_bytes() < 2 * live.series.tuning.buffer_bytes || !is_open();
        if has_room() {
            return Ok(());
        }
        self.look();
        let room = async {
            loop {
                let room = self.room.notified();
                if has_room() {
                    return;
                }
                room.await;
            }
        };
        let waited = live.clock.timeout(ROOM_WAIT, live.unless_stopped(room)).await;
        match waited {
            Some(_) => Ok(()),
            None => Err(Error::new(Kind::Busy, "points come faster than they can be brought into blocks")),
        }
    }

    /// The right to change blocks, once all changes before are durable. Not to be held while anything is awaited.
    pub(crate) async fn sealer(&self, live: &Live) -> Result<MutexGuard<'_, Sealer>> {
        loop {
            let frame = match self.try_sealer(live) {
                Ok(sealer) => return Ok(sealer),
                Err(frame) => frame,
            };
            live.store.durable(frame).await?;
        }
    }

    /// The same for who does not wait; otherwise the frame to wait for.
    pub(crate) fn try_sealer(&self, live: &Live) -> Result<MutexGuard<'_, Sealer>, Seq> {
        let mut sealer = self.sealer.lock();
        match sealer.settle(live) {
            None => Ok(sealer),
            Some(frame) => Err(frame),
        }
    }
}

/// Seals columns and removes chunks.
pub(crate) struct Seal;

impl Work for Seal {
    fn name(&self) -> &'static str {
        "time series sealing"
    }

    async fn trigger(&self, live: &Live) {
        tokio::select! {
            () = live.series.upkeep.added.notified() => {}
            () = live.clock.sleep(LOOK) => {}
        }
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let upkeep = &live.series.upkeep;
        let mut sealer = upkeep.sealer.lock();
        if let Some(frame) = sealer.settle(live) {
            return Ok(Tick { more: true, frame });
        }
        let searching = sealer.search.step(live);
        let removed = remove_chunks(live)?;
        let sealed = sealer.seal(live)?;
        let frame = removed.max(sealed);
        Ok(Tick { more: searching || frame.is_some(), frame: frame.unwrap_or_default() })
    }
}

/// Removes some chunks that nobody needs; the frame, if there are any. In a commit of its own: on a full disk it is what
/// makes space for sealing.
fn remove_chunks(live: &Live) -> Result<Option<Seq>> {
    let upkeep = &live.series.upkeep;
    let Some((space, chunks)) = upkeep.unneeded() else { return Ok(None) };
    let decided = txn::decide(live, |txn| {
        txn.relief();
        chunks.iter().for_each(|chunk| txn.delete(keys::SERIES_CHUNK, &keys::series_chunk(space.id, *chunk)));
        Ok(())
    });
    match decided.into_frame() {
        Ok(frame) => {
            space.backlog.lock().removed(&chunks);
            Ok(Some(frame))
        }
        Err(error) => {
            upkeep.done(&space);
            Err(error)
        }
    }
}

impl Upkeep {
    /// Some chunks of a space that nobody needs.
    fn unneeded(&self) -> Option<(Arc<Space>, Vec<u64>)> {
        let mut waiting = self.waiting.lock();
        while let Some(space) = waiting.spaces.values().next().cloned() {
            let chunks = space.backlog.lock().done(CHUNKS);
            if chunks.len() < CHUNKS {
                waiting.spaces.remove(&space.id);
            }
            if !chunks.is_empty() {
                return Some((space, chunks));
            }
        }
        None
    }
}
