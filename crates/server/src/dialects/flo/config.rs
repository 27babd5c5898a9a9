//! The section `[flo]` of the configuration.

use std::{net::SocketAddr, num::NonZero, time::Duration};

use manifold_engine::{queue, stream::StreamRetention};
use serde::{Deserialize, Serialize};

use crate::{
    http::{auth::Secret, browser::Trust},
    net::{Hosts, TlsOptions},
    period::Keep,
};

mod timeseries;

#[cfg(test)]
mod tests;

pub use timeseries::Timeseries;

/// Everything an operator can say about this dialect.
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
    /// Port of the metrics listener of the whole process.
    pub metrics_port: u16,
    /// The metrics listener of the whole process.
    pub metrics: Metrics,
    /// Browsers.
    pub dashboard: Dashboard,
    /// What the views of the cluster say about this node.
    pub server: Server,
    /// What the views of the cluster say about the cluster.
    pub cluster: Cluster,
    /// Who may come in.
    pub auth: Auth,
    /// Queues.
    pub queue: Queue,
    /// Streams.
    pub stream: Stream,
    /// Time series.
    pub timeseries: Timeseries,
    /// Bounds of this listener.
    pub limits: Limits,
}

/// `[flo.metrics]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// Open the metrics listener of the process.
    pub enabled: bool,
    /// Its address; the top-level `host` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// TLS of this listener; what is absent is as in the top-level `tls`.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
}

/// `[flo.dashboard]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dashboard {
    /// Origins whose pages may use the API.
    pub cors_origins: Vec<String>,
    /// Names that requests may be for; empty = any.
    pub hosts: Vec<String>,
}

/// `[flo.server]`: shown, not served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Port of the wire protocol.
    pub port: u16,
    /// Address of the wire protocol.
    pub bind: String,
    /// Shards; 0 = one per processor.
    pub shards: u32,
}

/// `[flo.cluster]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    /// The number of this node.
    pub node_id: u64,
    /// Partitions.
    pub partition_count: u32,
    /// Copies that were asked for; one node has one.
    pub replication_factor: u32,
    /// Other nodes that were asked for; the node runs alone.
    pub seeds: Vec<String>,
}

/// `[flo.auth]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// Refuse requests without a token below `/api/v1`; off beyond loopback: a warning.
    pub enabled: bool,
    /// Accepted tokens.
    pub tokens: Vec<Secret>,
    /// The secret that accepted HS256 tokens are signed with.
    pub jwt_secret: Secret,
}

/// `[flo.queue]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Which numbers go first. Fixed for a data directory: with `lower_first` the opposite of each priority is stored,
    /// which Synap shows of the queues it shares, and Flo when it is started with the other order.
    pub priority_order: PriorityOrder,
    /// Deliveries before a message is a dead letter.
    pub max_attempts: u32,
    /// How long a lease lasts that names no time.
    pub default_visibility_ms: u64,
    /// How long a deduplication key is remembered at least.
    pub dedup_window_seconds: u64,
    /// Dead letters kept; 0 = all.
    pub max_dlq: u64,
}

/// What a priority means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorityOrder {
    /// The higher number goes first.
    HigherFirst,
    /// The lower number goes first.
    LowerFirst,
}

/// `[flo.stream]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stream {
    /// How long records are kept; `0s` = until they are trimmed. Streams that exist follow when they are used; those of
    /// the namespace `default` keep what they were made with.
    pub retention: Keep,
    /// Bytes of records kept; 0 = all. For the same streams.
    pub max_bytes: u64,
}

/// `[flo.limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Connections of the listener.
    pub max_connections: usize,
    /// Requests answered at one time; beyond: 429.
    pub max_inflight: usize,
    /// Longest value or payload.
    pub max_value_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            enabled: true,
            host: None,
            port: 9002,
            tls: TlsOptions::default(),
            metrics_port: 9001,
            metrics: Metrics::default(),
            dashboard: Dashboard::default(),
            server: Server::default(),
            cluster: Cluster::default(),
            auth: Auth::default(),
            queue: Queue::default(),
            stream: Stream::default(),
            timeseries: Timeseries::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { enabled: true, bind: None, tls: TlsOptions::default() }
    }
}

impl Default for Server {
    fn default() -> Self {
        Server { port: 9000, bind: "127.0.0.1".to_owned(), shards: 0 }
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Cluster { node_id: 1, partition_count: 64, replication_factor: 3, seeds: Vec::new() }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Queue {
            priority_order: PriorityOrder::HigherFirst,
            max_attempts: 5,
            default_visibility_ms: 30_000,
            dedup_window_seconds: 300,
            max_dlq: 0,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_connections: 20_000, max_inflight: 4096, max_value_bytes: 16 << 20 }
    }
}

