//! `[unison]`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::http::auth::Secret;

/// The section, with the defaults of the contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Open this listener.
    pub enabled: bool,
    /// Address; none = the top-level `host`.
    pub host: Option<String>,
    /// Port.
    pub port: u16,
    /// Full key.
    pub api_key: Secret,
    /// Read-only key.
    pub agent_api_key: Secret,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// Most connections.
    pub max_connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            enabled: true,
            host: None,
            port: 8005,
            api_key: Secret::default(),
            agent_api_key: Secret::default(),
            max_body_bytes: 16 << 20,
            max_connections: 20_000,
        }
    }
}

impl Config {
    /// Checks the keys against the address.
    pub fn validate(&self, _listen: SocketAddr) -> Result<(), String> {
        Ok(())
    }
}
