//! Sealing in the background: which columns are sealed when, in commits of many columns each, and which chunks go.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use manifold_store::Seq;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{
    Error, Kind, Result, keys,
    live::Live,
    series::{
        column::Run,
        run,
        seal::{self, Rebuilt, Target},
        space::Space,
    },
    txn::{self, Txn},
    work::{Tick, Work},
};

/// Looks for chunks that are too old are this far apart.
const LOOK: Duration = Duration::from_secs(30);
/// Series looked at in one piece.
const PIECE: u32 = 4096;
/// Chunks removed in one commit.
const CHUNKS: usize = 512;
/// What a column costs besides its points, in points.
const COLUMN_WORK: usize = 128;
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

/// The right to change blocks. Changes are committed one after the other: none before the one before is durable.
#[derive(Default)]
pub(crate) struct Sealer {
    /// The columns of the newest change, and its frame.
    changing: Vec<Target>,
    frame: Seq,
    /// Those of them that are sealed by it to their end.
    sealed: Vec<Target>,
    /// A column that is sealed in several commits.
    begun: Option<Begun>,
    search: Option<Search>,
}

/// Sealing that goes on in the next commit. The column's buffer keeps its points until the last one; they are the same
/// as those in blocks by then, so a restart in between does no harm.
struct Begun {
    target: Target,
    rest: Run,
    sealed: u64,
}

/// A search for columns that keep a space's chunks up to one.
struct Search {
    space: Arc<Space>,
    through: u64,
    slot: u32,
}

impl Upkeep {
    /// A column has enough points to be sealed.
    pub(crate) fn add(&self, target: Target) {
        self.waiting.lock().columns.push_back(target);
        self.added.notify_one();
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

    /// Nothing is sealed until the answer is dropped.
    #[cfg(test)]
    pub(crate) fn stall(&self) -> MutexGuard<'_, Sealer> {
        self.sealer.lock()
    }

