//! Readers of the feed that come and go, over restarts: every change once, in order.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::harness::{Connection, Event, EventStream, Frame, Request, Server, Socket, SocketOptions};

/// Writes that the readers of these tests follow, and the restarts in between.
const WRITES: u64 = 600;
const RESTARTS: [u64; 4] = [100, 230, 380, 500];

/// Writes `1..=WRITES`, each acknowledged once, and restarts the server on the way: stop and kill in turns.
fn write_over_restarts(server: &mut Server, written: &AtomicU64) {
    let mut connection = server.connect();
    for n in 1..=WRITES {
        let namespace = if n % 2 == 0 { "tenant:acme%2Ffeed" } else { "other" };
        let put = Request::put(format!("/api/v1/kv/{namespace}/k{}", n % 7), format!(r#"{{"value":{n}}}"#));
        connection.send(&put).expect("an answer").expect(200);
        written.store(n, Ordering::Relaxed);
        if RESTARTS.contains(&n) {
            drop(connection);
            if n % 20 == 0 {
                server.kill()
            } else {
                server.stop()
            }
            server.start_again();
            connection = server.connect();
        }
    }
}

#[test]
fn a_poller_that_reconnects_all_the_time_sees_every_change_once_in_order() {
    let mut server = Server::start();
    let address = server.unison();
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let all = scope.spawn(move || {
            let (mut after, mut values) = (0, Vec::new());
            while after < WRITES {
                let request = Request::get(format!("/api/v1/changes?after={after}&limit=7&wait=1000"));
                // The server may be down, or go down while we wait.
                let Ok(page) = Connection::try_open(address).and_then(|mut c| c.send(&request)) else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                if page.status == 503 {
                    continue;
                }
                let page = page.expect(200).json();
                values.extend(page["changes"].as_array().expect("changes").iter().map(|c| c["value"].as_u64()));
                after = page["lastSeq"].as_u64().expect("lastSeq");
            }
            values
        });
        write_over_restarts(&mut server, &written);
        assert_eq!(all.join().expect("the reader"), (1..=WRITES).map(Some).collect::<Vec<_>>());
    });
}

#[test]
fn an_event_stream_that_is_cut_and_resumed_sees_every_change_once_in_order() {
    let mut server = Server::start();
    let address = server.unison();
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let events = scope.spawn(move || {
            let (mut last, mut values, mut streams) = (0, Vec::new(), 0);
            while last < WRITES {
                let request = Request::get("/api/v1/changes/stream").header("Last-Event-ID", last.to_string());
                let Ok(Ok(mut stream)) = EventStream::open(address, &request) else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                streams += 1;
                // Cut by us after some changes, or by the restart.
                let mut taken = 0;
                while taken < 50
                    && last < WRITES
                    && let Ok(Some(event)) = stream.next()
                {
                    match event.event.as_str() {
                        "change" => {
                            values.push(event.json()["value"].as_u64());
                            last = event.id.parse().expect("a seq");
                            taken += 1;
                        }
                        "ready" => assert_eq!(event.id, last.to_string()),
                        "synced" | "progress" => {}
                        other => panic!("event {other}: {event:?}"),
                    }
                }
            }
            (values, streams)
        });
        write_over_restarts(&mut server, &written);
        let (values, streams) = events.join().expect("the reader");
        assert_eq!(values, (1..=WRITES).map(Some).collect::<Vec<_>>());
        assert!(streams > WRITES / 50, "only {streams} streams: it was not cut");
    });
}

#[test]
fn a_watch_resumes_by_since_over_restarts_without_gap_or_duplicate() {
    let mut server = Server::start();
    let address = server.unison();
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let (mut since, mut values) = (0, Vec::new());
            while since < WRITES {
                let Ok(mut socket) = Socket::open(address, &SocketOptions::default()) else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                let params = format!(r#"{{"namespace":"tenant:acme","since":{since}}}"#);
                socket.send(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{params}}}"#));
                while since < WRITES
                    && let Frame::Text(text) = socket.receive(Duration::from_secs(20))
                {
                    let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                    if message.get("error").is_some() {
                        // Still starting, or stopping already: ask a new socket.
                        break;
                    }
                    if message["method"] == "watch/change" {
                        values.push(message["params"]["value"].as_u64());
                        since = message["params"]["seq"].as_u64().expect("a seq");
                    }
                }
            }
            values
        });
        write_over_restarts(&mut server, &written);
        let even: Vec<_> = (1..=WRITES).filter(|n| n % 2 == 0).map(Some).collect();
        assert_eq!(watch.join().expect("the watcher"), even);
    });
}

