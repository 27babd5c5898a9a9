//! Sealing: points go from the buffer of a column into its blocks. The blocks that they fall into are written anew; so
//! are small ones beside them, as long as they are no larger than what is added: a point is rewritten a few times at
//! most until its block is full.

use std::{collections::HashSet, mem, ops::Range, sync::Arc};

use manifold_store::{Seq, View};

use crate::{
    Error, Result, codec, keys,
    live::Live,
    series::{
        block,
        catalog::Series,
        column::Run,
        columns::{Block, Change, Column},
        run,
        space::Space,
        tuning::Tuning,
    },
    txn::Txn,
};

const ENCODING: u8 = 1;

/// A column.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) space: Arc<Space>,
    pub(crate) series: Arc<Series>,
    pub(crate) field: u32,
}

/// A change of a column's blocks that is worked out and not committed.
#[derive(Debug, Default)]
pub(crate) struct Rebuilt {
    removed: HashSet<u64>,
    added: Vec<NewBlock>,
    next_block: u64,
    /// The chunk through which the column is sealed by it.
    sealed: Option<u64>,
    /// Points that were there and are not any more.
    pub(crate) lost: u64,
    /// Points read or written for it.
    pub(crate) work: usize,
}

#[derive(Debug)]
struct NewBlock {
    block: Block,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Rebuilt {
    /// Writes its rows.
    pub(crate) fn write(&self, txn: &mut Txn<'_>, series: u64, field: u32) {
        for number in &self.removed {
            txn.delete(keys::SERIES_BLOCK, &keys::series_block(series, field, *number));
        }
        for NewBlock { block, head, body } in &self.added {
            txn.put(keys::SERIES_BLOCK, &block.key(series, field), head, body);
        }
        if let Some(sealed) = self.sealed {
            txn.put(keys::SERIES_MARK, &keys::series_mark(series, field), &codec::number_head(ENCODING, sealed), &[]);
        }
    }

    /// Its rows are committed in `frame`.
    pub(crate) fn committed(self, target: &Target, frame: Seq) {
        let Rebuilt { removed, added, next_block, sealed, .. } = self;
        let added = added.into_iter().map(|new| new.block).collect();
        let mut columns = target.series.columns.lock();
        let column = columns.entry(target.field);
        column.next_block = next_block;
        column.change(Change { frame, removed, added, sealed });
    }

    /// The column is sealed through this chunk by it.
    pub(crate) fn sealed(&mut self, chunk: u64) {
        self.sealed = Some(chunk);
    }
}

/// Reads the head of a mark.
pub(crate) fn read_mark(row: &manifold_store::Row) -> Result<u64> {
    codec::read_number_head(ENCODING, row.head()).ok_or_else(|| Error::unreadable("the mark of a column"))
}

/// How many blocks the points fall into.
pub(crate) fn touched(column: &Column, run: &Run) -> usize {
    pieces(column, run).count()
}

/// Splits off what would be too much for one commit: points behind as many blocks as may be rewritten, or behind as much
/// text as may be written.
pub(crate) fn split_rest(tuning: &Tuning, column: &Column, run: &mut Run) -> Option<Run> {
    let rewrites = pieces(column, run).nth(tuning.rewrites).map_or(run.len(), |piece| piece.start);
    let text = run.pieces(run.len(), tuning.commit_text_bytes).first().map_or(0, |piece| piece.end);
    let at = rewrites.min(text);
    if at == run.len() {
        return None;
    }
    let rest = run.slice(at..run.len());
    *run = run.slice(0..at);
    Some(rest)
}

/// For each block that points fall into, which.
fn pieces(column: &Column, run: &Run) -> impl Iterator<Item = Range<usize>> {
    let range = run.times.first().copied().zip(run.times.last().copied());
    let blocks = range.map_or(&[][..], |range| &column.blocks[column.within(range)]);
    let inside = |block: &Block| run.within((block.summary.first, block.summary.last));
    blocks.iter().map(inside).filter(|inside| !inside.is_empty())
}

/// Works out how points get into the blocks of a column, and what lies in `cut` gets out. Whoever calls it sees to it
/// that nobody else changes the blocks meanwhile.
pub(crate) fn rebuild(live: &Live, target: &Target, newer: &Run, cut: Option<(i64, i64)>) -> Result<Rebuilt> {
    let mut rebuild = Rebuild::new(live, target, newer, cut)?;
    let blocks = mem::take(&mut rebuild.blocks);
    let mut at = 0;
    for block in blocks {
        let before = newer.times[at..].partition_point(|time| *time < block.summary.first);
        rebuild.points(newer.slice(at..at + before))?;
        at += before;
        let inside = newer.times[at..].partition_point(|time| *time <= block.summary.last);
        rebuild.block(block, newer.slice(at..at + inside))?;
        at += inside;
    }
    rebuild.points(newer.slice(at..newer.len()))?;
    rebuild.done()
}

/// The work on one column. What it came to so far lies in `out`, by time.
struct Rebuild<'a> {
    live: &'a Live,
    tuning: &'a Tuning,
    target: &'a Target,
    cut: Option<(i64, i64)>,
    blocks: Vec<Block>,
    out: Vec<Piece>,
    rebuilt: Rebuilt,
}

