//! How the process ends when it is told to.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Connection, EventStream, Frame, Request, Server, Socket};

#[test]
fn term_and_int_end_the_process_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        server.put("/api/v1/kv/a/k", "1").expect(200);
        server.signal(signal);
        server.expect_clean_exit();
        server.start_again();
        server.get("/api/v1/kv/a/k").expect(200);
    }
}

#[test]
fn a_request_that_runs_is_finished() {
    let mut server = Server::start();
    let body = format!(r#"{{"value":"{}"}}"#, "x".repeat(1000));
    let mut running = server.connect();
    let head = Request::put("/api/v1/kv/a/k", body.clone()).head();
    running.write_raw(&head).expect("send");
    running.write_raw(&body.as_bytes()[..500]).expect("send");
    // The server must have seen the head; a second request on another connection comes after it.
    server.put("/api/v1/kv/a/other", "1").expect(200);
    std::thread::sleep(Duration::from_millis(100));
    server.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(200));
    running.write_raw(&body.as_bytes()[500..]).expect("send the rest");
    let answer = running.read_response("PUT").expect("an answer").expect(200);
    assert_eq!(answer.json()["version"], 1);
    server.expect_clean_exit();
    server.start_again();
    server.get("/api/v1/kv/a/k").expect(200);
}

#[test]
fn nobody_new_is_served_while_it_drains() {
    let mut server = Server::start();
    let mut held = server.connect();
    held.write_raw(&Request::put("/api/v1/kv/a/k", vec![b' '; 100]).head()).expect("send");
    server.put("/api/v1/kv/a/other", "1").expect(200);
    std::thread::sleep(Duration::from_millis(100));
    server.signal(Signal::TERM);
    let address = server.unison();
    crate::harness::eventually("new connections are refused", Duration::from_secs(2), || {
        Connection::try_open(address).is_err().then_some(())
    });
    // The one who never finishes holds the end up for ten seconds at most.
    server.expect_clean_exit();
}

#[test]
fn waiting_clients_are_sent_home_at_once() {
    let mut server = Server::start();
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let mut poll = server.connect();
    poll.write(&Request::get("/api/v1/changes?after=1&wait=60000")).expect("send");
    let mut min_seq = server.connect();
    min_seq.write(&Request::get("/api/v1/kv/a/k?minSeq=1000")).expect("send");
    let mut events = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream"));
    assert_eq!(events.expect().event, "ready");
    let mut socket = Socket::start(server.unison());
    socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"a"}}"#);
    let idle: Vec<Connection> = (0..50)
        .map(|_| {
            let mut connection = server.connect();
            connection.send(&Request::get("/api/v1/health")).expect("an answer").expect(200);
            connection
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    server.signal(Signal::TERM);
    let page = poll.read_response("GET").expect("an answer");
    assert_eq!((page.status, page.text().as_str()), (200, r#"{"changes":[],"lastSeq":1}"#));
    // Whoever is not sent home is cut off after ten seconds.
    assert!(start.elapsed() < Duration::from_secs(8), "the long poll took {:?}", start.elapsed());
    let refused = min_seq.read_response("GET").expect("an answer");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(socket.receive(Duration::from_secs(5)), Frame::Closed(Some(1001)));
    events.patience(Duration::from_secs(5));
    assert!(events.next().expect("an end, not a silence").is_none());
    server.expect_clean_exit();
    assert!(start.elapsed() < Duration::from_secs(9), "idle connections held it up for {:?}", start.elapsed());
    drop(idle);
}

#[test]
fn a_clean_stop_and_start_keeps_writing_where_it_was() {
    let mut server = Server::start();
    for n in 1..=5 {
        server.put("/api/v1/kv/a/k", "1").expect(200);
        server.restart();
        let head = server.get("/api/v1/changes").expect(200).json();
        assert_eq!(head["lastSeq"], n);
    }
}
