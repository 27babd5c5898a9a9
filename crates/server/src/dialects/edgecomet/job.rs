//! A job, and what becomes of it.

use std::sync::Arc;

use manifold_engine::recache::{DimensionId, HostId};

/// One page in one variant, to be done by a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) host: HostId,
    /// In normal form.
    pub(super) url: Arc<str>,
    pub(super) dimension: DimensionId,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored.
    Done,
    /// There is nothing to store; why.
    Skipped(String),
    /// It failed and may work later; why.
    Temporary(String),
    /// It would fail again; why.
    Permanent(String),
    /// The target was not there, so this was no attempt; why.
    NotTried(String),
}
