//! Redis or Valkey as home: the keys, members and records that gateways of the original know, and beside them leases, dead
//! letters and a heartbeat of our own.
//!
//! Everything here is one command, one pipeline or one script at a time, so any of it may fail, be repeated or find that
//! keys have vanished. What a process has taken from a queue stays in its hash of leases until it is brought to an end;
//! the answer of a pull may get lost on the way, so `recovery` compares that hash with what the process knows it holds.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use manifold_engine::{Clock, Timestamp};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{HomeError, Registry, Result};
use crate::{dialects::edgecomet::config::Config, telemetry::HomeCalls};

mod connection;
mod held;
mod keys;
mod leases;
mod letters;
pub(in super::super) mod member;
mod paging;
mod presence;
mod queues;
pub(in super::super) mod record;
mod records;
mod recovery;
mod scripts;
#[cfg(test)]
mod tests;

use connection::Connection;
pub(in super::super) use connection::host_and_port;
use held::Held;
use presence::Presence;

/// Redis or Valkey as home. Clones are the same one.
#[derive(Debug, Clone)]
pub(in super::super) struct Redis(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Connection,
    clock: Clock,
    daemon_id: String,
    /// This run of the process. Leases carry it, so that a start tells those of the run before from its own.
    run: String,
    held: Mutex<Held>,
    /// Number of the connection on which leases of runs before were put back; 0 = on none.
    recovered_on: AtomicU64,
    presence: tokio::sync::Mutex<Presence>,
    /// How long what was read of the registries counts.
    registry_lasts: Duration,
    stale_after: Duration,
    malformed: AtomicU64,
    calls: Arc<HomeCalls>,
    /// Names of queues under which there is something else, as far as that was logged.
    foreign: Mutex<BTreeSet<String>>,
    heart: Mutex<Option<JoinHandle<()>>>,
}

impl Redis {
    /// Connects, and begins to say that this process is alive. The error is one line.
    pub(in super::super) async fn open(
        config: &Config,
        clock: Clock,
        calls: Arc<HomeCalls>,
    ) -> std::result::Result<Self, String> {
        let connection = Connection::new(&config.redis)?;
        connection.wait_for_ping().await?;
        let run = format!("{:016x}", getrandom::u64().map_err(|error| format!("no random number: {error}"))?);
        let home = Redis(Arc::new(Inner {
            connection,
            clock,
            daemon_id: config.daemon_id.clone(),
            run,
            held: Mutex::default(),
            recovered_on: AtomicU64::new(0),
            presence: tokio::sync::Mutex::default(),
            registry_lasts: config.scheduler.tick_interval.0 / 2,
            stale_after: config.recache.rs_stale_after.0,
            malformed: AtomicU64::new(0),
            calls,
            foreign: Mutex::default(),
            heart: Mutex::new(None),
        }));
        home.beat_from_now_on();
        Ok(home)
    }

    /// Where calls are counted.
    pub(super) fn calls(&self) -> &HomeCalls {
        &self.0.calls
    }

    /// Members and leases found so far that could not be read.
    pub(super) fn malformed_members(&self) -> u64 {
        self.0.malformed.load(Ordering::Relaxed)
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.0.connection.one(redis::cmd("PING")).await.map(|_: redis::Value| ())
    }

    pub(super) async fn registry(&self) -> Result<Registry> {
        let now = self.now();
        let mut presence = self.0.presence.lock().await;
        presence.registry(&self.0, now).await
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn count_senseless(&self, leases: &str, count: u64) {
        if count > 0 {
            self.0.malformed.fetch_add(count, Ordering::Relaxed);
            tracing::warn!(leases, count, "edgecomet: leases that made no sense were removed");
        }
    }

    fn count_malformed(&self, queue: &str, members: &[Vec<u8>]) {
        let Some(first) = members.first() else { return };
        self.0.malformed.fetch_add(members.len() as u64, Ordering::Relaxed);
        let shown: String = String::from_utf8_lossy(first).chars().take(200).collect();
        tracing::warn!(queue, count = members.len(), first = %shown, "edgecomet: members that are no entries were removed");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(heart) = self.heart.get_mut().take() {
            heart.abort();
        }
    }
}
