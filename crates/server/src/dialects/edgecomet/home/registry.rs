//! Who says of itself that it is there, in a home that is shared.

use std::time::Duration;

use manifold_engine::Timestamp;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// Render services and gateways that are healthy, and daemons that are alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Registry {
    pub(in super::super) render_services: Vec<RenderService>,
    /// By id.
    pub(in super::super) gateways: Vec<RegisteredGateway>,
    /// Processes that share the home, this one included.
    pub(in super::super) daemons: u64,
}

/// Renders pages for gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct RenderService {
    pub(in super::super) capacity: u64,
    pub(in super::super) load: u64,
}

/// Takes jobs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct RegisteredGateway {
    pub(in super::super) eg_id: String,
    /// `host:port`.
    pub(in super::super) address: String,
}

impl Registry {
    /// That of a home that is not shared.
    pub(in super::super) fn alone() -> Self {
        Registry { render_services: Vec::new(), gateways: Vec::new(), daemons: 1 }
    }
}

impl RenderService {
    /// A render service by what it says of itself, unless it fell silent `stale_after` ago. A clock that runs ahead of
    /// ours is no fault.
    pub(super) fn healthy(json: &[u8], now: Timestamp, stale_after: Duration) -> Option<Self> {
        let said: Value = serde_json::from_slice(json).ok()?;
        let seen: jiff::Timestamp = said.get("last_seen")?.as_str()?.parse().ok()?;
        let silent_ms = i128::from(now.0) - i128::from(seen.as_millisecond());
        let stale_ms = i128::try_from(stale_after.as_millis()).unwrap_or(i128::MAX);
        (silent_ms < stale_ms).then(|| RenderService { capacity: tabs(&said, "capacity"), load: tabs(&said, "load") })
    }
}

impl RegisteredGateway {
    /// A gateway by what it says of itself, if it shares its cache; `id` is what its key says.
    pub(super) fn healthy(json: &[u8], id: &str) -> Option<Self> {
        let said: Value = serde_json::from_slice(json).ok()?;
        if said.get("sharding_enabled")? != &Value::Bool(true) {
            return None;
        }
        let eg_id = said.get("eg_id").and_then(Value::as_str).filter(|id| !id.is_empty()).unwrap_or(id);
        let address = reachable(said.get("address")?.as_str()?)?;
        Some(RegisteredGateway { eg_id: eg_id.to_owned(), address })
    }
}

/// A number of tabs; what is none is 0.
fn tabs(said: &Value, name: &str) -> u64 {
    let number = said.get(name);
    number.and_then(Value::as_u64).or_else(|| Some(number?.as_f64()? as u64)).unwrap_or(0)
}

/// Where a gateway is asked that says where it listens: on all interfaces means on this machine too.
pub(in super::super) fn reachable(address: &str) -> Option<String> {
    let (host, port) = address.trim().rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let host = if matches!(host, "" | "0.0.0.0" | "[::]") { "127.0.0.1" } else { host };
    Some(format!("{host}:{port}"))
}
