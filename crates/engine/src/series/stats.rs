//! What all buffers and blocks come to.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    live::Live,
    series::{
        SeriesStats,
        buffer::Dropped,
        columns::{Applied, Block},
    },
};

/// Memory that a block takes, about, besides its row.
const BLOCK_BYTES: u64 = 280;

/// Kept up to date by whoever changes a column.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    buffered: AtomicU64,
    buffer_bytes: AtomicU64,
    sealed: AtomicU64,
    blocks: AtomicU64,
    block_bytes: AtomicU64,
    name_bytes: AtomicU64,
}

impl Totals {
    /// The names of a space took so many bytes, and take so many now.
    pub(crate) fn named(&self, before: u64, now: u64) {
        self.name_bytes.fetch_add(now, Ordering::Relaxed);
        self.name_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    pub(crate) fn applied(&self, applied: &Applied) {
        self.buffered.fetch_add(applied.points as u64, Ordering::Relaxed);
        self.buffer_bytes.fetch_add(applied.bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, dropped: &Dropped) {
        self.buffered.fetch_sub(dropped.points as u64, Ordering::Relaxed);
        self.buffer_bytes.fetch_sub(dropped.bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn block_added(&self, block: &Block) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.sealed.fetch_add(u64::from(block.summary.count), Ordering::Relaxed);
        self.block_bytes.fetch_add(block.bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn block_removed(&self, block: &Block) {
        self.blocks.fetch_sub(1, Ordering::Relaxed);
        self.sealed.fetch_sub(u64::from(block.summary.count), Ordering::Relaxed);
        self.block_bytes.fetch_sub(block.bytes as u64, Ordering::Relaxed);
    }

    /// Memory that names, buffers and blocks take, about.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        of(&self.name_bytes) + of(&self.buffer_bytes) + of(&self.blocks) * BLOCK_BYTES
    }

    /// Bytes of all buffers, about.
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes.load(Ordering::Relaxed) as usize
    }
}

/// Numbers for metrics.
pub(crate) fn stats(live: &Live) -> SeriesStats {
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let totals = &live.series.totals;
    SeriesStats {
        series: live.series.all().iter().map(|space| space.catalog.read().count() as u64).sum(),
        buffered: of(&totals.buffered),
        sealed: of(&totals.sealed),
        blocks: of(&totals.blocks),
        block_bytes: of(&totals.block_bytes),
    }
}
