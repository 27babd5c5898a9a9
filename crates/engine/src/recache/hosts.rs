//! What of the hosts is in memory: the order of their queues and the numbers of their dead letters. Rows are the truth.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use manifold_store::Seq;
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::{HostId, Priority, order::Order};

/// The model of one engine.
#[derive(Debug)]
pub(crate) struct Recache {
    hosts: RwLock<HashMap<HostId, Arc<Mutex<Host>>, RandomState>>,
    last_lease: AtomicU64,
    /// Leases up to this number are of runs before this one.
    pub(super) left_behind: u64,
}

/// One host. Whoever changes a row of it, whatever row, holds its lock until that is committed; nobody holds it while
/// anything is awaited. Those who need several take them in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Host {
    queues: [Order; Priority::ALL.len()],
    /// The numbers of dead letters, the oldest first.
    pub(super) letters: BTreeSet<u64>,
    /// The newest frame that anything here rests on.
    pub(super) frame: Seq,
}

/// Hosts that are used together.
pub(super) struct Several(Vec<(HostId, Arc<Mutex<Host>>)>);

/// Hosts that are locked.
pub(super) type Held<'a> = BTreeMap<HostId, MutexGuard<'a, Host>>;

impl Recache {
    pub(super) fn new(hosts: BTreeMap<HostId, Host>, last_lease: u64) -> Self {
        let hosts = hosts.into_iter().map(|(id, host)| (id, Arc::new(Mutex::new(host)))).collect();
        Recache { hosts: RwLock::new(hosts), last_lease: AtomicU64::new(last_lease), left_behind: last_lease }
    }

    /// A host that something was ever queued for.
    pub(super) fn find(&self, host: HostId) -> Option<Arc<Mutex<Host>>> {
        self.hosts.read().get(&host).cloned()
    }

    /// Hosts for a change, in the order of their ids.
    pub(super) fn several(&self, hosts: impl IntoIterator<Item = HostId>) -> Several {
        let hosts: BTreeSet<HostId> = hosts.into_iter().collect();
        Several(hosts.into_iter().map(|host| (host, self.find(host).unwrap_or_else(|| self.found(host)))).collect())
    }

    fn found(&self, host: HostId) -> Arc<Mutex<Host>> {
        self.hosts.write().entry(host).or_default().clone()
    }

    /// A number that no lease has had in this run, nor one of a run before that is still there.
    pub(super) fn next_lease(&self) -> u64 {
        self.last_lease.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Several {
    pub(super) fn lock(&self) -> Held<'_> {
        self.0.iter().map(|(id, host)| (*id, host.lock())).collect()
    }
}

impl Host {
    pub(super) fn queue(&self, priority: Priority) -> &Order {
        &self.queues[priority as usize]
    }

    pub(super) fn queue_mut(&mut self, priority: Priority) -> &mut Order {
        &mut self.queues[priority as usize]
    }
}
