//! The bounds of the storage of time series that no operator chooses.

use std::time::Duration;

/// See the fields. Tests choose small ones, so that everything happens often.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    /// Points in a buffer at which its column is sealed, and most points of a block.
    pub(crate) block_points: usize,
    /// Most bytes of text in a block of several points.
    pub(crate) block_text_bytes: usize,
    /// A column is left for now when its sealing would rewrite more than so many points for each that is added ...
    pub(crate) rewritten_per_point: usize,
    /// ... until it has so many points.
    pub(crate) patient_points: usize,
    /// Most blocks of a column that are rewritten in one commit.
    pub(crate) rewrites: usize,
    /// Most bytes of text of a column that are sealed in one commit, unless a single one is longer.
    pub(crate) commit_text_bytes: usize,
    /// About so many points are sealed in one commit.
    pub(crate) tick_points: usize,
    /// A chunk ends when its row has so many bytes.
    pub(crate) chunk_bytes: usize,
    /// Bytes of chunks kept in a space, and how long a chunk is kept, before small columns are sealed for their sake.
    pub(crate) backlog_bytes: usize,
    pub(crate) backlog_age: Duration,
    /// Bytes of all buffers at which small columns are sealed; at twice as many writers wait.
    pub(crate) buffer_bytes: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            block_points: 1024,
            block_text_bytes: 1 << 20,
            rewritten_per_point: 16,
            patient_points: 64 << 10,
            rewrites: 64,
            commit_text_bytes: 16 << 20,
            tick_points: 32 << 10,
            chunk_bytes: 1 << 20,
            backlog_bytes: 64 << 20,
            backlog_age: Duration::from_secs(3600),
            buffer_bytes: 128 << 20,
        }
    }
}

impl Tuning {
    /// Whether a block of so many points is left as it is when points are added beside it.
    pub(crate) fn is_full(&self, points: usize) -> bool {
        points >= self.block_points / 2
    }
}
