//! Endpoints that read: records, queues, dead letters, stored pages.

pub(super) mod content;
pub(super) mod failed;
pub(super) mod item;
pub(super) mod queue;
pub(super) mod queue_summary;
pub(super) mod summary;
pub(super) mod urls;
