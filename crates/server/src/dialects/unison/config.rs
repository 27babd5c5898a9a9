//! The section `[unison]` of the configuration.

use std::{net::SocketAddr, time::Duration};

use manifold_engine::Retention;
use serde::{Deserialize, Serialize};

pub use crate::period::Period;
use crate::{
    http::auth::Secret,
    net::{Hosts, TlsOptions},
};

/// The key that a loopback listener without one accepts.
const DEVELOPMENT_KEY: &str = "dev";

/// Everything an operator can say about this dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
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
    /// The key that reads and writes. Without it a listener on loopback accepts `dev`, and any other is refused.
    pub api_key: Secret,
    /// The key that reads.
    pub agent_api_key: Secret,
    /// Longest request body and WebSocket message.
    pub max_body_bytes: usize,
    /// Connections of the listener.
    pub max_connections: usize,
    /// Retention of the change feed by age (`d`, `h`, `m`, `s`, `ms`).
    pub changes_max_age: Period,
    /// Retention of the change feed by number of records.
    pub changes_max_records: u64,
    /// Retention of the change feed by size.
    pub changes_max_bytes: u64,
    /// Remembered versions of removed keys beyond the feed's retention.
    pub tombstones_max: u64,
    /// How long the answer to an idempotency key is kept. Part of the contract's section; no request uses it yet.
    pub idempotency_ttl: Period,
    /// How many such answers are kept at most.
    pub idempotency_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        let Retention { age, records, bytes } = Retention::default();
        Config {
            enabled: true,
            host: None,
            port: 8005,
            tls: TlsOptions::default(),
            api_key: Secret::default(),
            agent_api_key: Secret::default(),
            max_body_bytes: 16 << 20,
            max_connections: 20_000,
            changes_max_age: Period(age),
            changes_max_records: records,
            changes_max_bytes: bytes,
            tombstones_max: 10_000_000,
            idempotency_ttl: Period(Duration::from_secs(24 * 3600)),
            idempotency_max: 1_000_000,
        }
    }
}

/// Why the dialect does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Anybody on the network could write.
    #[error(
        "unison listens on {0}, which is not a loopback address, without a key: set UNISON_API_KEY \
         (or api_key in [unison])"
    )]
    NoKey(SocketAddr),
    /// The agent key would write.
    #[error("unison: api_key and agent_api_key are equal: UNISON_API_KEY and UNISON_AGENT_API_KEY must differ")]
    EqualKeys,
    /// Nobody could ever show this key: white space around it is lost on the way.
    #[error("unison: {0} begins or ends with white space, which no request can show")]
    Padded(&'static str),
    /// A bound of zero serves nobody.
    #[error("unison: {0} must be at least 1")]
    Zero(&'static str),
}

impl Config {
    /// Checks what no single value shows, for a listener on `listen`. Without a key a loopback listener gets `dev`.
    pub fn validate(&mut self, listen: SocketAddr) -> Result<(), Refused> {
        for (name, key) in [("api_key", &self.api_key), ("agent_api_key", &self.agent_api_key)] {
            if key.expose().trim_ascii() != key.expose() {
                return Err(Refused::Padded(name));
            }
        }
        if self.api_key.is_empty() {
            if !listen.ip().to_canonical().is_loopback() {
                return Err(Refused::NoKey(listen));
            }
            tracing::info!(%listen, key = DEVELOPMENT_KEY, "unison has no api_key: it accepts the development key");
            self.api_key = Secret::from(DEVELOPMENT_KEY);
        }
        if self.is_open_to_all() && !listen.ip().to_canonical().is_loopback() {
            tracing::warn!(%listen, "unison: everybody knows the key that api_key is");
        }
        if self.api_key == self.agent_api_key {
            return Err(Refused::EqualKeys);
        }
        let bounds = [
            ("max_body_bytes", self.max_body_bytes as u64),
            ("max_connections", self.max_connections as u64),
            ("changes_max_records", self.changes_max_records),
            ("changes_max_bytes", self.changes_max_bytes),
        ];
        bounds.into_iter().find(|(_, bound)| *bound == 0).map_or(Ok(()), |(name, _)| Err(Refused::Zero(name)))
    }

    /// Whether the key is the one that everybody knows.
    pub(super) fn is_open_to_all(&self) -> bool {
        self.api_key == Secret::from(DEVELOPMENT_KEY)
    }

    /// Names that requests to a listener on `listen` may be for, `named` among them.
    pub fn names(&self, listen: SocketAddr, named: &[String]) -> Hosts {
        Hosts::of(listen, !self.is_open_to_all(), named)
    }

    /// The feed's retention.
    pub fn retention(&self) -> Retention {
        Retention { age: self.changes_max_age.0, records: self.changes_max_records, bytes: self.changes_max_bytes }
    }
}

#[cfg(test)]
mod tests;
