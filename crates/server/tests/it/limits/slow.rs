//! Clients that take their time, on every listener. All of them at once: each check is mostly waiting. What Unison's
//! listener does to them is looked at more closely in `hostile::slow`.

use std::{
    net::SocketAddr,
    ops::Range,
    thread,
    time::{Duration, Instant},
};

use super::{ask, command, internal, listeners, write_of};
use crate::{
    edgecomet::daemon::Daemon,
    harness::{Connection, Frame, Request, Server, Socket, SocketOptions},
};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than all buffers between the two ends.
const ANSWER_BYTES: usize = 15 << 20;
/// What those who do not read may cost together: their answers, and what is buffered on the way.
const MOST_GROWTH: u64 = 4 * (3 * ANSWER_BYTES as u64) + (64 << 20);

#[test]
fn slow_clients_of_every_listener_are_cut_in_time_and_hold_up_nobody() {
    let mut server = Server::with(Daemon::settings());
    let large = large_answers(&server);
    let before = server.resident_bytes();
    let began = Instant::now();
    thread::scope(|scope| {
        let metrics = ("metrics", server.metrics());
        for (name, address) in listeners(&server).into_iter().chain([metrics]) {
            scope.spawn(move || a_head_that_never_ends(name, address));
            scope.spawn(move || a_connection_that_says_nothing(name, address));
        }
        for (name, address) in listeners(&server) {
            scope.spawn(move || a_body_that_trickles(name, address));
        }
        for (name, address, request) in &large {
            scope.spawn(move || a_large_answer_that_nobody_reads(name, *address, request));
        }
        let synap = server.synap();
        scope.spawn(move || a_socket_that_takes_nothing("synap", synap, "/api/v1/ws", &synap_asks()));
        let dunena = server.dunena();
        scope.spawn(move || a_socket_that_takes_nothing("dunena", dunena, "/ws", DUNENA_ASKS));
        // Everybody else is served as ever meanwhile.
        let mut slowest = Duration::ZERO;
        while began.elapsed() < 70 * SECOND {
            for (name, address) in listeners(&server) {
                let start = Instant::now();
                let answer = ask(address, &write_of(name, 100));
                assert!(answer.status < 300, "{name}: {}", answer.text());
                slowest = slowest.max(start.elapsed());
            }
            thread::sleep(SECOND / 2);
        }
        assert!(slowest < 5 * SECOND, "a request took {slowest:?}");
        let grown = server.resident_bytes().saturating_sub(before);
        assert!(grown < MOST_GROWTH, "{} MiB more", grown >> 20);
    });
    server.assert_alive();
}

