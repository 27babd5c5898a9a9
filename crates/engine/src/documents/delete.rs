//! Deleting. Tags go with the row they belong to, by their foreign key.

use rusqlite::params;

use super::{Space, Within, query::list, tx::Tx};
use crate::Result;

pub(super) const DELETE_TAGGED: &str = "
DELETE FROM kv
WHERE (namespace, key) IN (SELECT namespace, key FROM kv_tags WHERE tag IN (SELECT value FROM json_each(?1)))
  AND namespace <> ?2 AND (?3 IS NULL OR namespace = ?3) AND (expires_at IS NULL OR expires_at > ?4)";

/// Deletes by key; how many lived. Expired rows are the purge's, which counts them.
pub(super) fn keys(tx: Tx<'_>, space: &Space, keys: &[String]) -> Result<u64> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM kv WHERE namespace = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
    )?;
    keys.iter()
        .try_fold(0, |deleted, key| Ok(deleted + delete.execute(params![space.as_str(), key, tx.now_ms()])? as u64))
}

/// Deletes what has one of the tags; how many lived.
pub(super) fn tagged(tx: Tx<'_>, within: &Within, tags: &[String]) -> Result<u64> {
    let mut delete = tx.prepare_cached(DELETE_TAGGED)?;
    let deleted = delete.execute(params![list(tags), Space::RESERVED, within.name(), tx.now_ms()])?;
    Ok(deleted as u64)
}

/// Deletes everything, expired or not.
pub(super) fn all(tx: Tx<'_>, within: &Within) -> Result<()> {
    match within {
        Within::All => tx.prepare_cached("DELETE FROM kv WHERE namespace <> ?1")?.execute([Space::RESERVED])?,
        Within::Space(space) => tx.prepare_cached("DELETE FROM kv WHERE namespace = ?1")?.execute([space.as_str()])?,
    };
    Ok(())
}
