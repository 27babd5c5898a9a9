//! The columns of a series in memory: for each field its newest points in a buffer, and what is known of its blocks.

use std::{
    collections::HashSet,
    ops::{AddAssign, Range},
    sync::Arc,
};

use manifold_store::{Seq, View};

use crate::{
    Error, Result, keys,
    live::Live,
    series::{
        FieldType,
        buffer::Buffer,
        catalog::Series,
        column::{BlockView, Body, ColumnView, Run, Summary},
        points::Sample,
        run,
        space::Space,
        tuning::Tuning,
    },
};

/// The columns of a series, by field.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<Column>);

/// A column. What is in its buffer is newer than what is in its blocks.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) field: u32,
    pub(crate) buffer: Buffer,
    /// By time; they do not overlap.
    pub(crate) blocks: Vec<Block>,
    /// The number of the next block; a number is given once, so that a block's row never changes.
    pub(crate) next_block: u64,
    /// Points up to this chunk, and with it, are in blocks or were deleted.
    pub(crate) sealed: u64,
    /// A change of the blocks that is committed and may not be durable.
    changing: Option<Box<Change>>,
    /// The sealer has it, or will; it says when that is over.
    pub(crate) queued: bool,
    /// It is sealed next time although it has few points.
    pub(crate) urgent: bool,
    /// So many points must come together before it is sealed, unless the usual number is greater.
    pub(crate) patience: usize,
}

/// A block of a column.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) summary: Arc<Summary>,
    /// Length of its body.
    pub(crate) bytes: usize,
}

/// A change of a column's blocks, from its commit until it is durable. Readers see the blocks and the buffer from before.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) frame: Seq,
    /// Numbers of blocks that are gone.
    pub(crate) removed: HashSet<u64>,
    /// By time.
    pub(crate) added: Vec<Block>,
    /// The chunk through which the column is sealed by it, if it goes that far.
    pub(crate) sealed: Option<u64>,
}

/// What writing did to buffers.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) points: usize,
    pub(crate) bytes: usize,
}

impl AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.points += other.points;
        self.bytes += other.bytes;
    }
}

impl Columns {
    /// Applies a line of a chunk; `full` is called with each field that should be sealed now.
    pub(crate) fn apply(
        &mut self,
        tuning: &Tuning,
        chunk: u64,
        time: i64,
        values: &[Sample],
        text: &[u8],
        mut full: impl FnMut(u32),
    ) -> Applied {
        let mut applied = Applied::default();
        for (at, value) in values.iter().enumerate() {
            let column = self.at(value.field, at);
            // Only at a start: the chunk was kept for the sake of other columns.
            if chunk <= column.sealed {
                continue;
            }
            applied.bytes += column.buffer.push(chunk, time, value, text);
            applied.points += 1;
            if !column.queued && column.is_full(tuning) {
                column.queued = true;
                full(value.field);
            }
        }
        applied
    }

    /// The column of a field, made if there is none. A line mostly has the fields of the line before at the same places.
    fn at(&mut self, field: u32, guess: usize) -> &mut Column {
        let at = match self.0.get(guess) {
            Some(column) if column.field == field => guess,
            _ => self.place(field).unwrap_or_else(|at| {
                self.0.insert(at, Column { field, ..Column::default() });
                at
            }),
        };
        &mut self.0[at]
    }

    fn place(&self, field: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |column| column.field)
    }

    /// The column of a field, made if there is none.
    pub(crate) fn entry(&mut self, field: u32) -> &mut Column {
        self.at(field, usize::MAX)
    }

    pub(crate) fn get_mut(&mut self, field: u32) -> Option<&mut Column> {
        self.place(field).ok().map(|at| &mut self.0[at])
    }

    pub(crate) fn get(&self, field: u32) -> Option<&Column> {
        self.place(field).ok().map(|at| &self.0[at])
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        self.0.iter_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.0.iter()
    }
}

