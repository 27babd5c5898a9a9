use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn addresses_that_nobody_may_reach_are_refused_in_every_form() {
    for text in [
        "169.254.0.1",
        "169.254.169.254",
        "169.254.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "100.100.100.200",
        "224.0.0.1",
        "239.255.255.255",
        "168.63.129.16",
        "192.0.0.192",
        "::",
        "fe80::1",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        // The same IPv4 addresses, wrapped.
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::ffff:100.100.100.200",
        "::ffff:224.0.0.1",
        "::169.254.169.254",
        "::2",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1::0.0.0.1",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9fe:a9:fe00::1",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:12a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "64:ff9b:1:1234:a9:fea9:fe00:0",
        "64:ff9b:1:1234:5678:9abc:a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:5601:5601",
        "2001:db8::5efe:169.254.169.254",
        "2001:db8::200:5efe:a9fe:a9fe",
    ] {
        assert!(is_forbidden(address(text)), "{text}");
    }
}

#[test]
fn other_addresses_pass_loopback_and_private_ones_too() {
    for text in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.100.100.201",
        "8.8.8.8",
        "169.253.1.1",
        "169.255.1.1",
        "1.0.0.0",
        "223.255.255.255",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fc00::1",
        "fd00:ec2::253",
        "2001:db8::1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::8.8.8.8",
        "64:ff9b:1:808:8:800::",
        "64:ff9b:1:8:8:808::",
        "64:ff9b:1:0:8:808:800:0",
        "2002:808:808::1",
        "fec0::1",
        "2001:0:808:808:8000:63bf:f7f7:f7f7",
    ] {
        assert!(!is_forbidden(address(text)), "{text}");
    }
}

#[test]
fn a_list_of_hosts_is_read() {
    assert_eq!(AllowList::parse([]), None);
    assert_eq!(AllowList::parse(["", " "]), None);
    let list =
        AllowList::parse([" DB.Example.com. ", "10.0.0.0/8", "[::1]", "::ffff:192.0.2.1", "fd00::/8"]).expect("a list");
    assert_eq!(list.to_string(), "db.example.com, 10.0.0.0/8, ::1/128, 192.0.2.1/32, fd00::/8");
    for (host, at, passes) in [
        ("db.example.com", "192.0.2.9", true),
        ("Db.Example.COM.", "192.0.2.9", true),
        ("evil-db.example.com", "192.0.2.9", false),
        ("other", "10.1.2.3", true),
        ("other", "::ffff:10.1.2.3", true),
        ("other", "11.1.2.3", false),
        ("other", "192.0.2.1", true),
        ("other", "fd12::1", true),
        ("::1", "::1", true),
        ("::2", "::2", false),
    ] {
        assert_eq!(list.has(host, address(at)), passes, "{host} at {at}");
    }
}

#[tokio::test]
async fn literal_addresses_are_checked_like_names() {
    let open = Guard::new(None);
    for host in ["127.0.0.1", "::1", "[::1]", "localhost"] {
        let found = open.resolve(host, 80).await.expect(host);
        assert!(
            !found.is_empty() && found.iter().all(|found| found.ip().is_loopback() && found.port() == 80),
            "{host}"
        );
    }
    for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]", "0"] {
        assert_eq!(open.resolve(host, 80).await, Err(Denied::NotAllowed), "{host}");
    }
    assert_eq!(open.resolve("no-such-host.invalid", 80).await, Err(Denied::Unresolved));
    assert_eq!(open.resolve("", 80).await, Err(Denied::Unresolved));
}

#[tokio::test]
async fn where_there_is_a_list_only_what_is_on_it_passes() {
    let by_name = Guard::new(AllowList::parse(["localhost"]));
    assert!(by_name.resolve("LOCALHOST", 1).await.is_ok());
    assert_eq!(by_name.resolve("127.0.0.1", 1).await, Err(Denied::NotAllowed));
    assert_eq!(by_name.resolve("no-such-host.invalid", 1).await, Err(Denied::NotAllowed), "is not even looked up");

    let by_network = Guard::new(AllowList::parse(["127.0.0.0/8", "::1"]));
    assert!(by_network.resolve("localhost", 1).await.is_ok());
    assert_eq!(by_network.resolve("10.0.0.1", 1).await, Err(Denied::NotAllowed));

    let generous = Guard::new(AllowList::parse(["0.0.0.0/0", "::/0", "169.254.169.254"]));
    assert_eq!(generous.resolve("169.254.169.254", 1).await, Err(Denied::NotAllowed), "no list allows this");
}

#[tokio::test]
async fn where_all_must_be_public_one_address_that_is_not_is_named() {
    let public = Guard::public_only(crate::outbound::PublicOnly::default());
    for (host, named) in [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::ffff:10.0.0.1]", "::ffff:10.0.0.1"),
        ("169.254.169.254", "169.254.169.254"),
    ] {
        let error = public.resolve(host, 80).await.unwrap_err();
        assert_eq!(error.to_string(), format!("address not allowed: {named}"));
    }
    let Err(Denied::NotPublic(named)) = public.resolve("localhost", 80).await else { panic!("localhost passed") };
    assert!(named.is_loopback());
    assert_eq!(public.resolve("no-such-host.invalid", 80).await, Err(Denied::Unresolved));
    assert_eq!(public.resolve("8.8.8.8", 80).await, Ok(vec![SocketAddr::from(([8, 8, 8, 8], 80))]));
}

/// Numbers in other bases, numbers with fewer dots, names with a final dot: the system's resolver reads them, and what comes
/// of it is what is checked. Where it reads nothing in them, nobody is called.
#[tokio::test]
async fn however_an_address_is_spelled_it_is_the_address_that_counts() {
    let open = Guard::new(None);
    let public = Guard::public_only(crate::outbound::PublicOnly::default());
    for host in [
        "2852039166",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "169.254.43518",
        "169.16689662",
        "169.254.169.254.",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1%lo]",
        "0",
        "0x0",
        "000.000.000.000",
        "\u{ff11}69.254.169.254",
        "169\u{3002}254\u{3002}169\u{3002}254",
    ] {
        assert!(open.resolve(host, 80).await.is_err(), "{host}");
        assert!(public.resolve(host, 80).await.is_err(), "{host}");
    }
    for host in [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "localhost.",
        "LocalHost",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "0300.0250.1",
        "0xa.1",
        "10.1",
    ] {
        assert!(public.resolve(host, 80).await.is_err(), "{host}");
    }
    for host in
        ["", ".", "..", "[", "[]", "[::1", "127.0.0.1:80", "a b", "a\0b", "localhost\0.example.com", "user@127.0.0.1"]
    {
        assert_eq!(open.resolve(host, 80).await, Err(Denied::Unresolved), "{host:?}");
    }
}
