use super::*;

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000);

#[test]
fn the_defaults_are_valid() {
    assert!(Config::default().validate(HERE).is_ok());
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let refused = Config { max_entries: 0, ..Config::default() }.validate(HERE).unwrap_err();
    assert_eq!(refused.to_string(), "dunena: max_entries must be at least 1");
    let refused = Config { trusted_proxies: vec!["10.0.0.0/33".to_owned()], ..Config::default() };
    let refused = refused.validate(HERE).unwrap_err();
    assert_eq!(refused.to_string(), "dunena: trusted_proxies: \"10.0.0.0/33\" is no address and no range of them");
}
