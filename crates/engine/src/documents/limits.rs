//! How often a client may ask about a namespace, where an operator has said so. Rows keep what was said; all of them are
//! in memory, because every request looks.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use rusqlite::params;

use super::{
    Documents,
    tx::{Tx, text},
};
use crate::{Error, Kind, Result};

#[cfg(test)]
mod tests;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS manifold_limits (
    namespace TEXT NOT NULL PRIMARY KEY,
    max_requests INTEGER NOT NULL,
    window_ms INTEGER NOT NULL
);
";

/// So many requests of one client in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimit {
    /// At least 1.
    pub max_requests: u64,
    /// Length of the window in milliseconds, at least 1.
    pub window_ms: u64,
}

/// The limits of all namespaces that have one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RequestLimits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    documents: Documents,
    /// What the rows say.
    current: RwLock<BTreeMap<String, RequestLimit>>,
    /// Held from before a row changes until memory has: both see changes in one order.
    turn: tokio::sync::Mutex<()>,
}

impl RequestLimits {
    /// The limits that are kept in `documents`.
    pub async fn open(documents: Documents) -> Result<RequestLimits> {
        let current = RwLock::new(documents.read(load).await?);
        Ok(RequestLimits(Arc::new(Shared { documents, current, turn: tokio::sync::Mutex::new(()) })))
    }

    /// The limit of a namespace.
    pub fn get(&self, namespace: &str) -> Option<RequestLimit> {
        self.0.current.read().get(namespace).copied()
    }

    /// All of them, by namespace in byte order.
    pub fn list(&self) -> Vec<(String, RequestLimit)> {
        self.0.current.read().iter().map(|(namespace, limit)| (namespace.clone(), *limit)).collect()
    }

    /// Sets the limit of a namespace.
    pub async fn set(&self, namespace: &str, limit: RequestLimit) -> Result<()> {
        self.change(namespace, Some(limit)).await.map(drop)
    }

    /// Takes the limit of a namespace away; false when it has none.
    pub async fn remove(&self, namespace: &str) -> Result<bool> {
        self.change(namespace, None).await
    }

    /// Gives a namespace this limit or none; whether it had one.
    async fn change(&self, namespace: &str, to: Option<RequestLimit>) -> Result<bool> {
        let (shared, namespace) = (self.0.clone(), namespace.to_owned());
        // A task of its own: if whoever asked went away between the two steps, memory would contradict the rows.
        let changed = tokio::spawn(async move {
            let _turn = shared.turn.lock().await;
            let row = namespace.clone();
            shared.documents.write(move |tx| write(tx, &row, to)).await?;
            let mut current = shared.current.write();
            let before = match to {
                Some(limit) => current.insert(namespace, limit),
                None => current.remove(&namespace),
            };
            Ok(before.is_some())
        });
        changed.await.map_err(|error| Error::new(Kind::Bug, format!("a change of a limit did not end: {error}")))?
    }
}

fn load(tx: Tx<'_>) -> Result<BTreeMap<String, RequestLimit>> {
    let mut all = tx.prepare("SELECT namespace, max_requests, window_ms FROM manifold_limits")?;
    let mut rows = all.query([])?;
    let mut limits = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let [max_requests, window_ms] = [row.get::<_, i64>(1)?, row.get(2)?].map(i64::unsigned_abs);
        limits.insert(text(row, 0)?, RequestLimit { max_requests, window_ms });
    }
    Ok(limits)
}

fn write(tx: Tx<'_>, namespace: &str, to: Option<RequestLimit>) -> Result<()> {
    match to {
        Some(RequestLimit { max_requests, window_ms }) => tx.execute(
            "INSERT OR REPLACE INTO manifold_limits (namespace, max_requests, window_ms) VALUES (?1, ?2, ?3)",
            params![namespace, max_requests.cast_signed(), window_ms.cast_signed()],
        )?,
        None => tx.execute("DELETE FROM manifold_limits WHERE namespace = ?1", [namespace])?,
    };
    Ok(())
}
