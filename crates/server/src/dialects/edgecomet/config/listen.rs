//! Where listeners are, in the forms of the original.

use super::Config;

/// Where a listener is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// An address or a name; none = where listeners are that say nothing.
    pub host: Option<String>,
    /// 0 = any that is free.
    pub port: u16,
}

/// Every interface, of both protocols.
const ALL_INTERFACES: &str = "::";

/// Why a text is no place for a listener; to be said after its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadListen {
    /// The port is no number, or none that a listener can have.
    #[error("port must be between 1 and 65535")]
    Port,
    /// Neither of the forms.
    #[error("{0:?} is not :port, host:port or port")]
    Form(String),
}

impl Listen {
    /// `:port` and `port` are on all interfaces, `host:port` and `[v6]:port` on one.
    pub(super) fn parse(text: &str) -> Result<Listen, BadListen> {
        let bad = || BadListen::Form(text.to_owned());
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let host = match host.strip_prefix('[') {
            Some(v6) => v6.strip_suffix(']').ok_or_else(bad)?,
            None if host.contains(':') => return Err(bad()),
            None => host,
        };
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits && !text.contains(':') {
            return Err(bad());
        }
        let port = Some(port).filter(|_| digits).and_then(|port| port.parse().ok()).filter(|port| *port > 0);
        let host = if host.is_empty() { ALL_INTERFACES } else { host };
        Ok(Listen { host: Some(host.to_owned()), port: port.ok_or(BadListen::Port)? })
    }
}

impl Config {
    /// Where requests come in; none = nowhere. For a configuration that was checked.
    pub fn listener(&self) -> Option<Listen> {
        if !self.enabled || !self.http_api.enabled {
            return None;
        }
        let otherwise = || Listen { host: self.host.clone(), port: self.port };
        Some(said(self.http_api.listen.as_deref()).unwrap_or_else(otherwise))
    }

    /// Where the dialect's own metrics are; none = nowhere. For a configuration that was checked.
    pub fn metrics_listener(&self) -> Option<Listen> {
        let on = self.enabled && self.metrics.enabled;
        said(Some(&self.metrics.listen)).filter(|_| on)
    }
}

fn said(listen: Option<&str>) -> Option<Listen> {
    listen.filter(|text| !text.is_empty()).and_then(|text| Listen::parse(text).ok())
}
