//! The durable level: rows of the reserved space, in the shape other programs know. Their tags are in the table of tags
//! too, for finding; the value has them in the order given.
//!
//! Statements name their index: left to itself, SQLite would rather walk a whole space than one tag.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::{Doomed, entry::Entry};
use crate::{
    Result,
    documents::{
        set::{Tags, add_tags},
        space::Space,
        tx::{Tx, text, time},
    },
};

/// The entry of a key, unless its row holds something else.
pub(super) fn find(tx: Tx<'_>, key: &str) -> Result<Option<Entry>> {
    let mut find = tx.prepare_cached("SELECT value, expires_at FROM kv WHERE namespace = ?1 AND key = ?2")?;
    let mut rows = find.query(params![Space::RESERVED, key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Entry::from_row(&text(row, 0)?, time(row, 1)?))
}

/// Writes the entry of a key; whether there was a row before. The row gets the next number, so rows are in the order in
/// which they were written last. One that is there is moved: to delete it would take along its tags, which mostly stay.
pub(super) fn write(tx: Tx<'_>, key: &str, entry: &Entry) -> Result<bool> {
    let stored_at = entry.cached.stored_at.0.cast_signed();
    let expires_at = entry.expires_at.map(|at| at.0.cast_signed());
    let row = params![key, Space::RESERVED, entry.row_value(), stored_at, expires_at];
    let mut replace = tx.prepare_cached(
        "UPDATE kv SET
            rowid = iif((SELECT max(rowid) FROM kv) < 9223372036854775807, (SELECT max(rowid) FROM kv) + 1, rowid),
            value = ?3, created_at = ?4, updated_at = ?4, expires_at = ?5
        WHERE namespace = ?2 AND key = ?1",
    )?;
    let tags = &entry.cached.tags;
    if replace.execute(row)? > 0 {
        Tags::of(tx)?.replace(Space::RESERVED, key, tags)?;
        return Ok(true);
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO kv (key, namespace, value, created_at, updated_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
    )?;
    insert.execute(row)?;
    add_tags(tx, Space::RESERVED, key, tags)?;
    Ok(false)
}

/// A row that was deleted.
pub(super) struct Deleted {
    pub(super) key: String,
    /// Whether its deadline was still ahead.
    pub(super) live: bool,
}

/// Deletes everything doomed.
pub(super) fn remove(tx: Tx<'_>, doomed: &Doomed) -> Result<Vec<Deleted>> {
    let mut keys: HashSet<String> = doomed.key.iter().cloned().collect();
    let mut tagged =
        tx.prepare_cached("SELECT key FROM kv_tags INDEXED BY idx_kv_tags_tag WHERE tag = ?1 AND namespace = ?2")?;
    for tag in &doomed.tags {
        let mut rows = tagged.query(params![tag, Space::RESERVED])?;
        while let Some(row) = rows.next()? {
            keys.insert(text(row, 0)?);
        }
    }
    let mut deleted = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(live) = delete(tx, &key)? {
            deleted.push(Deleted { key, live });
        }
    }
    Ok(deleted)
}

/// Deletes a row with its tags; whether it was live, if there was one.
fn delete(tx: Tx<'_>, key: &str) -> Result<Option<bool>> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM kv WHERE namespace = ?1 AND key = ?2 RETURNING expires_at IS NULL OR expires_at > ?3",
    )?;
    let live = delete.query_row(params![Space::RESERVED, key, tx.now_ms()], |row| row.get(0));
    Ok(live.optional()?)
}

/// Deletes all rows.
pub(super) fn clear(tx: Tx<'_>) -> Result<()> {
    tx.prepare_cached("DELETE FROM kv WHERE namespace = ?1")?.execute([Space::RESERVED])?;
    Ok(())
}

/// Deletes the rows that were written first; their keys.
pub(super) fn remove_oldest(tx: Tx<'_>, count: u64) -> Result<Vec<String>> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM kv WHERE rowid IN (
            SELECT rowid FROM kv INDEXED BY idx_kv_ns WHERE namespace = ?1 ORDER BY rowid LIMIT ?2
        ) RETURNING key",
    )?;
    let mut rows = delete.query(params![Space::RESERVED, count.cast_signed()])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(text(row, 0)?);
    }
    Ok(keys)
}

/// How many rows there are. Walks an index: values, which may be long, are not touched.
pub(super) fn count(tx: Tx<'_>) -> Result<u64> {
    let mut count = tx.prepare_cached("SELECT count(*) FROM kv INDEXED BY idx_kv_ns WHERE namespace = ?1")?;
    let count: i64 = count.query_row([Space::RESERVED], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// How many of them are past their deadline and not purged yet.
pub(super) fn count_expired(tx: Tx<'_>) -> Result<u64> {
    let mut count = tx.prepare_cached(
        "SELECT count(*) FROM kv INDEXED BY idx_kv_expires
        WHERE expires_at IS NOT NULL AND expires_at <= ?2 AND namespace = ?1",
    )?;
    let count: i64 = count.query_row(params![Space::RESERVED, tx.now_ms()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
