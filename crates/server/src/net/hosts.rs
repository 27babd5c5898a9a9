//! Names that requests to a listener may be for. A page of a stranger's site that gives its own name our address (DNS
//! rebinding) is, to its browser, a page of this server; only the `Host` of its requests still says whose it is.

use std::net::{IpAddr, SocketAddr};

#[cfg(test)]
mod tests;

/// Names that requests to a listener may be for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Any: what is asked for is a secret that no page knows, or nobody can say what the server is called.
    #[default]
    Any,
    /// Those of this machine, and these, in lower case and without a port.
    Local(Vec<String>),
}

impl Hosts {
    /// What holds for a listener on `address` that `asks` for a secret or does not. One on loopback that asks for none takes
    /// whoever runs on this machine for a friend, browsers included: there only names of this machine count and those
    /// `named`, which are host names or origins (`https://console.example.com`). Beyond loopback any name may be meant.
    pub fn of<'a>(address: SocketAddr, asks: bool, named: impl IntoIterator<Item = &'a String>) -> Hosts {
        if asks || !address.ip().to_canonical().is_loopback() {
            return Hosts::Any;
        }
        let name = |named: &String| {
            let authority = named.split_once("://").map_or(named.as_str(), |(_, authority)| authority);
            without_port(authority.trim().trim_end_matches('/')).to_ascii_lowercase()
        };
        Hosts::Local(named.into_iter().map(name).filter(|name| !name.is_empty()).collect())
    }

    /// Whether a request may be for this host; none is what a client of HTTP/1.0 says, which is no browser.
    pub(super) fn admit(&self, host: Option<&str>) -> bool {
        match (self, host) {
            (Hosts::Any, _) | (_, None) => true,
            (Hosts::Local(named), Some(host)) => {
                let name = without_port(host);
                is_local(name) || named.iter().any(|named| named.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// Whether a host always means this machine, whatever a name server says.
pub fn is_local(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let address = bare.parse::<IpAddr>().map(|address| address.to_canonical());
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// `[::1]:9002` and `localhost:9002` without the port.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}