enum Piece {
    /// A block that is left as it is.
    Kept(Block),
    /// Points to write.
    New(Run),
}

impl<'a> Rebuild<'a> {
    fn new(live: &'a Live, target: &'a Target, newer: &Run, cut: Option<(i64, i64)>) -> Result<Self> {
        /// Small blocks beside that may be taken along.
        const BESIDE: usize = 16;
        let mut columns = target.series.columns.lock();
        let column = columns.entry(target.field);
        let bounds = newer.times.first().copied().into_iter().chain(newer.times.last().copied());
        let bounds = bounds.chain(cut.into_iter().flat_map(|(first, last)| [first, last]));
        let range = bounds.fold((i64::MAX, i64::MIN), |(first, last), at| (first.min(at), last.max(at)));
        let within = column.within(range);
        let within = within.start.saturating_sub(BESIDE)..(within.end + BESIDE).min(column.blocks.len());
        let blocks = column.blocks[within].to_vec();
        let rebuilt = Rebuilt { next_block: column.next_block, ..Rebuilt::default() };
        Ok(Rebuild { live, tuning: &live.series.tuning, target, cut, blocks, out: Vec::new(), rebuilt })
    }

    /// A block, and the points that fall into it.
    fn block(&mut self, block: Block, newer: Run) -> Result<()> {
        let (first, last) = (block.summary.first, block.summary.last);
        let is_cut = self.cut.is_some_and(|cut| cut.0 <= last && first <= cut.1);
        if newer.is_empty() && !is_cut {
            return self.keep(block);
        }
        let gone = self.cut.is_some_and(|cut| cut.0 <= first && last <= cut.1);
        if newer.is_empty() && gone {
            self.rebuilt.removed.insert(block.number);
            self.rebuilt.lost += u64::from(block.summary.count);
            return Ok(());
        }
        let older = self.take(&block)?;
        self.points(run::merge(&older, &newer))
    }

    /// A block that need not change; unless it is small and beside points that are to be written anyway.
    fn keep(&mut self, block: Block) -> Result<()> {
        let Some(Piece::New(mut points)) = self.out.pop_if(|piece| matches!(piece, Piece::New(_))) else {
            self.out.push(Piece::Kept(block));
            return Ok(());
        };
        let joins = self.joins(&block, &points);
        if joins {
            let behind = self.take(&block)?;
            points.extend(&behind, 0..behind.len());
        }
        self.out.push(Piece::New(points));
        self.out.extend((!joins).then_some(Piece::Kept(block)));
        Ok(())
    }

    /// Points to be written, behind everything so far.
    fn points(&mut self, points: Run) -> Result<()> {
        let mut points = self.cut_out(points);
        if points.is_empty() {
            return Ok(());
        }
        loop {
            let before = match self.out.pop() {
                Some(Piece::New(before)) => before,
                Some(Piece::Kept(block)) if self.joins(&block, &points) => self.take(&block)?,
                other => {
                    self.out.extend(other);
                    break;
                }
            };
            let behind = mem::replace(&mut points, before);
            points.extend(&behind, 0..behind.len());
        }
        self.out.push(Piece::New(points));
        Ok(())
    }

    fn cut_out(&mut self, points: Run) -> Run {
        let Some(cut) = self.cut else { return points };
        let inside = points.within(cut);
        self.rebuilt.lost += inside.len() as u64;
        let mut left = points.slice(0..inside.start);
        left.extend(&points, inside.end..points.len());
        left
    }

    /// Whether a block is written anew with the points beside it.
    fn joins(&self, block: &Block, points: &Run) -> bool {
        let count = block.summary.count as usize;
        !self.tuning.is_full(count) && count <= points.len() && block.bytes <= self.tuning.block_text_bytes / 2
    }

    /// Reads a block that goes.
    fn take(&mut self, block: &Block) -> Result<Run> {
        let key = block.key(self.target.series.id, self.target.field);
        let row = self.live.store.get(View::Latest, keys::SERIES_BLOCK, &key);
        let body = row.ok_or_else(|| Error::unreadable("a block of a time series"))?.body()?;
        self.rebuilt.removed.insert(block.number);
        self.rebuilt.work += block.summary.count as usize;
        block::decode(&block.summary, &body)
    }

    /// Makes blocks of about the same size of all points to be written.
    fn done(mut self) -> Result<Rebuilt> {
        for piece in mem::take(&mut self.out) {
            let Piece::New(points) = piece else { continue };
            self.rebuilt.work += points.len();
            for piece in points.pieces(self.tuning.block_points, self.tuning.block_text_bytes) {
                let new = self.encode(&points.slice(piece))?;
                self.rebuilt.added.push(new);
            }
        }
        Ok(self.rebuilt)
    }

    fn encode(&mut self, points: &Run) -> Result<NewBlock> {
        let block::Encoded { summary, head, body } = block::encode(points)?;
        // Numbers take a byte or two, so this counts for long texts.
        self.rebuilt.work += body.len() / 8;
        let number = self.rebuilt.next_block;
        self.rebuilt.next_block += 1;
        Ok(NewBlock { block: Block { number, summary: Arc::new(summary), bytes: body.len() }, head, body })
    }
}
