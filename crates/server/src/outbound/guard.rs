//! Which addresses may be connected to. A name is looked up here and only here, and whoever connects takes exactly the
//! addresses that come back: a second look-up could give another answer than the one that was checked.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use ipnet::IpNet;
use tokio::sync::Semaphore;

use super::PublicOnly;

/// Look-ups that run at the same time. Each holds a thread until the system's resolver gives up, however soon its caller
/// did.
const MAX_LOOKUPS: usize = 16;

/// Services that hand credentials of the machine to whoever asks, outside the link-local range. They come from the
/// documents of AWS, Alibaba, Google, Azure and Oracle.
pub(super) const METADATA: [IpAddr; 5] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// Why a host is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// None of its addresses may be reached.
    #[error("the address is not allowed")]
    NotAllowed,
    /// This one of its addresses may not be reached, where all of them must be public.
    #[error("address not allowed: {0}")]
    NotPublic(IpAddr),
    /// It has no address.
    #[error("host not found")]
    Unresolved,
}

/// Decides where a connection may go. Clones share one line of look-ups.
#[derive(Debug, Clone)]
pub struct Guard {
    rule: Rule,
    lookups: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
enum Rule {
    /// What is forbidden to everybody is left out and, where there is a list, what is not on it.
    Listed(Option<Arc<AllowList>>),
    /// One forbidden address is enough to refuse the host.
    Public(Arc<PublicOnly>),
}

impl Guard {
    /// Lets pass what is not forbidden to everybody and, where there is a list, is on it.
    pub fn new(allowed: Option<AllowList>) -> Guard {
        Guard::with(Rule::Listed(allowed.map(Arc::new)))
    }

    /// Lets hosts pass of which every address is public, or excepted.
    pub fn public_only(public: PublicOnly) -> Guard {
        Guard::with(Rule::Public(Arc::new(public)))
    }

    fn with(rule: Rule) -> Guard {
        Guard { rule, lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }

    /// The addresses of a host that may be connected to, at least one. A literal address, with or without brackets, is
    /// checked like the answer of a look-up. Ends when the look-up does; whoever waits sets the limit.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Denied> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let found = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.look_up(bare, port).await?,
        };
        match &self.rule {
            Rule::Listed(allowed) => passing(bare, found, allowed.as_deref()),
            Rule::Public(public) => match found.iter().map(SocketAddr::ip).find(|found| public.forbids(*found)) {
                Some(forbidden) => Err(Denied::NotPublic(forbidden)),
                None => Ok(found),
            },
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Denied> {
        if self.is_hopeless(host) {
            // No answer could make this pass, so nobody is asked, who might be watching what is asked for.
            return Err(Denied::NotAllowed);
        }
        let place = Arc::clone(&self.lookups).acquire_owned().await.expect("is never closed");
        let host = host.to_owned();
        let looking = tokio::task::spawn_blocking(move || {
            let _held_by_the_thread = place;
            (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>)
        });
        match looking.await {
            Ok(Ok(found)) if !found.is_empty() => Ok(found),
            _ => Err(Denied::Unresolved),
        }
    }

    fn is_hopeless(&self, host: &str) -> bool {
        match &self.rule {
            Rule::Listed(Some(list)) => list.networks.is_empty() && !list.has_name(host),
            Rule::Listed(None) | Rule::Public(_) => false,
        }
    }
}

fn passing(host: &str, mut found: Vec<SocketAddr>, allowed: Option<&AllowList>) -> Result<Vec<SocketAddr>, Denied> {
    let is_listed = |address| allowed.is_none_or(|list| list.has(host, address));
    found.retain(|found| !is_forbidden(found.ip()) && is_listed(found.ip()));
    if found.is_empty() { Err(Denied::NotAllowed) } else { Ok(found) }
}

/// The only hosts that may be reached.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    /// In lower case, without a final dot.
    names: Vec<String>,
    networks: Vec<IpNet>,
}

impl AllowList {
    /// Reads host names, addresses and CIDRs; none if there is not one of them.
    pub fn parse<'a>(items: impl IntoIterator<Item = &'a str>) -> Option<AllowList> {
        let mut allowed = AllowList::default();
        for item in items.into_iter().map(str::trim).filter(|item| !item.is_empty()) {
            let bare = item.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(item);
            match (bare.parse::<IpNet>(), bare.parse::<IpAddr>()) {
                (Ok(network), _) => allowed.networks.push(network),
                (_, Ok(address)) => allowed.networks.push(IpNet::from(address.to_canonical())),
                _ => allowed.names.push(normal_name(item)),
            }
        }
        (allowed != AllowList::default()).then_some(allowed)
    }

    fn has(&self, host: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address)) || self.has_name(host)
    }

    fn has_name(&self, host: &str) -> bool {
        let host = normal_name(host);
        self.names.contains(&host)
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.networks.iter().map(IpNet::to_string);
        let items: Vec<String> = self.names.iter().cloned().chain(networks).collect();
        f.write_str(&items.join(", "))
    }
}

fn normal_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether nobody may connect to it, whatever is allowed: neighbours on the link, metadata services, "this network" and
/// groups; also when an IPv6 address only wraps such an IPv4 address for somebody on the way to unwrap.
fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_forbidden_v4(v4),
        IpAddr::V6(v6) => is_forbidden_v6(v6) || wrapped(v6).into_iter().any(is_forbidden_v4),
    }
}

fn is_forbidden_v4(v4: Ipv4Addr) -> bool {
    v4.is_link_local() || v4.octets()[0] == 0 || v4.is_multicast() || METADATA.contains(&IpAddr::V4(v4))
}

fn is_forbidden_v6(v6: Ipv6Addr) -> bool {
    v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || METADATA.contains(&IpAddr::V6(v6))
}

/// The IPv4 addresses that an IPv6 address can stand for.
pub(super) fn wrapped(v6: Ipv6Addr) -> Vec<Ipv4Addr> {
    let segments = v6.segments();
    let pair = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let last = pair(segments[6], segments[7]);
    match segments {
        // Loopback has the form of a wrapped address and is none.
        [0, 0, 0, 0, 0, 0, 0, 1] => Vec::new(),
        // Mapped (RFC 4291, also the old compatible form) and translated (RFC 7915).
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => vec![last],
        // NAT64: the well-known prefix (RFC 6052) and the local one (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => vec![last],
        [0x64, 0xff9b, 1, ..] => translated(v6.octets()),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => vec![pair(high, low)],
        // Teredo (RFC 4380): the server, and the client behind its bits turned round.
        [0x2001, 0, high, low, ..] => vec![pair(high, low), pair(!segments[6], !segments[7])],
        // ISATAP (RFC 5214).
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => vec![last],
        _ => Vec::new(),
    }
}

/// The IPv4 addresses that one behind the local prefix of NAT64 can stand for, whose networks may have 48, 56, 64 or 96
/// bits. Byte 8 belongs to none of them (RFC 6052).
fn translated(octets: [u8; 16]) -> Vec<Ipv4Addr> {
    let [.., b6, b7, _, b9, b10, b11, b12, b13, b14, b15] = octets;
    let last = Ipv4Addr::new(b12, b13, b14, b15);
    let [after_48, after_56, after_64] =
        [[b6, b7, b9, b10], [b7, b9, b10, b11], [b9, b10, b11, b12]].map(Ipv4Addr::from);
    // A length that is not meant finds zeros, which are no address as long as another finds one.
    let mut found = vec![after_48, after_56, after_64, last];
    found.retain(|v4| v4.octets()[0] != 0);
    if found.is_empty() { vec![last] } else { found }
}

#[cfg(test)]
mod tests;
