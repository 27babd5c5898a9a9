//! Listing keys by pattern.

use rusqlite::params;

use super::{
    Space, Within,
    tx::{self, Tx},
};
use crate::{Result, cache::Glob};

/// Which keys.
#[derive(Debug, Clone)]
pub struct DocumentKeys {
    /// Where.
    pub within: Within,
    /// Those it matches.
    pub pattern: Glob,
    /// At most so many; none = all.
    pub limit: Option<usize>,
}

/// The first that match, in byte order.
pub(super) fn matching(tx: Tx<'_>, keys: &DocumentKeys) -> Result<Vec<String>> {
    let limit = keys.limit.unwrap_or(usize::MAX);
    match &keys.within {
        Within::All => {
            let mut all = tx.prepare_cached(
                "SELECT key FROM kv WHERE namespace <> ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY key",
            )?;
            first(all.query(params![Space::RESERVED, tx.now_ms()])?, &keys.pattern, limit)
        }
        Within::Space(space) => {
            let mut all = tx.prepare_cached(
                "SELECT key FROM kv WHERE namespace = ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY key",
            )?;
            first(all.query(params![space.as_str(), tx.now_ms()])?, &keys.pattern, limit)
        }
    }
}

fn first(mut rows: rusqlite::Rows<'_>, pattern: &Glob, limit: usize) -> Result<Vec<String>> {
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let key = tx::text(row, 0)?;
        if pattern.matches(key.as_bytes()) {
            found.push(key);
        }
    }
    Ok(found)
}
