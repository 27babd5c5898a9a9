//! The section `[dunena]` of the configuration.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use manifold_engine::{OpenError, backup::Place, cache::CacheLimits};
use serde::{Deserialize, Serialize};

use super::{
    client::{self, NotANetwork},
    cors::Cors,
};
use crate::{
    http::auth::Secret,
    net::{Hosts, TlsOptions},
    outbound::{AllowList, Limits},
};

#[cfg(test)]
mod tests;

/// The file of documents, where nothing else is said.
pub const DB_FILE: &str = "dunena.db";
/// The snapshot of the cache, where nothing else is said.
const SNAPSHOT_FILE: &str = "dunena-snapshot.json";

/// Everything an operator can say about this dialect. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Open this listener.
    pub enabled: bool,
    /// The listener's address; the top-level `host` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The listener's port.
    pub port: u16,
    /// TLS of this listener; what is absent is as in the top-level `tls`.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
    /// Whoever has it may come in; empty = everybody, with a warning beyond loopback.
    pub auth_token: Secret,
    /// Entries of the cache over all namespaces.
    pub max_entries: usize,
    /// Bytes of the cache; 0 = no bound.
    pub max_memory: u64,
    /// Milliseconds that a cached value lives whose writer does not say; 0 = until it is pushed out.
    pub default_ttl: u64,
    /// Has no effect: a miss costs one look anyway.
    pub bloom_filter: bool,
    /// Has no effect.
    pub bloom_size: u64,
    /// Has no effect.
    pub bloom_hashes: u64,
    /// Has no effect: values stay as they are.
    pub compression_threshold: u64,
    /// Milliseconds of the window in which requests of a client are counted.
    pub rate_window: u64,
    /// Requests of a client in a window; 0 = no limit.
    pub rate_max: u64,
    /// Origins whose pages may use the API; `*` = all.
    pub cors_origins: Vec<String>,
    /// Addresses and ranges whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Answer `/metrics` without the token.
    pub metrics_public: bool,
    /// Milliseconds between two items of `/stats/history`.
    pub stats_interval: u64,
    /// Serve the WebSocket.
    pub ws: bool,
    /// Serve the dashboard.
    pub dashboard: bool,
    /// Keep a snapshot of the cache on disk.
    pub persist: bool,
    /// Where the snapshot is; `dunena-snapshot.json` in the data directory when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persist_path: Option<PathBuf>,
    /// Milliseconds between two snapshots; 0 = only when asked, and at the end.
    pub persist_interval: u64,
    /// Save a snapshot when the process is stopped.
    pub persist_on_shutdown: bool,
    /// Serve what is kept in SQLite.
    pub db: bool,
    /// Where the SQLite file is; `dunena.db` in the data directory when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_path: Option<PathBuf>,
    /// Milliseconds between two purges of expired rows; 0 = only when asked.
    pub db_purge_interval: u64,
    /// Milliseconds that a query result lives whose writer does not say; 0 = for ever.
    pub query_cache_ttl: u64,
    /// Query results that are kept in memory.
    pub query_cache_max_entries: usize,
    /// Milliseconds to connect to a database.
    pub proxy_connect_timeout: u64,
    /// Milliseconds for a whole call of a database.
    pub proxy_timeout: u64,
    /// Longest answer of a database, in bytes.
    pub proxy_max_response: usize,
    /// Hosts and ranges that may be called; empty = all but those that never may.
    pub proxy_allow_hosts: Vec<String>,
    /// Directories whose SQLite files may be opened; empty = all.
    pub proxy_sqlite_dirs: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            enabled: true,
            host: None,
            port: 3000,
            tls: TlsOptions::default(),
            auth_token: Secret::default(),
            max_entries: 100_000,
            max_memory: 0,
            default_ttl: 0,
            bloom_filter: false,
            bloom_size: 0,
            bloom_hashes: 0,
            compression_threshold: 0,
            rate_window: 60_000,
            rate_max: 1000,
            cors_origins: vec!["*".to_owned()],
            trusted_proxies: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
            metrics_public: false,
            stats_interval: 60_000,
            ws: true,
            dashboard: true,
            persist: false,
            persist_path: None,
            persist_interval: 300_000,
            persist_on_shutdown: true,
            db: true,
            db_path: None,
            db_purge_interval: 60_000,
            query_cache_ttl: 60_000,
            query_cache_max_entries: 10_000,
            proxy_connect_timeout: 5_000,
            proxy_timeout: 30_000,
            proxy_max_response: 16 << 20,
            proxy_allow_hosts: Vec::new(),
            proxy_sqlite_dirs: Vec::new(),
        }
    }
}