#[test]
fn a_long_poll_returns_within_100_ms_of_a_write() {
    let server = Server::start();
    let mut connection = server.connect();
    let mut late = Vec::new();
    for n in 1..=7_u64 {
        let mut poller = server.connect();
        poller.write(&Request::get(format!("/api/v1/changes?after={}&wait=60000", n - 1))).expect("send");
        // The poll must be waiting for this to show anything; there is no event for "it waits".
        std::thread::sleep(Duration::from_millis(100));
        connection.send(&Request::put("/api/v1/kv/a/k", format!(r#"{{"value":{n}}}"#))).expect("an answer").expect(200);
        let written = Instant::now();
        let page = poller.read_response("GET").expect("a page").expect(200).json();
        late.push(written.elapsed());
        assert_eq!(page["changes"][0]["value"], n);
    }
    // The middle one counts: a busy machine may hold up single ones.
    late.sort_unstable();
    assert!(late[3] < Duration::from_millis(100), "{late:?}");
}

#[test]
fn a_long_poll_is_not_woken_by_what_it_filters_out() {
    let server = Server::start();
    let mut poller = server.connect();
    poller.write(&Request::get("/api/v1/changes?tenant=acme&wait=60000")).expect("send");
    for n in 0..20 {
        server.put(&format!("/api/v1/kv/other/k{n}"), "1").expect(200);
    }
    server.put("/api/v1/kv/tenant:acme/k", "7").expect(200);
    let page = poller.read_response("GET").expect("a page").expect(200).json();
    assert_eq!(page["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["changes"][0]["seq"], 21);
    assert_eq!(page["lastSeq"], 21);
}

#[test]
fn an_idle_wait_ends_empty_with_the_head_after_its_time() {
    let server = Server::start();
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let start = Instant::now();
    let page = server.get("/api/v1/changes?after=1&wait=5000").expect(200);
    assert_eq!(page.text(), r#"{"changes":[],"lastSeq":1}"#);
    assert!((5000..7000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[test]
fn min_seq_waits_for_the_write_it_names() {
    let server = Server::start();
    let mut reader = server.connect();
    reader.write(&Request::get("/api/v1/kv/a/k?minSeq=3")).expect("send");
    for n in 1..=3 {
        server.put("/api/v1/kv/a/k", &n.to_string()).expect(200);
    }
    let response = reader.read_response("GET").expect("an entry").expect(200);
    assert_eq!(response.json()["value"], 3);
    assert_eq!(response.header("x-unison-seq"), Some("3"));
}

#[test]
fn every_event_is_one_line_of_data_even_if_the_value_has_several() {
    let server = Server::start();
    let mut stream = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?after=0"));
    server.put("/api/v1/kv/a/k", "{\r\n  \"a\": [1,\n2],\r\"b\":\"x\\ny\"\n}").expect(200);
    let change = next_change(&mut stream);
    assert_eq!(change.data_lines, 1, "{change:?}");
    assert_eq!(change.json()["value"], serde_json::json!({"a": [1, 2], "b": "x\ny"}));
}

#[test]
fn an_expiry_is_an_event_within_50_ms_of_its_deadline() {
    let server = Server::start();
    let mut stream = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream"));
    let mut late: Vec<Duration> = Vec::new();
    for n in 0..10 {
        let put = Request::put(format!("/api/v1/kv/a/k{n}"), r#"{"value":1,"ttlMs":100}"#);
        let deadline =
            Duration::from_millis(server.send(&put).expect(200).json()["expiresAt"].as_u64().expect("a time"));
        assert_eq!(next_change(&mut stream).json()["op"], "set");
        let expiry = next_change(&mut stream).json();
        assert_eq!(expiry["reason"], "expired");
        late.push(Duration::from_millis(crate::harness::now_ms()).saturating_sub(deadline));
        assert!(expiry["timestamp"].as_u64().expect("a time") >= deadline.as_millis() as u64, "too early: {expiry}");
    }
    late.sort_unstable();
    // "Typically": the middle one counts, a busy machine may hold up single ones.
    assert!(late[5] < Duration::from_millis(50), "{late:?}");
}

#[test]
fn an_idle_stream_shows_its_progress_after_15_seconds() {
    let server = Server::start();
    let mut stream = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?tenant=quiet"));
    let mut socket = Socket::start(server.unison());
    socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"tenant:quiet"}}"#);
    assert_eq!(stream.expect().event, "ready");
    server.put("/api/v1/kv/other/k", "1").expect(200);
    let start = Instant::now();
    let progress = stream.expect();
    assert_eq!(
        (progress.event.as_str(), progress.id.as_str(), progress.data.as_str()),
        ("progress", "1", r#"{"seq":1}"#)
    );
    assert!((14..19).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(socket.expect(), r#"{"jsonrpc":"2.0","method":"watch/progress","params":{"seq":1}}"#);
}

#[test]
fn a_thousand_subscriptions_fit_on_a_socket_and_no_more() {
    let server = Server::start();
    let mut socket = Socket::start(server.unison());
    for n in 0..=1000 {
        let params = format!(r#"{{"namespace":"n{n}"}}"#);
        let answer =
            socket.call(&format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"watch/subscribe","params":{params}}}"#));
        if n < 1000 {
            assert_eq!(answer["result"]["ok"], true, "{answer}");
        } else {
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    }
    server.put("/api/v1/kv/n1000/k", "1").expect(200);
    server.put("/api/v1/kv/n999/k", "1").expect(200);
    assert_eq!(socket.expect_json()["params"]["namespace"], "n999");
}

#[test]
fn max_rate_keeps_the_newest_of_a_key() {
    let server = Server::start();
    let mut socket = Socket::start(server.unison());
    let answer =
        socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"fast","maxRate":5}}"#);
    assert_eq!(answer["result"]["ok"], true, "{answer}");
    let mut connection = server.connect();
    let start = Instant::now();
    for n in 1..=200 {
        connection
            .send(&Request::put("/api/v1/kv/fast/k", format!(r#"{{"value":{n}}}"#)))
            .expect("an answer")
            .expect(200);
    }
    let (mut count, mut last) = (0, 0);
    while last < 200 {
        let change = socket.expect_json();
        let value = change["params"]["value"].as_u64().expect("a value");
        assert!(value > last, "order per key: {value} after {last}");
        (count, last) = (count + 1, value);
    }
    let most = 2 + 5 * (start.elapsed().as_secs() + 1);
    assert!(count <= most, "{count} notifications in {:?}", start.elapsed());
}

fn next_change(stream: &mut EventStream) -> Event {
    loop {
        let event = stream.expect();
        if event.event == "change" {
            return event;
        }
    }
}
