use super::*;

fn forbidden(public: &PublicOnly, addresses: &[&str]) -> Vec<String> {
    let found = addresses.iter().filter(|text| public.forbids(text.parse().expect("an address")));
    found.map(|text| (*text).to_owned()).collect()
}

fn excepted(networks: &[&str]) -> PublicOnly {
    PublicOnly::new(false, networks.iter().copied()).expect("networks")
}

/// The first and the last of each network that is nobody's own.
const RESERVED: [&str; 34] = [
    "0.0.0.0",
    "0.255.255.255",
    "169.254.0.0",
    "169.254.255.255",
    "192.0.0.0",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "fe80::",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "100::",
    "100::ffff:ffff:ffff:ffff",
    "2001:2::",
    "2001:2:0:ffff:ffff:ffff:ffff:ffff",
    "3fff::",
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    "5f00::",
    "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "169.254.169.254",
];
/// The same of networks that are one's own.
const PRIVATE: [&str; 15] = [
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.0",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "::1",
    "fc00::",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fec0::",
    "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];
/// Their neighbours, and ordinary ones.
const PUBLIC: [&str; 36] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "8.8.8.8",
    "2001:4860:4860::8888",
    "2001:db7::",
    "2001:db9::",
    "fbff::1",
    "fe00::",
    "100:0:0:1::",
    "2001:2:1::",
    "3fff:1000::",
    "5eff::1",
    "5f01::",
    "2600::1",
    "2002:808:808::1",
];
/// Wrapped in every way that routers unwrap: mapped, compatible, translated, NAT64, 6to4, Teredo's server and client.
const WRAPPED_LOOPBACK: [&str; 8] = [
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b:1::127.0.0.1",
    "2002:7f00:1::",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:0:808:808::80ff:fffe",
];
const METADATA_SERVICES: [&str; 5] =
    ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "64:ff9b::100.100.100.200"];

#[test]
fn reserved_and_private_networks_are_forbidden_to_their_ends_and_no_further() {
    let public = PublicOnly::default();
    for addresses in [&RESERVED[..], &PRIVATE, &WRAPPED_LOOPBACK, &METADATA_SERVICES] {
        assert_eq!(forbidden(&public, addresses), addresses);
    }
    assert_eq!(forbidden(&public, &PUBLIC), [""; 0]);
    assert_eq!(forbidden(&public, &["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:0:808:808::f7f7:f7f7"]), [""; 0]);
}

#[test]
fn private_networks_can_be_permitted_without_metadata_services() {
    let public = PublicOnly::new(true, []).expect("no networks");
    for addresses in [&PRIVATE[..], &WRAPPED_LOOPBACK, &PUBLIC] {
        assert_eq!(forbidden(&public, addresses), [""; 0]);
    }
    for addresses in [&RESERVED[..], &METADATA_SERVICES] {
        assert_eq!(forbidden(&public, addresses), addresses);
    }
}

#[test]
fn what_a_network_names_is_permitted_whatever_it_is() {
    let some = excepted(&["10.1.0.0/16", " 169.254.169.254 ", "fd00:ec2::254/128", "64:ff9b::/96"]);
    let permitted =
        ["10.1.2.3", "::ffff:10.1.2.3", "2002:a01:203::", "169.254.169.254", "fd00:ec2::254", "64:ff9b::127.0.0.1"];
    assert_eq!(forbidden(&some, &permitted), [""; 0]);
    let others = ["10.2.0.1", "127.0.0.1", "169.254.169.253", "fd00:ec2::253", "::ffff:10.2.0.1"];
    assert_eq!(forbidden(&some, &others), others);
}

#[test]
fn an_exception_that_is_no_network_is_refused() {
    for text in ["", "example.com", "10.0.0.0/33", "10.0.0", "10.0.0.0/8,11.0.0.0/8"] {
        let error = PublicOnly::new(false, [text]).unwrap_err();
        assert_eq!(error.to_string(), format!("{text:?} is not a network like 10.0.0.0/8"));
    }
}
