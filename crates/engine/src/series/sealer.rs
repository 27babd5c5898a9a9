//! Who changes the blocks of columns. There is one at a time, and one commit at a time: the next is worked out when the
//! one before is durable and the columns know of it.

use std::{mem, sync::Arc};

use manifold_store::Seq;

use crate::{
    Error, Result,
    live::Live,
    series::{
        column::Run,
        run,
        seal::{self, Rebuilt, Target},
        search::Search,
    },
    txn::{self, Txn},
};

/// What a column costs besides its points, in points.
const COLUMN_WORK: usize = 128;

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
    pub(crate) search: Search,
}

/// Sealing that goes on in the next commit. The column's buffer keeps its points until the last one; they are the same
/// as those in blocks by then, so a restart in between does no harm.
struct Begun {
    target: Target,
    rest: Run,
    sealed: u64,
}

impl Sealer {
    /// Lets the newest change take effect; its frame when it is not durable yet.
    pub(crate) fn settle(&mut self, live: &Live) -> Option<Seq> {
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
        live.series.upkeep.has_room();
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
        // Whoever made the change, the worker looks what it means for chunks once it is durable.
        live.series.upkeep.look();
        Ok(frame)
    }

    /// Somebody else is about to change the column: what was begun starts again later.
    pub(crate) fn interrupt(&mut self, live: &Live, target: &Target) {
        if let Some(begun) = self.begun.take_if(|begun| begun.target.is(target)) {
            live.series.upkeep.add(begun.target);
        }
    }

    /// Whether there is nothing left to do.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.changing.is_empty() && self.begun.is_none() && !self.search.is_underway()
    }
}

impl Sealer {
    /// Seals some columns in one commit; its frame, if there are any.
    pub(crate) fn seal(&mut self, live: &Live) -> Result<Option<Seq>> {
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
                targets.into_iter().for_each(|target| live.series.upkeep.add(target));
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
                Some(begun) => Some(begun),
                None => match live.series.upkeep.next() {
                    Some(target) => Begun::new(live, target),
                    None => break,
                },
            };
            let Some(begun) = begun else { continue };
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
        let touched = seal::touched(column, &rest);
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
            let column = columns.get(target.field);
            column.and_then(|column| seal::split_rest(&live.series.tuning, column, &mut points))
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

impl Target {
    fn is(&self, other: &Target) -> bool {
        Arc::ptr_eq(&self.series, &other.series) && self.field == other.field
    }
}
