//! An end in order while clients are connected over TLS.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Encrypted, assert_ends_in_order};
use crate::harness::{Connection, EventStream, Frame, Request, Socket};

#[test]
fn connected_clients_are_sent_home_and_told_that_it_is_the_end() {
    let Encrypted { authority, mut server } = Encrypted::start();
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let to = authority.at(server.unison());
    let mut poll = Connection::open(to.clone());
    poll.write(&Request::get("/api/v1/changes?after=1&wait=60000")).expect("send");
    let mut events = EventStream::start(to.clone(), &Request::get("/api/v1/changes/stream"));
    assert_eq!(events.expect().event, "ready");
    let mut socket = Socket::start(to.clone());
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"a"}}"#;
    assert_eq!(socket.call(subscribe)["result"]["ok"], true);
    let mut idle: Vec<Connection> = (0..20)
        .map(|_| {
            let mut connection = Connection::open(to.clone());
            connection.send(&Request::get("/api/v1/health")).expect("an answer").expect(200);
            connection
        })
        .collect();
    let mut silent = Connection::open(to.clone());
    // Of a request the server has seen a part.
    let mut running = Connection::open(to);
    running.write_raw(&Request::put("/api/v1/kv/a/late", r#"{"value":1}"#).head()).expect("send");
    server.put("/api/v1/kv/b/other", "1").expect(200);

    let start = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(poll.read_response("GET").expect("an answer").status, 200);
    assert_ends_in_order(poll.wire());
    assert_eq!(socket.receive(Duration::from_secs(5)), Frame::Closed(Some(1001)));
    while socket.receive(Duration::from_secs(5)) == Frame::Nothing {}
    assert_ends_in_order(socket.wire());
    events.patience(Duration::from_secs(5));
    while events.next().expect("an end, not a silence").is_some() {}
    idle.iter_mut().for_each(|connection| assert_ends_in_order(connection.wire()));
    assert_ends_in_order(silent.wire());
    running.write_raw(br#"{"value":1}"#).expect("send");
    assert_eq!(running.read_response("PUT").expect("an answer").status, 200);
    assert_ends_in_order(running.wire());
    server.expect_clean_exit();
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}
