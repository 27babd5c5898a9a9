//! Which address a request comes from, behind proxies that are trusted to say so.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

#[cfg(test)]
mod tests;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A text that should be an address or a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no range of them")]
pub struct NotANetwork(String);

/// An address, or a range such as `10.0.0.0/8`.
pub(super) fn network(text: &str) -> Result<IpNet, NotANetwork> {
    let text = text.trim();
    let single = || text.parse::<IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
    text.parse().ok().or_else(single).ok_or_else(|| NotANetwork(text.to_owned()))
}

/// The client of a request that came from `peer`: the peer itself, unless it is trusted; then the nearest address
/// before it that is not.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !headers.contains_key(FORWARDED_FOR) || !is_trusted(&peer) {
        return peer;
    }
    // A line that is no ASCII still stands before the older ones, which anybody may have written.
    let lines = headers.get_all(FORWARDED_FOR).iter().rev().map(|line| line.to_str().unwrap_or_default());
    let mut hops = lines.flat_map(|line| line.rsplit(',')).map(hop);
    // A hop that is no address is the word of somebody who is not trusted.
    hops.find(|hop| !hop.as_ref().is_some_and(is_trusted)).flatten().unwrap_or(peer)
}

/// An address, perhaps with a port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    Some(bare.ok()?.to_canonical())
}
