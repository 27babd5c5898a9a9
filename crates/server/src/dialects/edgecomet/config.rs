//! The section `[edgecomet]` of the configuration, with the key tree of the original's daemon file.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::hosts::Hosts;
use crate::{
    http::auth::Secret,
    net::{self, TlsOptions},
};

pub(super) mod check;
mod defaults;
mod host;
mod lenient;
mod level;
mod listen;
mod logging;
mod span;
#[cfg(test)]
mod tests;

use lenient::{at_least_zero, secret, some_text, text};
pub use listen::Listen;
pub use logging::{ConsoleFormat, FileFormat, Logging};

pub use host::{DimensionConfig, HostConfig, RuleConfig, Texts};
pub use level::{BothitRecache, Bypass, Expired, Headers, Level, Render, TrackingParams};
pub use span::Span;

/// The key that a loopback listener without one accepts.
const DEVELOPMENT_KEY: &str = "dev";

/// Everything an operator can say about this dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Open this listener.
    pub enabled: bool,
    /// The listener's address; the top-level `host` when absent. `http_api.listen` wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The listener's port. `http_api.listen` wins.
    pub port: u16,
    /// TLS of this listener; what is absent is as in the top-level `tls`.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
    /// What this process is called in its home; `manifold-{hostname}` when empty.
    #[serde(deserialize_with = "text")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub daemon_id: String,
    /// The key of every request. Without it a listener on loopback accepts `dev`, and any other is refused.
    #[serde(deserialize_with = "secret")]
    pub internal_auth_key: Secret,
    /// Configuration file of the original daemon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_file: Option<PathBuf>,
    /// Configuration file of the original gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eg_config: Option<PathBuf>,
    /// The hosts, inline.
    pub hosts: Vec<HostConfig>,
    /// Hosts that files have: a file, a pattern of files, or a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts_include: Option<PathBuf>,
    /// What those files have.
    #[serde(skip)]
    pub included_hosts: Vec<HostConfig>,
    /// Dimensions of hosts that have none of their own, by name.
    pub dimensions: BTreeMap<String, DimensionConfig>,
    /// Rendered pages, of all hosts.
    pub render: Render,
    /// Pages that are passed through, of all hosts.
    pub bypass: Bypass,
    /// Parameters that do not make a page, of all hosts.
    pub tracking_params: TrackingParams,
    /// Visits that keep pages fresh, of all hosts.
    pub bothit_recache: BothitRecache,
    /// What is kept of origins' headers, of all hosts.
    pub headers: Headers,
    /// Redis or Valkey as the home of queues, records and leases.
    pub redis: Redis,
    /// When entries are taken from queues.
    pub scheduler: Scheduler,
    /// What was taken and waits for a target.
    pub internal_queue: InternalQueue,
    /// Rules of recaching.
    pub recache: Recache,
    /// The listener.
    pub http_api: HttpApi,
    /// Addresses of gateways, `host:port`, where none registers itself.
    pub gateways: Vec<String>,
    /// The built-in worker.
    pub worker: Worker,
    /// Files of stored pages.
    pub storage: Storage,
    /// How long running jobs are waited for at the end.
    pub shutdown_grace: Span,
    /// The dialect's own metrics listener.
    pub metrics: Metrics,
    /// Log lines of the process, as the original's file says them; `[log]` goes before it.
    pub logging: Logging,
    /// What only the original's gateway file says.
    #[serde(skip)]
    pub gateway_file: GatewayFile,
}

/// What the file of the original's gateway says that has no key here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayFile {
    /// Where that gateway listens for jobs (`internal.listen`), unless it shares its cache with others.
    pub listen: Option<String>,
    /// What it is called (`eg_id`).
    pub eg_id: Option<String>,
}

/// `[edgecomet.redis]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redis {
    /// `host:port`; absent = the engine of this process is the home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr: Option<String>,
    /// May be empty.
    #[serde(deserialize_with = "secret")]
    pub password: Secret,
    /// Number of the database.
    pub db: i64,
}

