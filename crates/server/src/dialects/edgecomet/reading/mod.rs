//! Endpoints that read: records, queues, dead letters, stored pages.

use manifold_engine::recache::DimensionId;
use serde::Serialize;

use super::hosts::Host;

pub(super) mod content;
pub(super) mod failed;
mod filter;
pub(super) mod item;
pub(super) mod queue;
pub(super) mod queue_summary;
pub(super) mod summary;
pub(super) mod urls;

/// A page of a list.
#[derive(Serialize)]
struct List<'a, T> {
    items: Vec<T>,
    /// Where the next page begins.
    cursor: &'a str,
    has_more: bool,
}

/// What a host calls a dimension; entries may be older than the configuration.
fn dimension_name(host: &Host, id: DimensionId) -> &str {
    host.dimensions.get(&id).map_or("unknown", |dimension| dimension.name.as_str())
}
