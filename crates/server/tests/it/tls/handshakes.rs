//! Handshakes that succeed, and those that must not.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use super::{Encrypted, SOON};
use crate::harness::{Authority, Connection, Endpoint, Request, Server, Settings, eventually, raw_exchange};

/// The type of a record that says why a handshake fails.
const ALERT_RECORD: u8 = 0x15;

fn health() -> Request {
    Request::get("/api/v1/health").key(None)
}

/// Sockets that the process has open.
fn sockets(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.process_id().as_raw_nonzero());
    let descriptors = std::fs::read_dir(folder).expect("the descriptors of the process");
    // One may be closed meanwhile.
    let targets = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Sends bytes and reads until the server closes.
fn bytes_until_closed(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_read_timeout(Some(SOON)).expect("set a timeout");
    stream.write_all(bytes).expect("send");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}"),
    }
    answer
}

/// The greeting of a client that speaks nothing newer than this version.
fn greeting(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([0x5a; 32]);
    // No session; two suites of that time; no compression.
    hello.extend([0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    let length = |bytes: usize| u16::try_from(bytes).expect("a short greeting").to_be_bytes();
    let mut record = vec![0x16, 3, 1];
    record.extend(length(hello.len() + 4));
    record.extend([1, 0]);
    record.extend(length(hello.len()));
    record.extend(hello);
    record
}

#[test]
fn a_client_that_trusts_somebody_else_goes_away() {
    let encrypted = Encrypted::start();
    let stranger = Authority::new().at(encrypted.server.unison());
    let refused = Connection::try_open(stranger).err().expect("the certificate is not trusted");
    assert!(refused.to_string().contains("invalid peer certificate"), "{refused}");
    encrypted.wait_for_handshakes("failed", 1);
    Connection::open(encrypted.unison()).send(&health()).expect("an answer").expect(200);
}

#[test]
fn versions_before_1_2_are_refused_and_1_2_unless_said_otherwise() {
    let old = |encrypted: &Encrypted| {
        let tls = Some(encrypted.authority.client_with(&[&TLS12], None));
        Connection::try_open(Endpoint { address: encrypted.server.unison(), tls })
    };
    let lenient = Encrypted::start();
    let mut connection = old(&lenient).expect("1.2 is spoken");
    assert_eq!(connection.wire().session().expect("TLS").protocol_version(), Some(ProtocolVersion::TLSv1_2));
    connection.send(&health()).expect("an answer").expect(200);
    for version in [[3, 0], [3, 1], [3, 2]] {
        let answer = bytes_until_closed(lenient.server.unison(), &greeting(version));
        assert_eq!(answer.first(), Some(&ALERT_RECORD), "{version:?}: {answer:?}");
    }
    lenient.wait_for_handshakes("failed", 3);

    let strict = Encrypted::with(Settings::default().set("tls.min_version", "1.3"));
    assert!(old(&strict).is_err());
    Connection::open(strict.unison()).send(&health()).expect("an answer").expect(200);
}

#[test]
fn only_http_1_1_is_offered() {
    let encrypted = Encrypted::start();
    let speaking = |protocols: &[&str]| {
        let mut client = (*encrypted.authority.client_with(&[&TLS13, &TLS12], None)).clone();
        client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Connection::try_open(Endpoint { address: encrypted.server.unison(), tls: Some(Arc::new(client)) })
    };
    let mut both = speaking(&["h2", "http/1.1"]).expect("one of both is spoken");
    assert_eq!(both.wire().session().expect("TLS").alpn_protocol(), Some(&b"http/1.1"[..]));
    both.send(&health()).expect("an answer").expect(200);
    assert!(speaking(&["h2"]).is_err(), "HTTP/2 is not spoken");
}

#[test]
fn clients_show_a_certificate_where_one_is_asked_for() {
    let clients = Authority::new();
    let encrypted_with = |settings: Settings| {
        let authority = Authority::new();
        let (server, harness) = (authority.sign("server"), clients.sign("harness"));
        let mut settings = settings.over_tls(&authority, &server);
        settings.tls = Some(authority.client_with(&[&TLS13, &TLS12], Some(&harness)));
        Encrypted { server: Server::with(settings), authority }
    };
    let asking = encrypted_with(Settings::default().set("tls.client_ca", clients.file().display().to_string()));
    let ask = |shown: Option<&crate::harness::Pair>| {
        let tls = Some(asking.authority.client_with(&[&TLS13, &TLS12], shown));
        Connection::try_open(Endpoint { address: asking.server.unison(), tls })?.send(&health())
    };
    assert_eq!(ask(Some(&clients.sign("known"))).expect("an answer").status, 200);
    assert!(ask(None).is_err(), "nothing is shown");
    assert!(ask(Some(&Authority::new().sign("foreign"))).is_err(), "somebody else signed it");
    asking.wait_for_handshakes("failed", 2);
}

#[test]
fn plain_http_is_told_so_and_closed() {
    let encrypted = Encrypted::start();
    let request = b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = raw_exchange(encrypted.server.unison(), request, SOON);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(
        raw_exchange(encrypted.server.unison(), b"\x01\x02nonsense\r\n\r\n", SOON).get(..12),
        Some("HTTP/1.1 400")
    );
    encrypted.wait_for_handshakes("plaintext", 2);
    assert_eq!(encrypted.sample(r#"manifold_handler_panics_total{listener="unison"}"#), 0);
}

#[test]
fn bytes_that_are_no_tls_end_the_connection() {
    let mut encrypted = Encrypted::start();
    let address = encrypted.server.unison();
    // A record that says it is a handshake and is none.
    let mut garbage = vec![0x16, 3, 1, 2, 0];
    garbage.extend([0xa5; 512]);
    bytes_until_closed(address, &garbage);
    encrypted.wait_for_handshakes("failed", 1);
    // After a handshake, below TLS.
    let mut connection = Connection::open(encrypted.unison());
    connection.send(&health()).expect("an answer").expect(200);
    connection.wire().socket().write_all(&[0xa5; 512]).expect("send");
    assert!(connection.send(&health()).is_err(), "the records do not fit together any more");
    // And within.
    let answer = raw_exchange(encrypted.unison(), b"\x01\x02\x03nonsense\r\n\r\n", SOON);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
    encrypted.server.assert_alive();
}

#[test]
fn handshakes_that_are_begun_by_the_thousand_leave_nothing_behind() {
    let mut encrypted = Encrypted::start();
    let address = encrypted.server.unison();
    encrypted.server.assert_alive();
    let before = sockets(&encrypted.server);
    let hello = greeting([3, 3]);
    for round in 0..10 {
        // Some say nothing, some a part of it.
        let begun = |n: usize| {
            let mut stream = TcpStream::connect(address).expect("connect");
            stream.write_all(&hello[..(n + round) % hello.len()]).expect("send");
            stream
        };
        drop((0..200).map(begun).collect::<Vec<_>>());
    }
    for _ in 0..20 {
        drop(Connection::open(encrypted.unison()));
    }
    eventually("all connections are gone", SOON, || (sockets(&encrypted.server) <= before).then_some(()));
    encrypted.server.assert_alive();
}

#[test]
fn handshakes_count_against_the_cap_and_who_is_over_it_hears_why() {
    let encrypted = Encrypted::with(Settings::default().set("unison.max_connections", 20));
    let hello = greeting([3, 3]);
    let begun: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(encrypted.server.unison()).expect("connect");
            stream.write_all(&hello[..20]).expect("send");
            stream
        })
        .collect();
    let ask = || Connection::try_open(encrypted.unison())?.send(&health());
    let refused = eventually("all places are taken", SOON, || ask().ok().filter(|answer| answer.status == 503));
    assert_eq!(refused.text(), r#"{"error":"Overloaded"}"#);
    assert_eq!((refused.header("retry-after"), refused.header("connection")), (Some("1"), Some("close")));
    drop(begun);
    eventually("a place is free again", SOON, || ask().ok().filter(|answer| answer.status == 200));
}
