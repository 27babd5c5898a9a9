//! Removing rows whose deadline has passed, so that the file does not grow with what nobody can read.

use std::{future::pending, time::Duration};

use rusqlite::params;

use super::{
    Documents, Space, locks,
    tx::{self, Tx},
};
use crate::{
    Kind, Result,
    live::Live,
    work::{Tick, Work},
};

/// Most rows removed in one step: others who write get their turn in between.
const PIECE: usize = 1000;

pub(super) const REMOVE: &str = "
DELETE FROM kv WHERE (namespace, key) IN (SELECT namespace, key FROM kv WHERE expires_at <= ?1 LIMIT ?2)
RETURNING namespace";

/// Documents that an engine's workers look after.
#[derive(Debug, Clone)]
pub struct DocumentsUpkeep {
    /// Which.
    pub documents: Documents,
    /// Time between purges; zero = none.
    pub purge_every: Duration,
}

/// What a step of a purge came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purged {
    /// Rows that were documents.
    pub(super) documents: u64,
    /// Whether there may be more to remove.
    pub(super) more: bool,
}

/// Removes some rows that were due by then.
pub(super) fn piece(tx: Tx<'_>, due_ms: i64) -> Result<Purged> {
    let mut remove = tx.prepare_cached(REMOVE)?;
    let removed = remove.query_and_then(params![due_ms, PIECE as i64], |row| tx::text(row, 0))?;
    let removed = removed.collect::<Result<Vec<_>>>()?;
    let documents = removed.iter().filter(|space| *space != Space::RESERVED).count() as u64;
    Ok(Purged { documents, more: removed.len() == PIECE })
}

/// Purges every now and then.
pub(crate) struct Purge;

impl Work for Purge {
    fn name(&self) -> &'static str {
        "purge of documents"
    }

    async fn trigger(&self, live: &Live) {
        let upkeep = live.documents.wait().await;
        if upkeep.purge_every.is_zero() {
            return pending().await;
        }
        live.clock.sleep(upkeep.purge_every).await;
    }

    /// The rows are the writing thread's: it removes them when it gets to it.
    fn tick(&self, live: &Live) -> Result<Tick> {
        if let Some(upkeep) = live.documents.get() {
            match begin(&upkeep.documents) {
                Err(error) if *error.kind() != Kind::Busy => return Err(error),
                _ => {}
            }
        }
        Ok(Tick::DONE)
    }
}

/// Asks for a piece, which asks for the next one. When there is no room for it the next purge goes on.
fn begin(documents: &Documents) -> Result<()> {
    let next = documents.clone();
    documents.write_later(move |tx| {
        let purged = locks::purge(tx).and_then(|()| piece(tx, tx.now_ms()));
        if purged.inspect_err(|error| tracing::error!(%error, "a purge of documents failed"))?.more {
            begin(&next).ok();
        }
        Ok(())
    })
}
