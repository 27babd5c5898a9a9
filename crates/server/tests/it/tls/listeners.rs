//! What clients ask over TLS, of every listener.

use std::net::SocketAddr;

use rustls::ProtocolVersion;

use super::{Encrypted, SOON, assert_ends_in_order, shown};
use crate::harness::{Authority, Connection, Endpoint, Request, Server, Settings, Socket, SocketOptions, eventually};

/// 2090-01-01.
const EXPIRES: u64 = 3_786_912_000;

/// Each listener's name and address, and something that it answers with 200.
fn listeners(server: &Server) -> [(&'static str, SocketAddr, Request); 6] {
    let get = |target: &str| Request::get(target).key(None);
    let key = |target: &str| Request::get(target).key(None).header("X-Internal-Auth", "dev");
    [
        ("unison", server.unison(), get("/api/v1/health")),
        ("flo", server.flo(), get("/health")),
        ("synap", server.synap(), get("/health")),
        ("dunena", server.dunena(), get("/health")),
        ("edgecomet", server.edgecomet(), key("/status")),
        ("metrics", server.metrics(), get("/health")),
    ]
}

#[test]
fn every_listener_speaks_tls() {
    let Encrypted { authority, server } = Encrypted::start();
    for (name, address, request) in listeners(&server) {
        let mut connection = Connection::open(authority.at(address));
        let session = connection.wire().session().expect("TLS is spoken");
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3), "{name}");
        for _ in 0..2 {
            connection.send(&request).unwrap_or_else(|error| panic!("{name}: {error}")).expect(200);
        }
    }
    let metrics = server.metrics_text();
    for (name, _, _) in listeners(&server) {
        let completed = format!(r#"manifold_tls_handshakes_total{{listener="{name}",result="completed"}} "#);
        let completed = metrics.lines().find_map(|line| line.strip_prefix(completed.as_str()));
        assert!(completed.is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > 0)), "{name}\n{metrics}");
        let expires = format!(r#"manifold_tls_certificate_expires_seconds{{listener="{name}"}} {EXPIRES}"#);
        assert!(metrics.contains(&expires), "{name}\n{metrics}");
    }
    assert_eq!(server.log.text().matches(" listens on https://").count(), 6, "{}", server.log.text());
}

#[test]
fn one_listener_may_do_without_and_another_show_a_certificate_of_its_own() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (general, own) = (authority.sign("general"), other.sign("own"));
    // The harness asks Unison, in plain.
    let settings = Settings::default()
        .set("tls.cert", general.cert.display().to_string())
        .env("MANIFOLD_TLS_KEY", general.key.display().to_string())
        .set("unison.tls.enabled", false)
        .env("MANIFOLD_SYNAP_TLS_CERT", own.cert.display().to_string())
        .set("synap.tls.key", own.key.display().to_string())
        .set("flo.metrics.tls.enabled", false);
    let server = Server::with(settings);
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let health = Request::get("/health").key(None);
    Connection::open(authority.at(server.flo())).send(&health).expect("an answer").expect(200);
    Connection::open(other.at(server.synap())).send(&health).expect("an answer").expect(200);
    assert!(Connection::try_open(authority.at(server.synap())).is_err(), "another authority signed it");
    let failed = r#"manifold_tls_handshakes_total{listener="synap",result="failed"} 1"#;
    eventually(failed, SOON, || server.metrics_text().contains(failed).then_some(()));
    let metrics = server.metrics_text();
    assert!(!metrics.contains(r#"manifold_tls_handshakes_total{listener="unison""#), "{metrics}");
}

#[test]
fn without_certificates_there_are_no_numbers_of_tls() {
    assert!(!Server::start().metrics_text().contains("manifold_tls"));
}

#[test]
fn large_bodies_go_both_ways() {
    let encrypted = Encrypted::with(Settings::fast());
    let value = format!(r#""{}""#, "0123456789abcdef".repeat(750_000));
    let mut connection = Connection::open(encrypted.unison());
    let put = Request::put("/api/v1/kv/big/k", format!(r#"{{"value":{value}}}"#));
    connection.send(&put).expect("an answer").expect(200);
    let entry = connection.send(&Request::get("/api/v1/kv/big/k")).expect("an answer").expect(200).text();
    assert!(entry.contains(&value), "{} bytes came back", entry.len());
}

#[test]
fn an_answer_that_closes_the_connection_ends_in_order() {
    let encrypted = Encrypted::start();
    let mut connection = Connection::open(encrypted.unison());
    let last = Request::get("/api/v1/health").key(None).header("Connection", "close");
    connection.send(&last).expect("an answer").expect(200);
    assert_ends_in_order(connection.wire());
}

#[test]
fn a_websocket_works_and_ends_in_order() {
    let encrypted = Encrypted::start();
    let mut socket = Socket::start(encrypted.unison());
    let subscribed = socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"a"}}"#);
    assert_eq!(subscribed["result"]["ok"], true);
    encrypted.server.put("/api/v1/kv/a/k", "1").expect(200);
    assert_eq!(socket.expect_json()["params"]["seq"], 1);
    socket.say_goodbye(1000);
    while let crate::harness::Frame::Text(_) = socket.receive(std::time::Duration::from_secs(5)) {}
    assert_ends_in_order(socket.wire());
}

#[test]
fn a_page_that_came_in_plain_is_no_page_of_the_server() {
    let Encrypted { authority, server } = Encrypted::start();
    let own = |scheme: &str, address: SocketAddr| format!("{scheme}://{address}");
    for (flo, synap, allowed) in [
        (own("https", server.flo()), own("https", server.synap()), true),
        (own("http", server.flo()), own("http", server.synap()), false),
        (own("https", server.synap()), own("https", server.flo()), false),
    ] {
        let put = Request::put("/api/v1/kv/k", "v").key(None).header("Host", server.flo().to_string());
        let answer = Connection::open(authority.at(server.flo())).send(&put.header("Origin", flo)).expect("an answer");
        assert_eq!(answer.status != 403, allowed, "{} {}", answer.status, answer.text());
        let mut options = SocketOptions::to("/kv/ws?keys=*");
        options.headers.push(("Origin".to_owned(), synap));
        let opened = Socket::open(authority.at(server.synap()), &options).map(drop);
        assert_eq!(opened.is_ok(), allowed, "{opened:?}");
    }
}

#[test]
fn equal_files_are_one_certificate_on_all_listeners() {
    let Encrypted { authority, server } = Encrypted::start();
    let endpoints: [Endpoint; 2] = [authority.at(server.unison()), authority.at(server.dunena())];
    let [one, other] = endpoints.map(|endpoint| shown(&mut Connection::open(endpoint)));
    assert_eq!(one, other);
}
