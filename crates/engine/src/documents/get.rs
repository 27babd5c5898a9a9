//! Reading by key.

use rusqlite::params;

use super::{
    Document, Space,
    pieces::Sink,
    tx::{self, Tx},
};
use crate::Result;

/// A key, and its document if there is one.
pub type Sought = (String, Option<Document>);

/// A document, if it lives.
pub(super) fn one(tx: Tx<'_>, space: &Space, key: &str) -> Result<Option<Document>> {
    find(tx, space.as_str(), key)
}

/// Several, each with its key, in the order asked.
pub(super) fn many(tx: Tx<'_>, space: &Space, keys: Vec<String>, found: &mut Sink<Sought>) -> Result<()> {
    keys.into_iter().try_for_each(|key| {
        let document = one(tx, space, &key)?;
        let bytes = key.len() + document.as_ref().map_or(0, Document::bytes);
        found.put((key, document), bytes)
    })
}

/// A live document in any space.
pub(super) fn find(tx: Tx<'_>, space: &str, key: &str) -> Result<Option<Document>> {
    let mut row = tx.prepare_cached(
        "SELECT value, created_at, updated_at, expires_at FROM kv
         WHERE namespace = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
    )?;
    let mut rows = row.query(params![space, key, tx.now_ms()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Document {
        space: space.to_owned(),
        key: key.to_owned(),
        value: tx::text(row, 0)?,
        created: tx::time(row, 1)?.unwrap_or_default(),
        updated: tx::time(row, 2)?.unwrap_or_default(),
        expires: tx::time(row, 3)?,
        tags: tags(tx, space, key)?,
    }))
}

/// Its tags. The index they are read from has them in byte order.
pub(super) fn tags(tx: Tx<'_>, space: &str, key: &str) -> Result<Vec<String>> {
    let mut tags = tx.prepare_cached("SELECT tag FROM kv_tags WHERE namespace = ?1 AND key = ?2 ORDER BY tag")?;
    tags.query_and_then(params![space, key], |row| tx::text(row, 0))?.collect()
}

impl Document {
    /// About how much of it there is.
    pub(super) fn bytes(&self) -> usize {
        let tags: usize = self.tags.iter().map(String::len).sum();
        self.space.len() + self.key.len() + self.value.len() + tags
    }
}
