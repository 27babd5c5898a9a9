//! Clients that take their time. One server, all of them at once: each check is mostly waiting.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::harness::{Connection, Request, Server};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn slow_clients_are_cut_and_patient_ones_are_served() {
    let mut server = Server::start();
    let address = server.unison();
    std::thread::scope(|scope| {
        scope.spawn(move || a_head_that_never_ends(address));
        scope.spawn(move || a_connection_that_says_nothing(address));
        scope.spawn(move || a_head_byte_by_byte(address));
        scope.spawn(move || a_body_byte_by_byte(address));
        scope.spawn(move || a_body_that_stops(address));
        scope.spawn(move || a_chunk_that_brings_less_than_it_says(address));
        scope.spawn(move || a_body_at_a_modest_pace(address));
        scope.spawn(move || a_socket_that_answers_no_ping(address));
        scope.spawn(move || an_idle_connection(address));
    });
    server.assert_alive();
}

fn a_head_that_never_ends(address: SocketAddr) {
    let mut connection = Connection::open(address);
    connection.write_raw(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n").expect("send");
    closed_after("a head that never ends", &mut connection, 9..14);
}

fn a_connection_that_says_nothing(address: SocketAddr) {
    closed_after("a connection that says nothing", &mut Connection::open(address), 9..14);
}

fn a_head_byte_by_byte(address: SocketAddr) {
    let mut connection = Connection::open(address);
    let start = Instant::now();
    connection.write_raw(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\nX: ").expect("send");
    while connection.write_raw(b"x").is_ok() {
        assert!(start.elapsed() < 15 * SECOND, "a head byte by byte is still read after {:?}", start.elapsed());
        std::thread::sleep(SECOND / 4);
    }
    assert!(start.elapsed() > 9 * SECOND, "a head byte by byte was cut after {:?}", start.elapsed());
}

fn a_body_byte_by_byte(address: SocketAddr) {
    let mut connection = Connection::open(address);
    let start = Instant::now();
    connection.write_raw(&put_head(100_000)).expect("send");
    while connection.write_raw(b"x").is_ok() {
        assert!(start.elapsed() < 25 * SECOND, "a body byte by byte is still read after {:?}", start.elapsed());
        std::thread::sleep(SECOND / 4);
    }
    assert!(start.elapsed() > 9 * SECOND, "a body byte by byte was cut after {:?}", start.elapsed());
}

fn a_body_that_stops(address: SocketAddr) {
    let mut connection = Connection::open(address);
    connection.write_raw(&put_head(100_000)).expect("send");
    connection.write_raw(&[b' '; 500]).expect("send");
    closed_after("a body that stops", &mut connection, 9..25);
}

fn a_chunk_that_brings_less_than_it_says(address: SocketAddr) {
    let mut connection = Connection::open(address);
    let head =
        "PUT /api/v1/kv/slow/k HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.write_raw(head.as_bytes()).expect("send");
    connection.write_raw(b"ffffffffffffffff\r\nabc").expect("send");
    closed_after("a chunk that brings less than it says", &mut connection, 9..25);
}

/// 4 KiB/s is slow, but it is progress: the server waits for the end.
fn a_body_at_a_modest_pace(address: SocketAddr) {
    let mut connection = Connection::open(address);
    let body = format!(r#"{{"value":"{}"}}"#, "x".repeat(60_000));
    connection.write_raw(&put_head(body.len())).expect("send");
    for chunk in body.as_bytes().chunks(1024) {
        connection.write_raw(chunk).expect("a body at a modest pace is read on");
        std::thread::sleep(SECOND / 4);
    }
    assert_eq!(connection.read_response("PUT").expect("an answer").status, 200);
}

fn an_idle_connection(address: SocketAddr) {
    let mut connection = Connection::open(address);
    connection.write_raw(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n").expect("send");
    assert_eq!(connection.read_response("GET").expect("an answer").status, 200);
    closed_after("an idle connection", &mut connection, 70..80);
}

/// A ping every 20 seconds; who has answered none for 40 is gone.
fn a_socket_that_answers_no_ping(address: SocketAddr) {
    let mut connection = Connection::open(address);
    let upgrade = Request::get("/stream")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    connection.write(&upgrade).expect("send");
    assert_eq!(connection.read_head().expect("a head").status, 101);
    let start = Instant::now();
    connection.read_timeout(70 * SECOND).expect("a timeout can be set");
    let frames = connection.read_to_end().expect("a socket that answers no ping is still open");
    let elapsed = start.elapsed().as_secs();
    assert!((38..66).contains(&elapsed), "a socket that answers no ping was closed after {elapsed} s");
    const PING: u8 = 0x89;
    assert_eq!(frames.first(), Some(&PING), "{frames:?}");
}

fn put_head(length: usize) -> Vec<u8> {
    format!(
        "PUT /api/v1/kv/slow/k HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\nContent-Length: {length}\r\n\r\n"
    )
    .into()
}

fn closed_after(what: &str, connection: &mut Connection, seconds: std::ops::Range<u64>) {
    let start = Instant::now();
    connection.read_timeout(Duration::from_secs(seconds.end)).expect("a timeout can be set");
    // An answer before the end (408 or the dialect's 400) is as good as none.
    let ended = connection.read_to_end();
    assert!(ended.is_ok(), "{what}: still open after {:?}", start.elapsed());
    assert!(seconds.contains(&start.elapsed().as_secs()), "{what}: cut after {:?}", start.elapsed());
}
