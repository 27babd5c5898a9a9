//! Endpoints that write beyond the document.

use serde::Serialize;

pub(super) mod bot_hit;
pub(super) mod invalidate_all;
pub(super) mod invalidate_prefix;
pub(super) mod purge;
pub(super) mod retry_failed;

/// How many records of a host were deleted.
#[derive(Serialize)]
struct Invalidated {
    host_id: i64,
    dimension_ids_count: usize,
    entries_invalidated: u64,
}
