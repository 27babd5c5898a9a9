//! What there is.

use rusqlite::params;

use super::{Space, schema::all_spaces, tx::Tx};
use crate::Result;

/// Numbers about documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentStats {
    /// Live documents.
    pub documents: u64,
    /// Spaces that have one.
    pub spaces: u64,
    /// Bytes of the database, free pages in it included.
    pub size_bytes: u64,
}

/// Counts rows in the index of spaces, which is much smaller than the table, less those that are due.
pub(super) const DOCUMENTS: &str = "
SELECT (SELECT count(*) FROM kv INDEXED BY idx_kv_ns WHERE namespace < ?1)
     + (SELECT count(*) FROM kv INDEXED BY idx_kv_ns WHERE namespace > ?1)
     - (SELECT count(*) FROM kv WHERE expires_at <= ?2 AND namespace <> ?1)";

/// Stops in each space at the first document that lives.
pub(super) const SPACES: &str = concat!(
    all_spaces!(),
    "SELECT count(*) FROM spaces WHERE name <> ?1 AND EXISTS
    (SELECT 1 FROM kv WHERE namespace = name AND (expires_at IS NULL OR expires_at > ?2))"
);

pub(super) fn look(tx: Tx<'_>) -> Result<DocumentStats> {
    let about = params![Space::RESERVED, tx.now_ms()];
    let documents: i64 = tx.prepare_cached(DOCUMENTS)?.query_row(about, |row| row.get(0))?;
    let spaces: i64 = tx.prepare_cached(SPACES)?.query_row(about, |row| row.get(0))?;
    let pages: i64 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page_bytes: i64 = tx.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(DocumentStats {
        documents: documents.unsigned_abs(),
        spaces: spaces.unsigned_abs(),
        size_bytes: (pages * page_bytes).unsigned_abs(),
    })
}
