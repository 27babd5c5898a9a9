//! Endpoints that write beyond the document.

pub(super) mod bot_hit;
pub(super) mod invalidate_all;
pub(super) mod invalidate_prefix;
pub(super) mod purge;
pub(super) mod retry_failed;
