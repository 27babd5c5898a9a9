//! Connections to other databases that somebody registered, as rows: what they mean is not known here.

use std::fmt;

use rusqlite::{OptionalExtension, Row, params};

use super::{
    Documents,
    tx::{Tx, text},
};
use crate::{Error, Result};

#[cfg(test)]
mod tests;

/// Rows in the order of registration: a number is never given out again.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS manifold_connectors (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    connection_string TEXT NOT NULL,
    read_only INTEGER NOT NULL,
    max_cache_ttl INTEGER,
    default_tags TEXT NOT NULL,
    headers TEXT NOT NULL
);
";

/// A registered connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Connector {
    /// Its name, unlike that of any other.
    pub name: String,
    /// What it leads to.
    pub kind: String,
    /// Where, most likely with a password.
    pub connection_string: String,
    /// Whether it is for reading only.
    pub read_only: bool,
    /// Longest time that results are kept, in milliseconds, if it says so.
    pub max_cache_ttl_ms: Option<u64>,
    /// Tags of all results.
    pub default_tags: Vec<String>,
    /// Names and values sent along; values may be secrets.
    pub headers: Vec<(String, String)>,
}

/// The registered connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connectors(Documents);

impl Connectors {
    /// Those that are kept in `documents`.
    pub fn new(documents: Documents) -> Connectors {
        Connectors(documents)
    }

    /// All of them, in the order of their registration.
    pub async fn load(&self) -> Result<Vec<Connector>> {
        self.0.read(load).await
    }

    /// Registers one; false when there is one of its name.
    pub async fn insert(&self, connector: Connector) -> Result<bool> {
        self.0.write(move |tx| insert(tx, &connector)).await
    }

    /// Removes the one of this name; false when there is none.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.0.write(move |tx| Ok(tx.execute("DELETE FROM manifold_connectors WHERE name = ?1", [name])? > 0)).await
    }
}

pub(super) fn insert(tx: Tx<'_>, connector: &Connector) -> Result<bool> {
    let Connector { name, kind, connection_string, read_only, max_cache_ttl_ms, default_tags, headers } = connector;
    let list = "strings are always JSON";
    let (tags, headers) =
        (serde_json::to_string(default_tags).expect(list), serde_json::to_string(headers).expect(list));
    let ttl = max_cache_ttl_ms.map(u64::cast_signed);
    let position: Option<i64> = tx
        .query_row(
            "INSERT INTO manifold_connectors
                (name, type, connection_string, read_only, max_cache_ttl, default_tags, headers)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING RETURNING position",
            params![name, kind, connection_string, read_only, ttl, tags, headers],
            |row| row.get(0),
        )
        .optional()?;
    Ok(position.is_some())
}

pub(super) fn load(tx: Tx<'_>) -> Result<Vec<Connector>> {
    let mut all = tx.prepare(
        "SELECT name, type, connection_string, read_only, max_cache_ttl, default_tags, headers
        FROM manifold_connectors ORDER BY position",
    )?;
    let mut rows = all.query([])?;
    let mut connectors = Vec::new();
    while let Some(row) = rows.next()? {
        connectors.push(connector(row)?);
    }
    Ok(connectors)
}

fn connector(row: &Row<'_>) -> Result<Connector> {
    let unreadable = |_| Error::unreadable("a registered connection");
    Ok(Connector {
        name: text(row, 0)?,
        kind: text(row, 1)?,
        connection_string: text(row, 2)?,
        read_only: row.get(3)?,
        max_cache_ttl_ms: row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
        default_tags: serde_json::from_str(&text(row, 5)?).map_err(unreadable)?,
        headers: serde_json::from_str(&text(row, 6)?).map_err(unreadable)?,
    })
}

/// Without what may be secret.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Connector { name, kind, read_only, .. } = self;
        f.debug_struct("Connector")
            .field("name", name)
            .field("kind", kind)
            .field("read_only", read_only)
            .finish_non_exhaustive()
    }
}
