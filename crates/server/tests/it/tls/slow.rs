//! Clients that take their time, over TLS. One server, all of them at once: each check is mostly waiting.

use std::{
    io::Write as _,
    net::TcpStream,
    ops::Range,
    time::{Duration, Instant},
};

use super::Encrypted;
use crate::harness::{Connection, Endpoint, EventStream, Request, Settings};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn slow_clients_are_cut_and_patient_ones_are_served() {
    let mut encrypted = Encrypted::with(Settings::fast());
    let to = &encrypted.unison();
    std::thread::scope(|scope| {
        scope.spawn(|| a_handshake_that_is_never_finished(to));
        scope.spawn(|| a_handshake_byte_by_byte(to));
        scope.spawn(|| a_connection_that_says_nothing_after_its_handshake(to));
        scope.spawn(|| a_head_that_never_ends(to));
        scope.spawn(|| a_body_that_stops(to));
        scope.spawn(|| a_list_that_is_read_slowly(to));
        scope.spawn(|| a_stream_that_is_not_read_for_a_while(to));
    });
    encrypted.wait_for_handshakes("timed_out", 2);
    encrypted.server.assert_alive();
}

fn a_handshake_that_is_never_finished(to: &Endpoint) {
    let mut stream = TcpStream::connect(to.address).expect("connect");
    let start = Instant::now();
    stream.write_all(&[0x16, 3, 1, 1, 0, 1]).expect("send");
    stream.set_read_timeout(Some(20 * SECOND)).expect("set a timeout");
    let read = std::io::Read::read(&mut stream, &mut [0; 100]).expect("an end, not a silence");
    assert_eq!(read, 0);
    ended_after("a handshake that is never finished", start, 9..14);
}

fn a_handshake_byte_by_byte(to: &Endpoint) {
    let mut stream = TcpStream::connect(to.address).expect("connect");
    let start = Instant::now();
    stream.write_all(&[0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3]).expect("send");
    while stream.write_all(b"x").is_ok() {
        assert!(start.elapsed() < 15 * SECOND, "a handshake byte by byte goes on after {:?}", start.elapsed());
        std::thread::sleep(SECOND / 4);
    }
    ended_after("a handshake byte by byte", start, 9..15);
}

fn a_connection_that_says_nothing_after_its_handshake(to: &Endpoint) {
    let mut connection = Connection::open(to.clone());
    let start = Instant::now();
    assert!(connection.is_closed_within(20 * SECOND).expect("no more bytes"));
    ended_after("a connection that says nothing", start, 9..14);
}

fn a_head_that_never_ends(to: &Endpoint) {
    let mut connection = Connection::open(to.clone());
    let start = Instant::now();
    connection.write_raw(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n").expect("send");
    assert!(connection.is_closed_within(20 * SECOND).expect("no more bytes"));
    ended_after("a head that never ends", start, 9..14);
}

fn a_body_that_stops(to: &Endpoint) {
    let mut connection = Connection::open(to.clone());
    let start = Instant::now();
    let head = Request::put("/api/v1/kv/slow/k", vec![b' '; 100_000]).head();
    connection.write_raw(&head).expect("send");
    connection.write_raw(&[b' '; 500]).expect("send");
    assert_eq!(connection.read_response("PUT").expect("an answer").status, 408);
    ended_after("a body that stops", start, 9..25);
}

/// What is encrypted already waits for its reader too.
fn a_list_that_is_read_slowly(to: &Endpoint) {
    let mut connection = Connection::open(to.clone());
    let value = "x".repeat(1 << 20);
    for n in 0..8 {
        let put = Request::put(format!("/api/v1/kv/list/k{n}"), format!(r#"{{"value":"{value}"}}"#));
        connection.send(&put).expect("an answer").expect(200);
    }
    connection.write(&Request::get("/api/v1/kv/list?limit=100")).expect("send");
    std::thread::sleep(3 * SECOND);
    let list = connection.read_response("GET").expect("all of it").expect(200);
    assert!(list.body.len() > 8 << 20, "{} bytes", list.body.len());
}

fn a_stream_that_is_not_read_for_a_while(to: &Endpoint) {
    let mut stream = EventStream::start(to.clone(), &Request::get("/api/v1/changes/stream?namespace=wide"));
    assert_eq!(stream.expect().event, "ready");
    let (mut connection, value) = (Connection::open(to.clone()), "x".repeat(256 << 10));
    for _ in 0..40 {
        let put = Request::put("/api/v1/kv/wide/k", format!(r#"{{"value":"{value}"}}"#));
        connection.send(&put).expect("an answer").expect(200);
    }
    let mut versions = Vec::new();
    while versions.len() < 40 {
        let event = stream.expect();
        if event.event == "change" {
            versions.push(event.json()["version"].as_u64().expect("a version"));
        }
    }
    assert_eq!(versions, (1..=40).collect::<Vec<_>>());
}

#[track_caller]
fn ended_after(what: &str, start: Instant, seconds: Range<u64>) {
    let took = start.elapsed();
    assert!(seconds.contains(&took.as_secs()), "{what} was cut after {took:?}");
}
