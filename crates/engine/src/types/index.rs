//! Where in the order of its collection a row is: the rows are counted by blocks of neighbours, so a rank is a sum over
//! blocks and a look at the rows of one. The rows themselves stay in the store: an index of a million elements has some
//! 16,000 blocks, each with the key of its first row. That is less than a byte per element of a list, and a sixtieth of
//! the names more for a sorted set; at worst, after many removals here and there, four times as much.
//!
//! Blocks are kept in groups, so that neither a sum nor an insertion goes through all of them. An index is filled piece
//! by piece; what changes behind the piece that is next is counted when it comes there.

use manifold_store::{Range, Store, Table, View};

use crate::keys;

#[cfg(test)]
mod tests;

/// Rows of a block that was just filled or split.
const BLOCK: u32 = 64;
/// More are split.
const BLOCK_MAX: u32 = 2 * BLOCK;
/// Blocks of a group; twice as many are split.
const GROUP: usize = 128;
/// Rows counted in one piece while an index is filled.
const PIECE: usize = 4096;

/// The index of one collection. Keys of rows are meant without the collection's id.
#[derive(Debug)]
pub(crate) struct Index {
    /// At least one, each with at least one block; the very first block begins before every key.
    groups: Vec<Group>,
    /// Rows from here on are not counted yet; none = all are.
    next: Option<Vec<u8>>,
    used: bool,
}

#[derive(Debug)]
struct Group {
    count: u64,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    /// No row of the block is less, and none of the blocks before is greater or equal.
    first: Box<[u8]>,
    count: u32,
}

/// A row by the block it is in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Near {
    /// Where the block begins.
    pub(crate) first: Box<[u8]>,
    /// Rows before the block.
    pub(crate) before: u64,
}

impl Default for Index {
    fn default() -> Self {
        let first = Block { first: Box::default(), count: 0 };
        Index { groups: vec![Group { count: 0, blocks: vec![first] }], next: Some(Vec::new()), used: true }
    }
}

impl Index {
    /// Counts more rows; whether all are counted.
    pub(crate) fn fill(&mut self, store: &Store, table: Table, id: u64) -> bool {
        self.used = true;
        let Some(next) = self.next.take() else { return true };
        let prefix = keys::number(id);
        let range =
            Range { from: [&prefix[..], &next].concat(), to: keys::prefix_end(&prefix), limit: PIECE, reverse: false };
        let chunk = store.range(View::Latest, table, &range);
        for (row, _) in &chunk.rows {
            self.append(&row[8..]);
        }
        self.next = chunk.resume.map(|resume| resume[8..].to_vec());
        self.next.is_none()
    }

    /// Counts a row greater than all before.
    fn append(&mut self, key: &[u8]) {
        let group = self.groups.last_mut().expect("there is a group");
        let block = group.blocks.last_mut().expect("a group has a block");
        if block.count < BLOCK {
            block.count += 1;
            group.count += 1;
            return;
        }
        let block = Block { first: key.into(), count: 1 };
        if group.blocks.len() < GROUP {
            group.blocks.push(block);
            group.count += 1;
        } else {
            self.groups.push(Group { count: 1, blocks: vec![block] });
        }
    }

    /// A row is new, or gone.
    pub(crate) fn follow(&mut self, row: &[u8], new: bool) {
        let key = &row[8..];
        if self.next.as_deref().is_some_and(|next| key >= next) {
            return;
        }
        let (at, block) = self.find(key);
        let group = &mut self.groups[at];
        if new {
            group.count += 1;
            group.blocks[block].count += 1;
        } else {
            debug_assert!(group.blocks[block].count > 0, "a row that goes was counted");
            group.count -= 1;
            group.blocks[block].count -= 1;
            self.merge(at, block);
        }
    }