/// `[edgecomet.scheduler]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scheduler {
    /// Time between ticks.
    pub tick_interval: Span,
    /// Time between looks at the normal and autorecache queues; 0 = every tick.
    pub normal_check_interval: Span,
}

/// `[edgecomet.internal_queue]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InternalQueue {
    /// Entries that wait or are in flight.
    #[serde(deserialize_with = "at_least_zero")]
    pub max_size: usize,
    /// Attempts in all.
    #[serde(deserialize_with = "at_least_zero")]
    pub max_retries: u32,
    /// Wait before the second attempt; doubled each time. 0 = 5s.
    pub retry_base_delay: Span,
}

/// `[edgecomet.recache]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recache {
    /// Share of the capacity that is left to visitors.
    pub rs_capacity_reserved: f64,
    /// Longest time of one job.
    pub timeout_per_url: Span,
    /// Strip tracking parameters before an entry is queued.
    pub strip_tracking_params: bool,
    /// Entries of one queue; 0 = no limit. Absent: 1,000,000 in the embedded home, no limit in Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_entries_per_queue: Option<u64>,
    /// Dead letters kept per host.
    pub max_dead_letters: u64,
    /// A render service that was silent for longer is not counted.
    pub rs_stale_after: Span,
    /// Jobs that a configured gateway takes at a time.
    pub gateway_concurrency: u64,
}

/// `[edgecomet.http_api]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpApi {
    /// Open the listener.
    pub enabled: bool,
    /// `:port`, `host:port` or `port`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some_text")]
    pub listen: Option<String>,
    /// Longest time for a request to arrive.
    pub request_timeout: Span,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// Whether the scheduler may be paused by request.
    pub scheduler_control_api: bool,
    /// How answers tell success.
    pub response_format: ResponseFormat,
}

/// How answers tell success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseFormat {
    /// `"status":"ok"`.
    #[default]
    Documented,
    /// `"success":true`.
    Legacy,
    /// Both.
    Both,
}

/// `[edgecomet.worker]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// Whether pages are fetched by this process: `true`, `false`, or `auto`, in the embedded home when no gateway is
    /// configured.
    pub enabled: Switch,
    /// How pages are made.
    pub mode: WorkerMode,
    /// The same as mode `chrome`.
    pub render: bool,
    /// Jobs at a time.
    pub concurrency: usize,
    /// Jobs of one host at a time; 0 = as many as in all.
    pub host_concurrency: usize,
    /// Longest time of one job.
    pub timeout: Span,
    /// Longest time until a connection stands.
    pub connect_timeout: Span,
    /// Longest decoded body.
    pub max_body: u64,
    /// Permit loopback and private networks.
    pub allow_private: bool,
    /// Networks that are permitted in any case.
    pub allow_networks: Vec<String>,
    /// Redirects followed within a host; at most 5.
    pub max_redirects: u32,
    /// Replace records of pages that were rendered elsewhere.
    pub replace_rendered: bool,
    /// The browser's program; found in the usual places when empty.
    pub chromium: String,
}

/// On, off, or on where it is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switch {
    /// `auto`: on in the embedded home when no gateway is configured.
    #[default]
    Auto,
    /// `true`.
    On,
    /// `false`.
    Off,
}

/// How the worker makes pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerMode {
    /// One GET.
    #[default]
    Fetch,
    /// A headless browser.
    Chrome,
}

/// `[edgecomet.storage]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// The directory of pages; `<data dir>/edgecomet/cache` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_path: Option<PathBuf>,
    /// How bodies from 1 KiB on are compressed.
    pub compression: Compression,
    /// Time from an invalidation to the removal of its file.
    pub cleanup_delay: Span,
    /// The sweeper.
    pub cleanup: Cleanup,
}

/// `[edgecomet.storage.cleanup]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cleanup {
    /// Absent: on in the embedded home with the worker, otherwise off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Time between sweeps.
    pub interval: Span,
    /// How long files outlive their records.
    pub safety_margin: Span,
}