/// What a query sees of a column between two instants: blocks that are durable, and points of chunks up to `cut`.
pub(crate) fn view(
    live: &Live,
    space: &Arc<Space>,
    series: &Series,
    field: u32,
    range: (i64, i64),
    cut: u64,
) -> Result<Option<ColumnView>> {
    let look = || {
        let mut columns = series.columns.lock();
        let Some(column) = columns.get_mut(field) else { return Some((Vec::new(), Run::new(FieldType::Float))) };
        // With the lock held, so that the rows are those of the blocks listed.
        let blocks = column.view_blocks(live, space, series.id, range)?;
        Some((blocks, column.buffer.first(column.buffer.through(cut))))
    };
    let seen = look().or_else(|| {
        // A change became durable before the column was told of it: whoever makes it does that next.
        let _nobody_changes_blocks = live.series.upkeep.exclusive();
        look()
    });
    let (blocks, newer) = seen.ok_or_else(|| Error::unreadable("a block of a time series"))?;
    let newer = run::sort(newer);
    let inside = newer.within(range);
    let newer = if inside.len() == newer.len() { newer } else { newer.slice(inside) };
    Ok((!blocks.is_empty() || !newer.is_empty()).then_some(ColumnView { blocks, newer }))
}

impl Column {
    /// Where the blocks are that may have points between two instants.
    pub(crate) fn within(&self, (first, last): (i64, i64)) -> Range<usize> {
        let from = self.blocks.partition_point(|block| block.summary.last < first);
        from..self.blocks.partition_point(|block| block.summary.first <= last).max(from)
    }

    /// None when a row is missing: there is a change that is not known here.
    fn view_blocks(
        &mut self,
        live: &Live,
        space: &Arc<Space>,
        series: u64,
        range: (i64, i64),
    ) -> Option<Vec<BlockView>> {
        loop {
            self.settle(live, space);
            let read = |block: &Block| {
                let row = live.store.get(View::Durable, keys::SERIES_BLOCK, &block.key(series, self.field))?;
                Some(BlockView { summary: block.summary.clone(), body: Body::Row(row) })
            };
            let blocks: Option<Vec<_>> = self.blocks[self.within(range)].iter().map(read).collect();
            // Only a change that became durable just now is a reason to look again.
            if blocks.is_some() || self.changing().is_none_or(|frame| frame > live.store.durable_seq()) {
                return blocks;
            }
        }
    }

    /// Says that a change is committed: it takes effect when it is durable.
    pub(crate) fn change(&mut self, change: Change) {
        self.changing = Some(Box::new(change));
    }

    /// The frame of a change that has not taken effect.
    pub(crate) fn changing(&self) -> Option<Seq> {
        self.changing.as_ref().map(|change| change.frame)
    }

    /// Lets a change take effect that is durable by now.
    pub(crate) fn settle(&mut self, live: &Live, space: &Arc<Space>) {
        let durable = live.store.durable_seq();
        let Some(change) = self.changing.take_if(|change| change.frame <= durable) else { return };
        let Change { frame: _, removed, added, sealed } = *change;
        let totals = &live.series.totals;
        if !removed.is_empty() {
            let gone = self.blocks.extract_if(.., |block| removed.contains(&block.number));
            gone.for_each(|block| totals.block_removed(&block));
        }
        added.iter().for_each(|block| totals.block_added(block));
        let first = |block: &Block| block.summary.first;
        let behind = self.blocks.last().map(first) < added.first().map(first);
        self.blocks.extend(added);
        if !behind {
            self.blocks.sort_by_key(first);
        }
        if let Some(sealed) = sealed {
            self.sealed = sealed;
            self.patience = 0;
            let dropped = self.buffer.drop_first(self.buffer.through(sealed));
            space.dropped(live, &dropped);
        }
    }

    /// Whether it has so many points that it should be sealed.
    pub(crate) fn is_full(&self, tuning: &Tuning) -> bool {
        self.buffer.len() >= tuning.block_points.max(self.patience)
    }
}

impl Block {
    /// The key of its row.
    pub(crate) fn key(&self, series: u64, field: u32) -> [u8; 20] {
        keys::series_block(series, field, self.number)
    }
}