    /// Whether all that was to be done is done, and durable.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let sealer = self.sealer.lock();
        let waiting = self.waiting.lock();
        let nothing = waiting.columns.is_empty() && waiting.spaces.is_empty();
        nothing && sealer.changing.is_empty() && sealer.begun.is_none() && sealer.search.is_none()
    }

    /// Waits until nobody is between the commit of a change of blocks and telling the columns.
    pub(crate) fn between_changes(&self) {
        drop(self.sealer.lock());
    }

    /// Waits until the buffers have room for more points; `Busy` when that takes too long.
    pub(crate) async fn room(&self, live: &Live) -> Result<()> {
        let has_room = || live.series.totals.buffer_bytes() < 2 * live.series.tuning.buffer_bytes;
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

impl Sealer {
    /// Lets the newest change take effect; its frame when it is not durable yet.
    fn settle(&mut self, live: &Live) -> Option<Seq> {
        if self.frame > live.store.durable_seq() {
            return Some(self.frame);
        }
        for target in self.sealed.drain(..) {
            if let Some(column) = target.series.columns.lock().get_mut(target.field) {
                column.queued = false;
            }
        }
        for target in self.changing.drain(..) {
            let mut columns = target.series.columns.lock();
            let Some(column) = columns.get_mut(target.field) else { continue };
            column.settle(live, &target.space);
            if !column.queued && column.is_full(&live.series.tuning) {
                column.queued = true;
                drop(columns);
                live.series.upkeep.add(target);
            }
        }
        live.series.upkeep.room.notify_waiters();
        None
    }

    /// Commits changes of columns, and what else `also` writes. On an error nothing has changed.
    pub(crate) fn commit(
        &mut self,
        live: &Live,
        changes: Vec<(Target, Rebuilt)>,
        also: impl FnOnce(&mut Txn<'_>) -> Result<()>,
    ) -> Result<Seq> {
        let decided = txn::decide(live, |txn| {
            changes.iter().for_each(|(target, rebuilt)| rebuilt.write(txn, target.series.id, target.field));
            also(txn)
        });
        let frame = decided.into_frame()?;
        for (target, rebuilt) in changes {
            rebuilt.committed(&target, frame);
            self.changing.push(target);
        }
        self.frame = self.frame.max(frame);
        Ok(frame)
    }

    /// Somebody else is about to change the column: what was begun starts again later.
    pub(crate) fn interrupt(&mut self, live: &Live, target: &Target) {
        if let Some(begun) = self.begun.take_if(|begun| begun.target.is(target)) {
            live.series.upkeep.add(begun.target);
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
        let searching = sealer.search(live);
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

impl Sealer {
    /// Seals some columns in one commit; its frame, if there are any.
    fn seal(&mut self, live: &Live) -> Result<Option<Seq>> {
        let (changes, begun) = self.collect(live);
        if changes.is_empty() {
            return Ok(None);
        }
        let mut targets: Vec<Target> = changes.iter().map(|(target, _)| target.clone()).collect();
        match self.commit(live, changes, |_| Ok(())) {
            Ok(frame) => {
                // The last column is not done with when there is more of it.
                targets.truncate(targets.len() - usize::from(begun.is_some()));
                self.sealed = targets;
                self.begun = begun;
                Ok(Some(frame))
            }
            Err(error) => {
                // Nothing was changed. They are marked as queued still, so they must be.
                live.series.upkeep.waiting.lock().columns.extend(targets);
                Err(error)
            }
        }
    }

    /// Works out changes of columns until they come to about one commit, and what is left of the last one.
    fn collect(&mut self, live: &Live) -> (Vec<(Target, Rebuilt)>, Option<Begun>) {
        let mut changes = Vec::new();
        let mut work = 0;
        while work < live.series.tuning.tick_points {
            let begun = match self.begun.take() {
                Some(begun) => begun,
                None => {
                    let Some(target) = live.series.upkeep.waiting.lock().columns.pop_front() else { break };
                    match Begun::new(live, target) {
                        Some(begun) => begun,
                        None => continue,
                    }
                }
            };
            match begun.step(live) {
                Ok((target, rebuilt, rest)) => {
                    work += rebuilt.work + COLUMN_WORK;
                    changes.push((target, rebuilt));
                    if rest.is_some() {
                        return (changes, rest);
                    }
                }
                Err((target, error)) => set_aside(live, &target, &error),
            }
        }
        (changes, None)
    }

    /// Looks for columns that keep chunks for too long, a piece at a time; whether there is more to look at.
    fn search(&mut self, live: &Live) -> bool {
        if self.search.is_none() && live.series.upkeep.waiting.lock().columns.is_empty() {
            let (now, tuning) = (live.clock.now(), &live.series.tuning);
            let much_memory = live.series.totals.buffer_bytes() > tuning.buffer_bytes;
            self.search = live.series.all().into_iter().find_map(|space| {
                let through = space.backlog.lock().overdue(now, much_memory, tuning)?;
                Some(Search { space, through, slot: 0 })
            });
        }
        let Some(search) = &mut self.search else { return false };
        let more = search.step(live);
        if !more {
            self.search = None;
        }
        true
    }
}

impl Begun {
    /// What is to be sealed of a column; none when it is better left for now.
    fn new(live: &Live, target: Target) -> Option<Begun> {
        let tuning = &live.series.tuning;
        let sealed = target.space.backlog.lock().newest();
        let (points, urgent) = {
            let mut columns = target.series.columns.lock();
            let column = columns.get_mut(target.field)?;
            let count = column.buffer.through(sealed);
            if count == 0 {
                column.queued = false;
                return None;
            }
            (column.buffer.first(count), mem::take(&mut column.urgent))
        };
        let rest = run::sort(points);
        let mut columns = target.series.columns.lock();
        let column = columns.get_mut(target.field)?;
        let touched = seal::touched(&column.blocks, &rest);
        // A block is not written anew for the sake of a few points, if they can wait for more.
        let few = touched * tuning.block_points > rest.len() * tuning.rewritten_per_point;
        if few && !urgent && column.buffer.len() < tuning.patient_points {
            column.patience = (2 * column.buffer.len()).min(tuning.patient_points);
            column.queued = false;
            return None;
        }
        drop(columns);
        Some(Begun { target, rest, sealed })
    }

    /// Works out the next change, and what is left for later ones.
    fn step(self, live: &Live) -> Result<(Target, Rebuilt, Option<Begun>), (Target, Error)> {
        let Begun { target, rest: mut points, sealed } = self;
        let rest = {
            let columns = target.series.columns.lock();
            let blocks = columns.get(target.field).map_or(&[][..], |column| &column.blocks);
            seal::split_rest(blocks, &mut points, live.series.tuning.rewrites)
        };
        match seal::rebuild(live, &target, &points, None) {
            Ok(mut rebuilt) => {
                if rest.is_none() {
                    rebuilt.sealed(sealed);
                }
                let rest = rest.map(|rest| Begun { target: target.clone(), rest, sealed });
                Ok((target, rebuilt, rest))
            }
            Err(error) => Err((target, error)),
        }
    }
}

/// A block of the column cannot be read: others must not wait for it. Its points stay in their chunks.
fn set_aside(live: &Live, target: &Target, error: &Error) {
    tracing::error!(%error, series = target.series.id, field = target.field, "a column of a time series cannot be sealed");
    live.counters.worker_failed();
    let mut columns = target.series.columns.lock();
    if let Some(column) = columns.get_mut(target.field) {
        column.patience = 2 * column.buffer.len();
        column.queued = false;
    }
}

impl Search {
    fn step(&mut self, live: &Live) -> bool {
        let catalog = self.space.catalog.read();
        let end = (self.slot + PIECE).min(catalog.slots());
        for slot in self.slot..end {
            let Some(series) = catalog.series(slot) else { continue };
            for column in series.columns.lock().iter_mut() {
                if column.buffer.oldest_chunk().is_none_or(|oldest| oldest > self.through) {
                    continue;
                }
                column.urgent = true;
                if !mem::replace(&mut column.queued, true) {
                    let target = Target { space: self.space.clone(), series: series.clone(), field: column.field };
                    live.series.upkeep.add(target);
                }
            }
        }
        self.slot = end;
        end < catalog.slots()
    }
}

impl Target {
    fn is(&self, other: &Target) -> bool {
        Arc::ptr_eq(&self.series, &other.series) && self.field == other.field
    }
}