/// A request of each dialect whose answer is long.
fn large_answers(server: &Server) -> Vec<(&'static str, SocketAddr, Request)> {
    let text = "x".repeat(3 << 20);
    for n in 0..5 {
        ask(server.unison(), &Request::put(format!("/api/v1/kv/big/k{n}"), format!(r#"{{"value":"{text}"}}"#)))
            .expect(200);
        ask(server.dunena(), &Request::post(format!("/cache/k{n}"), format!(r#"{{"value":"{text}"}}"#)).key(None))
            .expect(201);
        ask(server.synap(), &command("kv.set", &format!(r#"{{"key":"k{n}","value":"{text}"}}"#))).expect(200);
    }
    let names = r#"["k0","k1","k2","k3","k4"]"#;
    vec![
        ("unison", server.unison(), Request::get("/api/v1/kv/big")),
        ("flo", server.flo(), Request::get("/api/v1/kv/big").key(None)),
        ("synap", server.synap(), command("kv.mget", &format!(r#"{{"keys":{names}}}"#))),
        (
            "dunena",
            server.dunena(),
            Request::post("/cache", format!(r#"{{"action":"mget","keys":{names}}}"#)).key(None),
        ),
    ]
}

/// Until when a head must have come. EdgeComet gives it as long as a request, and answers then; a client that goes on
/// sending is listened to for some seconds more.
fn head_seconds(name: &str) -> Range<u64> {
    if name == "edgecomet" { 29..48 } else { 9..20 }
}

fn a_connection_that_says_nothing(name: &str, address: SocketAddr) {
    closed_within(&format!("{name}: a connection that says nothing"), Connection::open(address), head_seconds(name));
}

fn a_head_that_never_ends(name: &str, address: SocketAddr) {
    let mut connection = Connection::open(address);
    let start = Instant::now();
    connection.write_raw(b"GET /health HTTP/1.1\r\nHost: a\r\nX: ").expect("send");
    // A byte now and then buys no time.
    while connection.write_raw(b"x").is_ok() {
        assert!(start.elapsed() < 60 * SECOND, "{name}: a head byte by byte is still read after {:?}", start.elapsed());
        thread::sleep(SECOND / 4);
    }
    let elapsed = start.elapsed().as_secs();
    assert!(head_seconds(name).contains(&elapsed), "{name}: a head byte by byte was cut after {elapsed} s");
}

fn a_body_that_trickles(name: &str, address: SocketAddr) {
    let seconds = match name {
        "unison" => 10..20,
        "flo" | "edgecomet" => 30..42,
        _ => 60..72,
    };
    let mut request = write_of(name, 1);
    request.body = None;
    let mut connection = Connection::open(address);
    let start = Instant::now();
    connection.write(&request.header("Content-Length", "100000")).expect("send");
    while connection.write_raw(b" ").is_ok() {
        assert!(start.elapsed() < 80 * SECOND, "{name}: a body byte by byte is still read after {:?}", start.elapsed());
        thread::sleep(SECOND / 4);
    }
    let elapsed = start.elapsed().as_secs();
    assert!(seconds.contains(&elapsed), "{name}: a body byte by byte was cut after {elapsed} s");
}

/// 75 seconds without a byte taken, then the connection is closed in the middle of the answer.
fn a_large_answer_that_nobody_reads(name: &str, address: SocketAddr, request: &Request) {
    let mut connection = Connection::open_narrow(address);
    connection.write(request).expect("send");
    thread::sleep(88 * SECOND);
    connection.read_timeout(20 * SECOND).expect("a timeout can be set");
    let got = connection.read_to_end().unwrap_or_else(|error| panic!("{name}: the answer goes on: {error}"));
    assert!(!got.is_empty() && got.len() < ANSWER_BYTES, "{name}: all of it came: {} bytes", got.len());
}

fn synap_asks() -> String {
    r#"{"command":"kv.mget","payload":{"keys":["k0","k1","k2","k3","k4"]}}"#.to_owned()
}

const DUNENA_ASKS: &str = r#"{"type":"mget","keys":["k0","k1","k2","k3","k4"]}"#;

/// 90 seconds for a socket whose client takes nothing.
fn a_socket_that_takes_nothing(name: &str, address: SocketAddr, path: &str, asks: &str) {
    let options = SocketOptions { receive_buffer_bytes: Some(4096), ..SocketOptions::to(path) };
    let mut socket = Socket::open(address, &options).expect("a socket");
    for _ in 0..3 {
        socket.send(asks);
    }
    thread::sleep(100 * SECOND);
    let mut answers = 0;
    let start = Instant::now();
    while let Frame::Text(text) = socket.receive(5 * SECOND) {
        // Others are events, and a greeting.
        answers += usize::from(text.len() > ANSWER_BYTES);
        assert!(start.elapsed() < 30 * SECOND, "{name}: messages come on after {answers} answers");
    }
    assert!(answers < 3, "{name}: everything came after all");
}

fn closed_within(what: &str, mut connection: Connection, seconds: Range<u64>) {
    let start = Instant::now();
    connection.read_timeout(Duration::from_secs(seconds.end)).expect("a timeout can be set");
    assert!(connection.read_to_end().is_ok(), "{what}: still open after {:?}", start.elapsed());
    assert!(seconds.contains(&start.elapsed().as_secs()), "{what}: cut after {:?}", start.elapsed());
}

#[test]
fn an_answer_of_metrics_waits_for_nobody() {
    // EdgeComet's own page of metrics has the bounds of the other one.
    let port = crate::harness::free_port();
    let settings = Daemon::settings()
        .set("edgecomet.metrics.enabled", true)
        .set("edgecomet.metrics.listen", format!("127.0.0.1:{port}"));
    let server = Server::with(settings);
    let own: SocketAddr = ([127, 0, 0, 1], port).into();
    thread::scope(|scope| {
        scope.spawn(|| a_head_that_never_ends("edgecomet's metrics", own));
        scope.spawn(|| a_connection_that_says_nothing("edgecomet's metrics", own));
        for address in [own, server.metrics()] {
            let mut silent: Vec<Connection> = (0..200).map(|_| Connection::open(address)).collect();
            silent.iter_mut().for_each(|one| one.write_raw(b"GET /metrics HT").expect("send"));
            ask(address, &Request::get("/metrics").key(None)).expect(200);
        }
    });
    ask(server.edgecomet(), &internal("GET", "/status")).expect(200);
}
