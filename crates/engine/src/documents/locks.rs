//! Locks: a key belongs to one owner until a deadline by the wall clock, which survives restarts. Rows are all there is
//! of them: whatever is answered is committed, nothing pushes a lock out, and one that ended is absent.
//!
//! Each acquisition gives a fencing token. A resource that refuses lower tokens than the highest it has seen is safe from
//! an owner who does not know that its lock ended.

use rusqlite::{OptionalExtension, Row, params};

use super::{
    Documents,
    tx::{Tx, text},
};
use crate::{Result, Timestamp};

#[cfg(test)]
mod tests;

/// Longest time a lock is given for.
pub const MAX_LOCK_MS: u64 = 300_000;

/// Tokens are numbers of rows, and these never repeat. A new file begins with the microsecond of its making, so that its
/// tokens are higher than those of a file that was lost or was in memory only.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS manifold_locks (
    token INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ttl INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS manifold_locks_expires ON manifold_locks (expires_at);
";
const FIRST_TOKEN: &str = "
INSERT INTO sqlite_sequence (name, seq)
SELECT 'manifold_locks', ?1 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'manifold_locks')
";

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What is locked.
    pub key: String,
    /// Who may release and extend it.
    pub owner: String,
    /// Since when.
    pub acquired_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// The time it was last given for, in milliseconds.
    pub ttl_ms: u64,
    /// Higher than that of every acquisition before, of whatever key.
    pub token: u64,
}

/// All locks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Locks(Documents);

impl Locks {
    /// The locks that are kept in `documents`.
    pub async fn open(documents: Documents) -> Result<Locks> {
        documents.write(|tx| Ok(tx.execute(FIRST_TOKEN, [tx.now_ms().saturating_mul(1000)])?)).await?;
        Ok(Locks(documents))
    }

    /// Takes a lock for so many milliseconds, [`MAX_LOCK_MS`] at most; none when it is held, by whomever.
    pub async fn acquire(&self, key: &str, owner: &str, ttl_ms: u64) -> Result<Option<Lock>> {
        let (key, owner) = (key.to_owned(), owner.to_owned());
        self.0.write(move |tx| acquire(tx, key, owner, ttl_ms.min(MAX_LOCK_MS))).await
    }

    /// Gives a lock back; false when this owner does not hold it.
    pub async fn release(&self, key: &str, owner: &str) -> Result<bool> {
        let (key, owner) = (key.to_owned(), owner.to_owned());
        let release = "DELETE FROM manifold_locks WHERE key = ?1 AND expires_at > ?2 AND owner = ?3";
        self.0.write(move |tx| Ok(tx.prepare_cached(release)?.execute(params![key, tx.now_ms(), owner])? > 0)).await
    }

    /// Gives a lock so many milliseconds from now, [`MAX_LOCK_MS`] at most; none when this owner does not hold it.
    pub async fn extend(&self, key: &str, owner: &str, ttl_ms: u64) -> Result<Option<Lock>> {
        let (key, owner) = (key.to_owned(), owner.to_owned());
        self.0.write(move |tx| extend(tx, &key, &owner, ttl_ms.min(MAX_LOCK_MS))).await
    }

    /// Ends a lock, whoever holds it; false when nobody does.
    pub async fn break_lock(&self, key: &str) -> Result<bool> {
        let key = key.to_owned();
        let release = "DELETE FROM manifold_locks WHERE key = ?1 AND expires_at > ?2";
        self.0.write(move |tx| Ok(tx.prepare_cached(release)?.execute(params![key, tx.now_ms()])? > 0)).await
    }

    /// The lock of a key, if it is held.
    pub async fn get(&self, key: &str) -> Result<Option<Lock>> {
        let key = key.to_owned();
        self.0.read(move |tx| held(tx, &key)).await
    }

    /// All locks that are held, by key in byte order.
    pub async fn list(&self) -> Result<Vec<Lock>> {
        self.0.read_long(list).await
    }

    /// How many there are.
    pub async fn count(&self) -> Result<u64> {
        let count = "SELECT count(*) FROM manifold_locks WHERE expires_at > ?1";
        let count = self.0.read(move |tx| Ok(tx.prepare_cached(count)?.query_row([tx.now_ms()], |row| row.get(0))?));
        count.await.map(i64::unsigned_abs)
    }
}

/// Removes what is left of locks that ended, some at a time.
pub(super) fn purge(tx: Tx<'_>) -> Result<()> {
    const PURGE: &str = "DELETE FROM manifold_locks WHERE token IN
        (SELECT token FROM manifold_locks WHERE expires_at <= ?1 LIMIT 1000)";
    tx.prepare_cached(PURGE)?.execute([tx.now_ms()])?;
    Ok(())
}

fn acquire(tx: Tx<'_>, key: String, owner: String, ttl_ms: u64) -> Result<Option<Lock>> {
    let ended = "DELETE FROM manifold_locks WHERE key = ?1 AND expires_at <= ?2";
    tx.prepare_cached(ended)?.execute(params![key, tx.now_ms()])?;
    let (acquired_at, expires_at) = (tx.now(), Timestamp(tx.now().0.saturating_add(ttl_ms)));
    let mut insert = tx.prepare_cached(
        "INSERT INTO manifold_locks (key, owner, acquired_at, expires_at, ttl) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (key) DO NOTHING RETURNING token",
    )?;
    let row = params![key, owner, tx.now_ms(), expires_at.0.cast_signed(), ttl_ms.cast_signed()];
    let token: Option<i64> = insert.query_row(row, |row| row.get(0)).optional()?;
    let Some(token) = token.map(i64::unsigned_abs) else { return Ok(None) };
    Ok(Some(Lock { key, owner, acquired_at, expires_at, ttl_ms, token }))
}

fn extend(tx: Tx<'_>, key: &str, owner: &str, ttl_ms: u64) -> Result<Option<Lock>> {
    let Some(lock) = held(tx, key)?.filter(|lock| lock.owner == owner) else { return Ok(None) };
    let expires_at = Timestamp(tx.now().0.saturating_add(ttl_ms));
    let mut update = tx.prepare_cached("UPDATE manifold_locks SET expires_at = ?2, ttl = ?3 WHERE key = ?1")?;
    update.execute(params![key, expires_at.0.cast_signed(), ttl_ms.cast_signed()])?;
    Ok(Some(Lock { expires_at, ttl_ms, ..lock }))
}

fn held(tx: Tx<'_>, key: &str) -> Result<Option<Lock>> {
    let mut find = tx.prepare_cached(
        "SELECT key, owner, acquired_at, expires_at, ttl, token FROM manifold_locks WHERE key = ?1 AND expires_at > ?2",
    )?;
    let mut rows = find.query(params![key, tx.now_ms()])?;
    rows.next()?.map(lock).transpose()
}

fn list(tx: Tx<'_>) -> Result<Vec<Lock>> {
    let mut list = tx.prepare_cached(
        "SELECT key, owner, acquired_at, expires_at, ttl, token FROM manifold_locks WHERE expires_at > ?1 ORDER BY key",
    )?;
    let mut rows = list.query([tx.now_ms()])?;
    let mut locks = Vec::new();
    while let Some(row) = rows.next()? {
        locks.push(lock(row)?);
    }
    Ok(locks)
}

fn lock(row: &Row<'_>) -> Result<Lock> {
    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Lock {
        key: text(row, 0)?,
        owner: text(row, 1)?,
        acquired_at: Timestamp(number(2)?),
        expires_at: Timestamp(number(3)?),
        ttl_ms: number(4)?,
        token: number(5)?,
    })
}
