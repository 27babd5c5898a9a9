//! Requests that wait for something: so many, and then an error.

use std::{net::SocketAddr, time::Duration};

use super::ask;
use crate::harness::{Connection, Request, Server, Settings, Socket, eventually};

const PLACES: usize = 10;

/// Sends a request that waits, on each of so many connections.
fn wait_on(address: SocketAddr, request: &Request, count: usize) -> Vec<Connection> {
    let one = |_| {
        let mut connection = Connection::open(address);
        connection.write(request).expect("send");
        connection
    };
    (0..count).map(one).collect()
}

#[test]
fn requests_of_flo_that_wait_have_places_like_all_others() {
    let server = Server::with(Settings::fast().set("flo.limits.max_inflight", PLACES as i64));
    let dequeue = Request::post("/api/v1/queue/n/q/dequeue", r#"{"block_ms":30000}"#).key(None);
    // One more than there are places: whichever comes last is refused, and from then on all others are known to wait.
    let mut waiting = wait_on(server.flo(), &dequeue, PLACES + 1);
    for connection in &mut waiting {
        connection.read_timeout(Duration::from_millis(20)).expect("a time-out");
    }
    let (place, refused) = eventually("one too many is refused", Duration::from_secs(10), || {
        let answers = waiting.iter_mut().map(|connection| connection.read_response("POST").ok());
        answers.enumerate().find_map(|(place, answer)| Some((place, answer?)))
    });
    drop(waiting.swap_remove(place));
    let read = Request::get("/api/v1/kv/n/k").key(None);
    for refused in [refused, ask(server.flo(), &read)] {
        assert_eq!(refused.status, 429);
        assert_eq!(
            refused.text(),
            r#"{"error":"overloaded","message":"Server at capacity, retry later","details":{}}"#
        );
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    // Who is gone has no place.
    waiting.pop().expect("a waiting request").reset();
    eventually("a place is free", Duration::from_secs(10), || (ask(server.flo(), &read).status == 404).then_some(()));
}

#[test]
fn a_long_poll_is_a_connection_and_counts_as_one() {
    let server = Server::with(Settings::fast().set("unison.max_connections", PLACES as i64));
    let poll = Request::get("/api/v1/changes?after=0&wait=30000");
    let mut waiting = wait_on(server.unison(), &poll, PLACES);
    let refused = eventually("all places are taken", Duration::from_secs(10), || {
        let answer = ask(server.unison(), &Request::get("/api/v1/health").key(None));
        (answer.status != 200).then_some(answer)
    });
    assert_eq!((refused.status, refused.text().as_str()), (503, r#"{"error":"Overloaded"}"#));
    waiting.pop().expect("a waiting request").reset();
    eventually("a place is free", Duration::from_secs(10), || {
        let connection = Connection::try_open(server.unison());
        let answer = connection.and_then(|mut connection| connection.send(&Request::get("/api/v1/health").key(None)));
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    });
}

#[test]
fn a_socket_has_so_many_subscriptions() {
    let server = Server::with(Settings::fast());
    let mut unison = Socket::start(server.unison());
    let subscribe = |n: usize| {
        format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"watch/subscribe","params":{{"namespace":"n{n}"}}}}"#)
    };
    for n in 0..1000 {
        assert_eq!(unison.call(&subscribe(n))["result"]["ok"], true, "subscription {n}");
    }
    assert_eq!(unison.call(&subscribe(1000))["error"]["message"], "Too many subscriptions (max 1000)");

    let mut synap = Socket::at(server.synap(), "/api/v1/ws");
    let subscribe = |n: usize| format!(r#"{{"command":"stream.subscribe","payload":{{"room":"r{n}"}}}}"#);
    for n in 0..1000 {
        let answer = synap.call(&subscribe(n));
        assert_eq!(answer["success"], true, "subscription {n}: {answer}");
    }
    let refused = synap.call(&subscribe(1000));
    assert_eq!(refused["success"], false, "{refused}");
}
