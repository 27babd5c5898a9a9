use hyper::header::HeaderValue;

use super::*;

#[test]
fn the_nearest_address_that_is_not_trusted_counts() {
    let trusted = ["127.0.0.0/8", "::1", "10.0.0.0/8"].map(|text| network(text).unwrap());
    for (peer, forwarded, expected) in [
        ("127.0.0.1", &[][..], "127.0.0.1"),
        ("127.0.0.1", &["1.2.3.4"], "1.2.3.4"),
        ("::ffff:127.0.0.1", &["1.2.3.4"], "1.2.3.4"),
        ("::1", &["::ffff:1.2.3.4"], "1.2.3.4"),
        ("9.9.9.9", &["1.2.3.4"], "9.9.9.9"),
        ("127.0.0.1", &["6.6.6.6, 1.2.3.4 ,10.1.1.1"], "1.2.3.4"),
        ("127.0.0.1", &["6.6.6.6", "1.2.3.4, 10.1.1.1", "10.1.1.2"], "1.2.3.4"),
        ("127.0.0.1", &["10.1.1.1, 127.0.0.2"], "127.0.0.1"),
        ("127.0.0.1", &["1.2.3.4, unknown"], "127.0.0.1"),
        ("127.0.0.1", &[""], "127.0.0.1"),
        ("127.0.0.1", &["6.6.6.6", "1.2.3.4, \u{e9}"], "127.0.0.1"),
        ("127.0.0.1", &["6.6.6.6, \u{e9}", "1.2.3.4"], "1.2.3.4"),
        ("127.0.0.1", &["1.2.3.4:5678"], "1.2.3.4"),
        ("127.0.0.1", &["[2001:db8::1]:5678"], "2001:db8::1"),
    ] {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let found = address(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }
}

#[test]
fn networks_are_addresses_and_ranges() {
    for text in ["1.2.3.4", " ::1 ", "10.0.0.0/8", "fe80::/10"] {
        assert!(network(text).is_ok(), "{text}");
    }
    for text in ["", "localhost", "1.2.3", "1.2.3.4/33", "*"] {
        assert!(network(text).is_err(), "{text}");
    }
}
