//! What executes jobs: gateways or the built-in worker.

use std::sync::Arc;

use super::worker::Worker;

/// Everything jobs may be given to.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    pub(super) worker: Option<Arc<Worker>>,
}
