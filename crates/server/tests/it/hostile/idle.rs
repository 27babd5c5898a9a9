//! Many connections that do nothing.

use std::time::Duration;

use crate::harness::{Connection, Request, Server, Settings, eventually, may_open};

const CONNECTIONS: usize = 10_000;
/// What a connection that was used once and is idle now may cost: hyper's two buffers of 8 KiB, the handler's future,
/// the task. (One that never sent a byte costs about 1 KiB.)
const MOST_BYTES_EACH: u64 = 32 << 10;

/// Opens connections that each made one request.
fn open(server: &Server, count: usize) -> Vec<Connection> {
    let health = Request::get("/api/v1/health").key(None);
    (0..count)
        .map(|_| {
            let mut connection = server.connect();
            assert_eq!(connection.send(&health).expect("an answer").status, 200);
            connection
        })
        .collect()
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_are_forgotten() {
    if !may_open(CONNECTIONS + 500) {
        return;
    }
    let mut server = Server::start();
    drop(open(&server, 100));
    let before = server.resident_bytes();
    let first = open(&server, CONNECTIONS);
    let with_first = server.resident_bytes();
    let each = with_first.saturating_sub(before) / CONNECTIONS as u64;
    assert!(each < MOST_BYTES_EACH, "{each} bytes per idle connection");
    server.assert_alive();
    drop(first);
    // The second crowd fits into what the first one left.
    let second = open(&server, CONNECTIONS);
    let grown = server.resident_bytes().saturating_sub(with_first);
    assert!(grown < (before / 2).max(24 << 20), "{} MiB more for the second ten thousand", grown >> 20);
    drop(second);
    server.assert_alive();
    server.stop();
}

#[test]
fn over_max_connections_the_answer_is_overloaded() {
    let mut server = Server::with(Settings::default().set("unison.max_connections", 20));
    let mut kept = open(&server, 20);
    let mut refused = server.connect();
    let answer = refused.send(&Request::get("/api/v1/health").key(None)).expect("an answer");
    assert_eq!((answer.status, answer.text().as_str()), (503, r#"{"error":"Overloaded"}"#));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(
        refused.is_closed_within(Duration::from_secs(5)).expect("no more bytes"),
        "an overloaded connection stays open"
    );
    assert_eq!(kept[0].send(&Request::get("/api/v1/health")).expect("an answer").status, 200);
    drop(kept);
    eventually("a place is free again", Duration::from_secs(5), || {
        let answer = server.connect().send(&Request::get("/api/v1/health")).ok()?;
        (answer.status == 200).then_some(())
    });
    server.stop();
}
