//! The connectors that there are: rows that outlive the process, and what was made of them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use futures_util::future::join_all;
use manifold_engine::documents::{self, Connectors};
use parking_lot::RwLock;
use tokio::sync::{Mutex, OnceCell};

use super::{
    connector::{Connector, Unusable},
    upstream::Reach,
};

/// Connectors at most; each holds memory, and may hold connections.
const MAX_CONNECTORS: usize = 10_000;

/// All connectors.
#[derive(Debug)]
pub(super) struct Registry {
    rows: Connectors,
    reach: Arc<Reach>,
    /// Filled from the rows when the first is asked for.
    held: OnceCell<RwLock<HashMap<String, Arc<Connector>, RandomState>>>,
    registered: AtomicU64,
    /// Held by whoever changes rows and what was made of them, so that both change in one order.
    changes: Mutex<()>,
}

/// Why nothing was registered.
#[derive(Debug)]
pub(super) enum Refused {
    /// What leads nowhere.
    Unusable(Unusable),
    /// The name is taken.
    Taken,
    /// There are too many.
    Full,
    /// It cannot be kept.
    Engine(manifold_engine::Error),
}

impl From<manifold_engine::Error> for Refused {
    fn from(error: manifold_engine::Error) -> Self {
        Refused::Engine(error)
    }
}

type Held = RwLock<HashMap<String, Arc<Connector>, RandomState>>;

impl Registry {
    pub(super) fn new(rows: Connectors, reach: Arc<Reach>) -> Registry {
        Registry { rows, reach, held: OnceCell::new(), registered: AtomicU64::default(), changes: Mutex::default() }
    }

    /// The connector of this name.
    pub(super) async fn get(&self, name: &str) -> manifold_engine::Result<Option<Arc<Connector>>> {
        Ok(self.held().await?.read().get(name).cloned())
    }

    /// All of them, in the order of their registration.
    pub(super) async fn list(&self) -> manifold_engine::Result<Vec<Arc<Connector>>> {
        let mut all: Vec<Arc<Connector>> = self.held().await?.read().values().cloned().collect();
        all.sort_unstable_by_key(|connector| connector.position);
        Ok(all)
    }

    /// Adds one, for good. Once begun it should come to its end, also when nobody waits for it any more.
    pub(super) async fn register(&self, row: documents::Connector) -> Result<(), Refused> {
        let held = self.held().await?;
        let _one_at_a_time = self.changes.lock().await;
        let connector = self.open(&row).map_err(Refused::Unusable)?;
        if held.read().contains_key(&row.name) {
            return Err(Refused::Taken);
        }
        if held.read().len() >= MAX_CONNECTORS {
            return Err(Refused::Full);
        }
        if !self.rows.insert(row).await? {
            return Err(Refused::Taken);
        }
        held.write().insert(connector.name.clone(), Arc::new(connector));
        Ok(())
    }

    /// Removes the one of this name, if there is one. The same holds as for adding.
    pub(super) async fn unregister(&self, name: &str) -> manifold_engine::Result<bool> {
        let held = self.held().await?;
        let _one_at_a_time = self.changes.lock().await;
        let had_row = self.rows.remove(name).await?;
        let removed = held.write().remove(name);
        if let Some(removed) = &removed {
            removed.close().await;
        }
        Ok(had_row || removed.is_some())
    }

    /// Ends the connections of all, at the same time: each may take a while.
    pub(super) async fn close(&self) {
        let Some(held) = self.held.get() else { return };
        let all: Vec<Arc<Connector>> = held.read().values().cloned().collect();
        join_all(all.into_iter().map(|connector| async move { connector.close().await })).await;
    }

    async fn held(&self) -> manifold_engine::Result<&Held> {
        let load = async || {
            let rows = self.rows.load().await?;
            let opened = rows.iter().filter_map(|row| match self.open(row) {
                Ok(connector) => Some((row.name.clone(), Arc::new(connector))),
                Err(reason) => {
                    tracing::warn!(connector = row.name, kind = row.kind, ?reason, "a connector cannot be used");
                    None
                }
            });
            Ok(RwLock::new(opened.collect()))
        };
        self.held.get_or_try_init(load).await
    }

    fn open(&self, row: &documents::Connector) -> Result<Connector, Unusable> {
        Connector::open(self.registered.fetch_add(1, Ordering::Relaxed), row, &self.reach)
    }
}