/// Why the dialect does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody could come in.
    #[error("flo: auth.enabled without a token: set tokens or jwt_secret in [flo.auth]")]
    NoToken,
    /// A bound of zero serves nobody.
    #[error("flo: {0} must be at least 1")]
    Zero(&'static str),
    /// Which of the two holds is nothing to guess.
    #[error("flo: timeseries.retentions: {0:?} is for the same points as another rule")]
    RetentionTwice(String),
    /// More than the views of the cluster can list.
    #[error("flo: {0} must be at most {1}")]
    TooMany(&'static str, u32),
}

/// Most shards and partitions: each is an entry of an answer.
const MOST: u32 = 65_536;

impl Config {
    /// Checks what no single value shows, for a listener on `listen`, and tells the operator what deserves a word.
    pub fn validate(&self, listen: SocketAddr) -> Result<(), Refused> {
        if self.auth.enabled && self.auth.jwt_secret.is_empty() && self.auth.tokens.iter().all(Secret::is_empty) {
            return Err(Refused::NoToken);
        }
        let bounds = [
            ("cluster.partition_count", u64::from(self.cluster.partition_count)),
            ("queue.max_attempts", u64::from(self.queue.max_attempts)),
            ("queue.default_visibility_ms", self.queue.default_visibility_ms),
            ("limits.max_connections", self.limits.max_connections as u64),
            ("limits.max_inflight", self.limits.max_inflight as u64),
            ("limits.max_value_bytes", self.limits.max_value_bytes as u64),
        ];
        if let Some((name, _)) = bounds.into_iter().chain(self.timeseries.bounds()).find(|(_, bound)| *bound == 0) {
            return Err(Refused::Zero(name));
        }
        let most = [("cluster.partition_count", self.cluster.partition_count), ("server.shards", self.server.shards)];
        if let Some((name, _)) = most.into_iter().find(|(_, count)| *count > MOST) {
            return Err(Refused::TooMany(name, MOST));
        }
        self.timeseries.validate()?;
        if !self.auth.enabled && !listen.ip().to_canonical().is_loopback() {
            tracing::warn!(%listen, "flo listens without auth on an address that is not loopback: anybody may write");
        }
        if !self.cluster.seeds.is_empty() {
            tracing::warn!("flo: cluster.seeds has no effect: the node runs alone");
        }
        Ok(())
    }

    /// Names that requests to a listener on `listen` may be for, `named` among them. Where `dashboard.hosts` lists them, that is
    /// checked with the other rules of the dialect.
    pub fn names(&self, listen: SocketAddr, named: &[String]) -> Hosts {
        let Dashboard { cors_origins, hosts } = &self.dashboard;
        Hosts::of(listen, self.auth.enabled || !hosts.is_empty(), named.iter().chain(cors_origins))
    }

    /// Shards that the views of the cluster show.
    pub fn shards(&self) -> u32 {
        match self.server.shards {
            0 => std::thread::available_parallelism().map_or(1, NonZero::get) as u32,
            shards => shards,
        }
    }

    /// Whom browsers may come from, and under which name.
    pub(super) fn trust(&self) -> Trust {
        Trust { origins: self.dashboard.cors_origins.clone(), hosts: self.dashboard.hosts.clone() }
    }

    /// The settings of the queues that this dialect creates.
    pub(super) fn queues(&self) -> queue::Settings {
        let Queue { priority_order: _, max_attempts, default_visibility_ms, dedup_window_seconds, max_dlq } =
            self.queue;
        queue::Settings {
            max_attempts,
            max_dead: (max_dlq > 0).then_some(max_dlq),
            dedup_window: Duration::from_secs(dedup_window_seconds),
            lease: Duration::from_millis(default_visibility_ms),
            ..queue::Settings::default()
        }
    }

    /// The retention of the streams of this dialect.
    pub(super) fn streams(&self) -> StreamRetention {
        let Stream { retention: Keep(age), max_bytes } = self.stream;
        StreamRetention { age, records: None, bytes: (max_bytes > 0).then_some(max_bytes) }
    }
}

impl PriorityOrder {
    /// The number that stands for a priority: the engine delivers the higher one first.
    pub(super) fn stored(self, priority: i64) -> i64 {
        match self {
            PriorityOrder::HigherFirst => priority,
            PriorityOrder::LowerFirst => priority.saturating_neg(),
        }
    }

    /// The priority that a number stands for. The lowest one has an opposite that is none: what comes to that was stored
    /// in the other order, and is shown as it was sent. No dialect stores more; of what an import brings beyond, the
    /// nearest priority is shown.
    pub(super) fn shown(self, stored: i64) -> i32 {
        let priority = self.stored(stored);
        let sent = i32::try_from(priority).or_else(|_| i32::try_from(priority.saturating_neg()));
        sent.unwrap_or(if priority < 0 { i32::MIN } else { i32::MAX })
    }
}
