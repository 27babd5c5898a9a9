//! Listing keys by pattern.

use rusqlite::{Rows, params};

use super::{
    Space, Within,
    pieces::Sink,
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
pub(super) fn matching(tx: Tx<'_>, keys: &DocumentKeys, found: &mut Sink<String>) -> Result<()> {
    match &keys.within {
        Within::All => {
            let mut all = tx.prepare_cached(
                "SELECT key FROM kv WHERE namespace <> ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY key",
            )?;
            first(all.query(params![Space::RESERVED, tx.now_ms()])?, keys, found)
        }
        Within::Space(space) => {
            let mut all = tx.prepare_cached(
                "SELECT key FROM kv WHERE namespace = ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY key",
            )?;
            first(all.query(params![space.as_str(), tx.now_ms()])?, keys, found)
        }
    }
}

fn first(mut rows: Rows<'_>, keys: &DocumentKeys, found: &mut Sink<String>) -> Result<()> {
    let mut left = keys.limit.unwrap_or(usize::MAX);
    while left > 0
        && let Some(row) = rows.next()?
    {
        let key = tx::text(row, 0)?;
        if keys.pattern.matches(key.as_bytes()) {
            let bytes = key.len();
            found.put(key, bytes)?;
            left -= 1;
        }
    }
    Ok(())
}
