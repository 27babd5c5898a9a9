//! Endpoints that read: records, queues, dead letters, stored pages.

use manifold_engine::recache::DimensionId;

use super::hosts::Host;

pub(super) mod content;
pub(super) mod failed;
mod filter;
pub(super) mod item;
pub(super) mod queue;
pub(super) mod queue_summary;
pub(super) mod summary;
pub(super) mod urls;

/// What a host calls a dimension; entries may be older than the configuration.
fn dimension_name(host: &Host, id: DimensionId) -> &str {
    host.dimensions.get(&id).map_or("unknown", |dimension| dimension.name.as_str())
}
