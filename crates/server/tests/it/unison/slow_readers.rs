//! Readers that stall: nobody else notices, memory stays bounded, nothing is skipped.

use std::time::{Duration, Instant};

use crate::harness::{Connection, EventStream, Request, Server, Settings, Socket};

const STALLED: usize = 3;
/// Enough to overflow every buffer on the way; few enough that the last socket is read before it misses its pings.
const WRITES: u64 = 120;
const VALUE_BYTES: usize = 256 * 1024;
/// What a stalled client may cost, plus what the engine keeps of the newest changes, with room for the allocator.
const MOST_GROWTH: u64 = 2 * (STALLED as u64) * (10 << 20) + (128 << 20);

#[test]
fn stalled_streams_hold_up_nobody_and_lose_nothing() {
    let mut server = Server::with(Settings::fast());
    let mut streams: Vec<EventStream> = (0..STALLED)
        .map(|_| EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?after=0")))
        .collect();
    let mut sockets: Vec<Socket> = (0..STALLED).map(|_| Socket::start(server.unison())).collect();
    for socket in &mut sockets {
        let answer = socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"big"}}"#);
        assert_eq!(answer["result"]["ok"], true);
    }
    let before = server.resident_bytes();
    let value = "x".repeat(VALUE_BYTES);
    let mut connection = server.connect();
    let mut slowest = Duration::ZERO;
    for n in 1..=WRITES {
        let put = Request::put(format!("/api/v1/kv/big/k{}", n % 3), format!(r#"{{"value":"{value}"}}"#));
        let start = Instant::now();
        connection.send(&put).expect("an answer").expect(200);
        slowest = slowest.max(start.elapsed());
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < MOST_GROWTH, "{} MiB more with {STALLED} stalled streams and sockets", grown >> 20);
    assert!(slowest < Duration::from_secs(5), "a write took {slowest:?}");
    // Now they read on: everything is there, in order.
    // The sockets first: who answers no ping for 40 seconds is given up, and that is right.
    for socket in &mut sockets {
        for n in 1..=WRITES {
            assert_eq!(socket.expect_json()["params"]["seq"], n);
        }
    }
    for stream in &mut streams {
        assert_eq!(stream.expect().event, "ready");
        let mut next = 1;
        while next <= WRITES {
            let event = stream.expect();
            if event.event == "change" {
                assert_eq!(event.id, next.to_string());
                next += 1;
            }
        }
    }
    server.assert_alive();
}

#[test]
fn a_list_that_nobody_reads_blocks_no_writer_and_stays_one_cut() {
    let mut server = Server::with(Settings::fast());
    let mut connection = server.connect();
    let value = "x".repeat(VALUE_BYTES);
    for n in 0..200 {
        let put = Request::put(format!("/api/v1/kv/long/k{n:03}"), format!(r#"{{"value":"{value}"}}"#));
        connection.send(&put).expect("an answer").expect(200);
    }
    let before = server.resident_bytes();
    let mut lists: Vec<Connection> = (0..4).map(|_| server.connect()).collect();
    for list in &mut lists {
        list.write(&Request::get("/api/v1/kv/long")).expect("send");
        assert_eq!(list.read_head().expect("a head").status, 200);
    }
    for n in 0..200 {
        let put = Request::put(format!("/api/v1/kv/long/k{n:03}"), r#"{"value":"new"}"#);
        connection.send(&put).expect("an answer").expect(200);
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 150 << 20, "four lists of 50 MiB cost {} MiB", grown >> 20);
    let mut body = Vec::new();
    while let Some(chunk) = lists[0].read_chunk().expect("a chunk") {
        body.extend_from_slice(&chunk);
    }
    let list: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 200);
    assert!(items.iter().all(|item| item["version"] == 1), "the list shows writes made after its head");
    drop(lists);
    server.assert_alive();
}
