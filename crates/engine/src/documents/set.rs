//! Writing.

use rusqlite::{CachedStatement, params, types::ValueRef};

use super::{Space, tx::Tx};
use crate::Result;

/// Whoever lives keeps the time it came to be at.
pub(super) const WRITE: &str = "
INSERT INTO kv (namespace, key, value, created_at, updated_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
ON CONFLICT (namespace, key) DO UPDATE SET
    value = excluded.value,
    created_at = CASE WHEN expires_at <= ?4 THEN ?4 ELSE created_at END,
    updated_at = excluded.updated_at,
    expires_at = excluded.expires_at";

/// One document to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSet {
    /// Its key.
    pub key: String,
    /// What it says.
    pub value: String,
    /// How long it lives, in milliseconds; 0 = until it is deleted.
    pub ttl_ms: u64,
    /// Its tags, in any order; repeated ones count once.
    pub tags: Vec<String>,
}

/// Writes all of them; of several with one key the last stays.
pub(super) fn all(tx: Tx<'_>, space: &Space, sets: &[DocumentSet]) -> Result<()> {
    let space = space.as_str();
    // Looked up once: among so many that costs as much as a third of their work.
    let mut write = tx.prepare_cached(WRITE)?;
    let mut tags = Tags::of(tx)?;
    for set in sets {
        write.execute(params![space, set.key, set.value, tx.now_ms(), tx.deadline_ms(set.ttl_ms)])?;
        tags.replace(space, &set.key, &set.tags)?;
    }
    Ok(())
}

/// The rows of tags.
pub(super) struct Tags<'a> {
    tx: Tx<'a>,
    find: CachedStatement<'a>,
}

impl<'a> Tags<'a> {
    pub(super) fn of(tx: Tx<'a>) -> Result<Tags<'a>> {
        let find =
            tx.connection().prepare_cached("SELECT tag FROM kv_tags WHERE namespace = ?1 AND key = ?2 ORDER BY tag")?;
        Ok(Tags { tx, find })
    }

    /// Gives a document that is there these tags and no others. Mostly it has them when it is written again: to look is one
    /// step in one index, to write them again is some in three for each.
    pub(super) fn replace(&mut self, space: &str, key: &str, tags: &[String]) -> Result<()> {
        if self.are(space, key, tags)? {
            return Ok(());
        }
        let delete = self.tx.prepare_cached("DELETE FROM kv_tags WHERE namespace = ?1 AND key = ?2");
        delete?.execute(params![space, key])?;
        add_tags(self.tx, space, key, tags)
    }

    fn are(&mut self, space: &str, key: &str, tags: &[String]) -> Result<bool> {
        let mut wanted: Vec<&str> = tags.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut rows = self.find.query(params![space, key])?;
        for tag in wanted {
            match rows.next()? {
                Some(row) if row.get_ref(0)? == ValueRef::Text(tag.as_bytes()) => {}
                _ => return Ok(false),
            }
        }
        Ok(rows.next()?.is_none())
    }
}

/// Gives a document that has no tags these.
pub(super) fn add_tags(tx: Tx<'_>, space: &str, key: &str, tags: &[String]) -> Result<()> {
    let mut add = tx.prepare_cached("INSERT OR IGNORE INTO kv_tags (namespace, key, tag) VALUES (?1, ?2, ?3)")?;
    tags.iter().try_for_each(|tag| add.execute(params![space, key, tag]).map(drop))?;
    Ok(())
}
