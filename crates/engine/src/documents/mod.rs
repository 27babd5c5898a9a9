//! Documents: texts with tags and a deadline under a pair of space and key, durable in one SQLite file that other
//! programs can open.
//!
//! One thread writes: whatever waits for it shares one transaction and one sync (`writer.rs`). Readers have connections
//! of their own and see what is committed (`readers.rs`). A document past its deadline is absent everywhere; a purge
//! removes its row. Other features keep rows in the same file, through `Documents::write` and `Documents::read`: in
//! tables of their own, or in the space that no caller can name.

use crate::Timestamp;

mod connectors;
mod delete;
mod error;
mod export;
mod get;
mod handle;
mod keys;
mod limits;
mod locks;
mod log;
mod open;
mod pieces;
mod purge;
mod query;
mod query_cache;
mod readers;
mod schema;
mod set;
mod space;
mod stats;
mod tx;
mod writer;

#[cfg(test)]
mod tests;

pub use connectors::{Connector, Connectors};
pub use get::Sought;
pub use handle::{Documents, DocumentsOptions};
pub use keys::DocumentKeys;
pub use limits::{RequestLimit, RequestLimits};
pub use locks::{Lock, Locks, MAX_LOCK_MS};
pub use open::IN_MEMORY;
pub use pieces::{Piece, Pieces};
pub use purge::DocumentsUpkeep;
pub(crate) use purge::Purge;
pub use query::{DocumentOrder, DocumentQuery};
pub use query_cache::{Cached, QueryCache, QueryCacheStats};
pub use set::DocumentSet;
pub use space::{Reserved, Space, Within};
pub use stats::DocumentStats;

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its space; empty for the one without a name.
    pub space: String,
    /// Its key.
    pub key: String,
    /// What it says.
    pub value: String,
    /// When it came to be; writing it again does not change that while it lives.
    pub created: Timestamp,
    /// When it was written last.
    pub updated: Timestamp,
    /// When it ends; none = never.
    pub expires: Option<Timestamp>,
    /// Its tags in byte order.
    pub tags: Vec<String>,
}
