//! The addresses of the public internet, for calls to whatever a host's name says: everything that is reserved is
//! forbidden (the registries of RFC 6890), and exceptions are said.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::guard::{METADATA, wrapped};

#[cfg(test)]
mod tests;

/// Networks that are not public.
const FORBIDDEN_V4: [Ipv4Net; 14] = [
    v4(0, 0, 0, 0, 8),
    PRIVATE_V4[0],
    PRIVATE_V4[1],
    PRIVATE_V4[2],
    v4(169, 254, 0, 0, 16),
    PRIVATE_V4[3],
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    PRIVATE_V4[4],
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];
/// Those of them that belong to one's own machine or organisation: RFC 1918, RFC 6598 and loopback.
const PRIVATE_V4: [Ipv4Net; 5] =
    [v4(10, 0, 0, 0, 8), v4(100, 64, 0, 0, 10), v4(127, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16)];
/// Networks that are not public.
const FORBIDDEN_V6: [Ipv6Net; 11] = [
    v6([0; 8], 128),
    PRIVATE_V6[0],
    PRIVATE_V6[1],
    PRIVATE_V6[2],
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    // Discarded (RFC 6666), of benchmarks (RFC 5180), of documents (RFC 9637), of segment routing (RFC 9602).
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
];
/// Those of them that belong to one's own machine or organisation.
const PRIVATE_V6: [Ipv6Net; 3] = [
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    // What came before those (RFC 3879).
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]), bits)
}

/// An exception that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network like 10.0.0.0/8")]
pub struct BadNetwork(String);

/// The public addresses, and exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicOnly {
    private_too: bool,
    permitted: Vec<IpNet>,
}

impl PublicOnly {
    /// Public addresses; those of one's own machine and organisation if `private_too`, though no metadata service; and
    /// those of the networks, whatever they are.
    pub fn new<'a>(private_too: bool, networks: impl IntoIterator<Item = &'a str>) -> Result<PublicOnly, BadNetwork> {
        let network = |text: &str| -> Result<IpNet, BadNetwork> {
            let text = text.trim();
            let single = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| single()).map_err(|_| BadNetwork(text.to_owned()))
        };
        let permitted = networks.into_iter().map(network).collect::<Result<_, _>>()?;
        Ok(PublicOnly { private_too, permitted })
    }

    /// Whether nothing there may be connected to.
    pub fn forbids(&self, address: IpAddr) -> bool {
        if self.permitted.iter().any(|network| network.contains(&address)) {
            return false;
        }
        match address {
            IpAddr::V4(v4) => self.forbids_v4(v4),
            IpAddr::V6(v6) => match wrapped(v6).as_slice() {
                [] => self.forbids_v6(v6),
                // In documentation's and other reserved networks too: what is wrapped there says nothing good.
                inner => self.forbids_v6(v6) || inner.iter().any(|v4| self.forbids(IpAddr::V4(*v4))),
            },
        }
    }

    fn forbids_v4(&self, v4: Ipv4Addr) -> bool {
        let is_private = PRIVATE_V4.iter().any(|network| network.contains(&v4));
        METADATA.contains(&IpAddr::V4(v4))
            || FORBIDDEN_V4.iter().any(|network| network.contains(&v4)) && !(self.private_too && is_private)
    }

    fn forbids_v6(&self, v6: Ipv6Addr) -> bool {
        let is_private = PRIVATE_V6.iter().any(|network| network.contains(&v6));
        METADATA.contains(&IpAddr::V6(v6))
            || FORBIDDEN_V6.iter().any(|network| network.contains(&v6)) && !(self.private_too && is_private)
    }
}