    /// Splits the block of a new row if it became too long: the rows say where.
    pub(crate) fn split_at(&mut self, store: &Store, table: Table, row: &[u8]) {
        let (at, block) = self.find(&row[8..]);
        let Block { first, count } = &self.groups[at].blocks[block];
        if *count <= BLOCK_MAX || self.next.as_deref().is_some_and(|next| &row[8..] >= next) {
            return;
        }
        let mut from = Some([&row[..8], &first[..]].concat());
        let to = keys::prefix_end(&row[..8]);
        let mut left = *count;
        let mut rows = 0u32;
        let mut firsts = Vec::new();
        while let Some(start) = from.take()
            && rows < left
        {
            let limit = (left - rows) as usize;
            let chunk = store.range(View::Latest, table, &Range { from: start, to: to.clone(), limit, reverse: false });
            for (row, _) in &chunk.rows {
                if rows > 0 && rows.is_multiple_of(BLOCK) {
                    firsts.push(Box::from(&row[8..]));
                }
                rows += 1;
            }
            from = chunk.resume;
        }
        let group = &mut self.groups[at];
        group.blocks[block].count = left.min(BLOCK);
        let more = firsts.into_iter().map(|first| {
            left -= BLOCK;
            Block { first, count: left.min(BLOCK) }
        });
        let more: Vec<Block> = more.collect();
        group.blocks.splice(block + 1..block + 1, more);
        self.split_group(at);
    }

    fn split_group(&mut self, at: usize) {
        while self.groups[at].blocks.len() > 2 * GROUP {
            let group = &mut self.groups[at];
            let blocks = group.blocks.split_off(group.blocks.len() - GROUP);
            let count = count_of(&blocks);
            group.count -= count;
            self.groups.insert(at + 1, Group { count, blocks });
        }
    }

    /// Joins a block that became short with the next one, and a group likewise.
    fn merge(&mut self, at: usize, block: usize) {
        let group = &mut self.groups[at];
        let count = group.blocks[block].count;
        if let Some(next) = group.blocks.get(block + 1)
            && count + next.count < BLOCK
        {
            group.blocks[block].count += next.count;
            group.blocks.remove(block + 1);
        } else if block > 0 && count + group.blocks[block - 1].count < BLOCK {
            group.blocks[block - 1].count += count;
            group.blocks.remove(block);
        }
        let blocks = self.groups[at].blocks.len();
        if self.groups.get(at + 1).is_some_and(|next| blocks + next.blocks.len() < GROUP) {
            let next = self.groups.remove(at + 1);
            self.groups[at].count += next.count;
            self.groups[at].blocks.extend(next.blocks);
        }
    }

    /// The group and block that `key` is in, or would be in.
    fn find(&self, key: &[u8]) -> (usize, usize) {
        let group = self.groups.partition_point(|group| &group.blocks[0].first[..] <= key).max(1) - 1;
        let blocks = &self.groups[group].blocks;
        (group, blocks.partition_point(|block| &block.first[..] <= key).max(1) - 1)
    }

    /// The block with the row that has so many before it; none when there are not so many.
    pub(crate) fn at(&self, rank: u64) -> Option<Near> {
        let mut before = 0;
        let group = self.groups.iter().find(|group| {
            let here = rank - before < group.count;
            before += if here { 0 } else { group.count };
            here
        })?;
        let block = group.blocks.iter().find(|block| {
            let here = rank - before < u64::from(block.count);
            before += if here { 0 } else { u64::from(block.count) };
            here
        })?;
        Some(Near { first: block.first.clone(), before })
    }

    /// The block that `key` is in, or would be in.
    pub(crate) fn near(&self, key: &[u8]) -> Near {
        let (at, block) = self.find(key);
        let groups: u64 = self.groups[..at].iter().map(|group| group.count).sum();
        let blocks = &self.groups[at].blocks;
        Near { first: blocks[block].first.clone(), before: groups + count_of(&blocks[..block]) }
    }

    /// Whether somebody used it since the last call.
    pub(crate) fn was_used(&mut self) -> bool {
        std::mem::take(&mut self.used)
    }
}

fn count_of(blocks: &[Block]) -> u64 {
    blocks.iter().map(|block| u64::from(block.count)).sum()
}