/// Why the dialect does not start.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A number below its bound.
    #[error("dunena: {0} must be at least 1")]
    Zero(&'static str),
    /// A text that is no network.
    #[error("dunena: trusted_proxies: {0}")]
    Network(#[from] NotANetwork),
    /// The database cannot be used.
    #[error("dunena: the database {0}")]
    Database(#[source] OpenError),
    /// What is in it cannot be read; why.
    #[error("dunena: {0}")]
    Rows(String),
}

impl From<manifold_engine::Error> for Refused {
    fn from(error: manifold_engine::Error) -> Self {
        Refused::Rows(error.to_string())
    }
}

impl Config {
    /// Checks what no single value shows, for a listener on `listen`, and tells the operator what deserves a word.
    pub fn validate(&self, listen: SocketAddr) -> Result<(), Refused> {
        for (name, value) in [
            ("max_entries", self.max_entries as u64),
            ("rate_window", self.rate_window),
            ("stats_interval", self.stats_interval),
            ("query_cache_max_entries", self.query_cache_max_entries as u64),
            ("proxy_connect_timeout", self.proxy_connect_timeout),
            ("proxy_timeout", self.proxy_timeout),
            ("proxy_max_response", self.proxy_max_response as u64),
        ] {
            if value == 0 {
                return Err(Refused::Zero(name));
            }
        }
        self.trusted()?;
        if self.auth_token.is_empty() && !listen.ip().to_canonical().is_loopback() {
            tracing::warn!(%listen, "dunena listens without a token on an address that is not loopback");
        }
        Ok(())
    }

    /// Names that requests to a listener on `listen` may be for, `named` among them. Where pages of all sites may use the API,
    /// it does not matter what they call it.
    pub fn names(&self, listen: SocketAddr, named: &[String]) -> Hosts {
        let asks = !self.auth_token.is_empty();
        Hosts::of(listen, asks || Cors::new(&self.cors_origins).is_any(), named.iter().chain(&self.cors_origins))
    }

    /// Whose word about the client's address is believed.
    pub(super) fn trusted(&self) -> Result<Vec<IpNet>, NotANetwork> {
        self.trusted_proxies.iter().map(|text| client::network(text)).collect()
    }

    /// Where documents are kept, when there is nothing else said.
    pub(super) fn db_path(&self, data_dir: &Path) -> PathBuf {
        self.db_path.clone().unwrap_or_else(|| data_dir.join(DB_FILE))
    }

    /// Where documents go in a backup.
    pub(super) fn db_place(&self, data_dir: &Path) -> Place {
        Place::new(data_dir, &self.db_path(data_dir), DB_FILE)
    }

    /// Where snapshots go in a backup.
    pub(super) fn snapshot_place(&self, data_dir: &Path) -> Place {
        Place::new(data_dir, &self.snapshot_path(data_dir), SNAPSHOT_FILE)
    }

    /// Time between two purges of documents; zero = none.
    pub(super) fn db_purge_interval(&self) -> Duration {
        Duration::from_millis(self.db_purge_interval)
    }

    /// Bounds of the cache.
    pub(super) fn cache_limits(&self) -> CacheLimits {
        CacheLimits { entries: self.max_entries, bytes: self.max_memory, ttl_ms: self.default_ttl }
    }

    /// Where snapshots are kept, when there is nothing else said.
    pub(super) fn snapshot_path(&self, data_dir: &Path) -> PathBuf {
        self.persist_path.clone().unwrap_or_else(|| data_dir.join(SNAPSHOT_FILE))
    }

    /// What calls of other databases may cost.
    pub(super) fn proxy_limits(&self) -> Limits {
        Limits {
            connect: Duration::from_millis(self.proxy_connect_timeout),
            whole: Duration::from_millis(self.proxy_timeout),
            response_bytes: self.proxy_max_response,
        }
    }

    /// The only hosts that may be called, if there is a list.
    pub(super) fn proxy_allow_list(&self) -> Option<AllowList> {
        AllowList::parse(self.proxy_allow_hosts.iter().map(String::as_str))
    }

    /// The window in which requests of a client are counted.
    pub(super) fn rate_window(&self) -> Duration {
        Duration::from_millis(self.rate_window)
    }
}