/// How bodies are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy's raw block.
    #[default]
    Snappy,
    /// LZ4's frame.
    Lz4,
}

/// `[edgecomet.metrics]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// Open the listener.
    pub enabled: bool,
    /// `:port`, `host:port` or `port`.
    #[serde(deserialize_with = "text")]
    pub listen: String,
    /// Where the numbers are.
    pub path: String,
    /// What names begin with.
    pub namespace: String,
    /// TLS of this listener; what is absent is as in the top-level `tls`.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
}

/// Why the dialect does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Anybody on the network could recache and invalidate.
    #[error(
        "edgecomet listens on {0}, which is not a loopback address, without a key: set MANIFOLD_EDGECOMET_INTERNAL_AUTH_KEY \
         (or internal_auth_key in [edgecomet])"
    )]
    NoKey(SocketAddr),
    /// A key has a value that cannot be.
    #[error("{0}")]
    Value(String),
}

impl Config {
    /// Fills in what depends on the process and the listener's address; none = there is no listener.
    pub fn validate(&mut self, address: Option<SocketAddr>) -> Result<(), Refused> {
        if self.internal_auth_key.is_empty() {
            match address {
                Some(address) if !address.ip().to_canonical().is_loopback() => return Err(Refused::NoKey(address)),
                Some(_) => {
                    tracing::info!("edgecomet: no internal_auth_key is set, so the key is \"{DEVELOPMENT_KEY}\"")
                }
                None => {}
            }
            self.internal_auth_key = Secret::from(DEVELOPMENT_KEY);
        }
        if self.daemon_id.is_empty() {
            let name = rustix::system::uname();
            self.daemon_id = format!("manifold-{}", name.nodename().to_string_lossy());
        }
        Ok(())
    }

    /// Names that requests to a listener on `listen` may be for, `named` among them.
    pub fn names(&self, listen: SocketAddr, named: &[String]) -> net::Hosts {
        net::Hosts::of(listen, self.internal_auth_key != Secret::from(DEVELOPMENT_KEY), named)
    }

    /// Whether its hosts can be, and how many there are.
    pub fn check_hosts(&self) -> Result<usize, Refused> {
        Hosts::build(self).map(|hosts| hosts.iter().count()).map_err(|bad| Refused::Value(bad.to_string()))
    }

    /// All hosts, inline ones first.
    pub fn all_hosts(&self) -> impl Iterator<Item = &HostConfig> {
        self.hosts.iter().chain(&self.included_hosts)
    }

    /// What holds for pages of all hosts.
    pub fn level(&self) -> Level<'_> {
        let Config { render, bypass, tracking_params, bothit_recache, headers, .. } = self;
        Level { render, bypass, tracking_params, bothit_recache, headers }
    }

    /// Whether the engine of this process is the home.
    pub fn is_embedded(&self) -> bool {
        self.redis.addr.as_deref().is_none_or(str::is_empty)
    }

    /// Whether pages are fetched by this process.
    pub fn has_worker(&self) -> bool {
        match self.worker.enabled {
            Switch::Auto => self.is_embedded() && self.gateways.is_empty(),
            Switch::On => true,
            Switch::Off => false,
        }
    }

    /// Whether files of pages are those of this process. Otherwise gateways own them.
    pub fn owns_pages(&self) -> bool {
        self.is_embedded() && self.has_worker()
    }

    /// Most entries of one queue; 0 = no limit.
    pub fn max_entries_per_queue(&self) -> u64 {
        let most = if self.is_embedded() { 1_000_000 } else { 0 };
        self.recache.max_entries_per_queue.unwrap_or(most)
    }

    /// Wait before the second attempt.
    pub fn retry_base_delay(&self) -> Duration {
        let base = self.internal_queue.retry_base_delay.0;
        if base.is_zero() { Duration::from_secs(5) } else { base }
    }
}
