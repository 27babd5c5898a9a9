use super::*;

fn hosts(address: &str, asks: bool, named: &[&str]) -> Hosts {
    let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
    Hosts::of(address.parse().expect("an address"), asks, &named)
}

#[test]
fn only_a_listener_on_loopback_that_asks_for_nothing_is_choosy() {
    for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(hosts(address, false, &[]), Hosts::Local(Vec::new()), "{address}");
        assert_eq!(hosts(address, true, &[]), Hosts::Any, "{address}");
    }
    for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"] {
        assert_eq!(hosts(address, false, &["a"]), Hosts::Any, "{address}");
    }
}

#[test]
fn names_of_this_machine_and_those_that_were_named_are_admitted() {
    let hosts = hosts("127.0.0.1:80", false, &["Data.example.com", "https://console.example.com:8443/", " b ", ""]);
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.1.2.3:80",
        "[::1]",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "data.example.com:9",
        "DATA.EXAMPLE.COM",
        "console.example.com",
        "console.example.com:8443",
        "b",
    ] {
        assert!(hosts.admit(Some(host)), "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "xlocalhost",
        "localhost.",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0.0.0.0",
        "[::]",
        "[::2]:80",
        "192.168.0.1",
        "example.com",
        "xdata.example.com",
    ] {
        assert!(!hosts.admit(Some(host)), "{host}");
    }
    assert!(hosts.admit(None), "a client of HTTP/1.0");
    assert!(Hosts::Any.admit(Some("evil.example")));
}
