//! Bringing time series into memory at a start: names, what is known of all blocks, and points that are in no block yet.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::{Row, Snapshot, Store};

use crate::{
    Error, Result, Timestamp, keys,
    namespaces::each_row,
    series::{
        block,
        catalog::{self, Series},
        chunk::ChunkReader,
        columns::{Applied, Block},
        seal::{self, Target},
        space::{Space, Spaces},
        tuning::Tuning,
    },
};

/// Reads everything but the blocks' bodies.
pub(crate) fn recover(store: &Store, now: Timestamp, tuning: Tuning) -> Result<Spaces> {
    let snapshot = store.snapshot(|| ()).0;
    let (loaded, ids) = catalog::load(&snapshot)?;
    let spaces = Spaces::new(loaded, ids, tuning);
    let recovery = Recovery::new(&spaces, snapshot, now);
    recovery.marks()?;
    recovery.blocks()?;
    recovery.chunks()?;
    Ok(spaces)
}

struct Recovery<'a> {
    spaces: &'a Spaces,
    snapshot: Snapshot,
    now: Timestamp,
    by_id: HashMap<u64, Arc<Space>, RandomState>,
    /// With their spaces, by their ids.
    series: Vec<(Arc<Series>, Arc<Space>)>,
}

impl<'a> Recovery<'a> {
    fn new(spaces: &'a Spaces, snapshot: Snapshot, now: Timestamp) -> Self {
        let by_id: HashMap<_, _, RandomState> = spaces.all().into_iter().map(|space| (space.id, space)).collect();
        let mut series = Vec::new();
        for space in by_id.values() {
            series.extend(space.catalog.read().all_series().map(|series| (series.clone(), space.clone())));
        }
        series.sort_unstable_by_key(|(series, _)| series.id);
        Recovery { spaces, snapshot, now, by_id, series }
    }

    /// A series by its id, and its space. It is mostly next to the one found before, which was at `near`.
    fn find(&self, id: u64, near: &mut usize) -> Option<&(Arc<Series>, Arc<Space>)> {
        let is_it = |at: &usize| self.series.get(*at).is_some_and(|(series, _)| series.id == id);
        let at = [*near + 1, *near].into_iter().find(is_it);
        *near = at.or_else(|| self.series.binary_search_by_key(&id, |(series, _)| series.id).ok())?;
        self.series.get(*near)
    }

    fn marks(&self) -> Result<()> {
        let mut near = 0;
        each_row(&self.snapshot, keys::SERIES_MARK, |key, row| {
            let (id, field) = keys::read_series_mark(key).ok_or_else(|| Error::unreadable("the mark of a column"))?;
            let sealed = seal::read_mark(row)?;
            if let Some((series, space)) = self.find(id, &mut near) {
                series.columns.lock().entry(field).sealed = sealed;
                space.saw_chunk(sealed);
            }
            Ok(())
        })
    }

    fn blocks(&self) -> Result<()> {
        let unreadable = || Error::unreadable("a block of a time series");
        let mut near = 0;
        each_row(&self.snapshot, keys::SERIES_BLOCK, |key, row| {
            let (id, field, number) = keys::read_series_block(key).ok_or_else(unreadable)?;
            let Some((series, _)) = self.find(id, &mut near) else { return Ok(()) };
            let summary = Arc::new(block::read_head(row.head())?);
            let block = Block { number, summary, bytes: row.body_len() };
            self.spaces.totals.block_added(&block);
            let mut columns = series.columns.lock();
            let column = columns.entry(field);
            column.next_block = number.saturating_add(1);
            column.blocks.push(block);
            Ok(())
        })?;
        for (series, _) in &self.series {
            for column in series.columns.lock().iter_mut() {
                column.blocks.sort_by_key(|block| block.summary.first);
                let apart = |pair: &[Block]| pair[0].summary.last < pair[1].summary.first;
                if !column.blocks.windows(2).all(apart) {
                    return Err(unreadable());
                }
            }
        }
        Ok(())
    }

    fn chunks(&self) -> Result<()> {
        let unreadable = || Error::unreadable("a chunk of points");
        each_row(&self.snapshot, keys::SERIES_CHUNK, |key, row| {
            let (space, number) = keys::read_series_chunk(key).ok_or_else(unreadable)?;
            let space = self.by_id.get(&space).ok_or_else(unreadable)?;
            self.chunk(space, number, row)
        })
    }

    /// Puts the points of a chunk into buffers, but for those that are in blocks, or were deleted.
    fn chunk(&self, space: &Arc<Space>, number: u64, row: &Row) -> Result<()> {
        let body = row.body()?;
        let mut reader = ChunkReader::new(row, &body)?;
        let mut values = Vec::new();
        let mut applied = Applied::default();
        let mut near = 0;
        while let Some((id, time)) = reader.next(&mut values)? {
            // One that is not there was deleted.
            let Some((series, _)) = self.find(id, &mut near) else { continue };
            let target = |field| Target { space: space.clone(), series: series.clone(), field };
            let full = |field| self.spaces.upkeep.add(target(field));
            let mut columns = series.columns.lock();
            applied += columns.apply(&self.spaces.tuning, number, time, &values, reader.text(), full);
        }
        self.spaces.totals.applied(&applied);
        let mut backlog = space.backlog.lock();
        backlog.add(number, 0, self.now, applied.points, body.len());
        drop(backlog);
        space.saw_chunk(number);
        if applied.points == 0 {
            self.spaces.upkeep.done(space);
        }
        Ok(())
    }
}
