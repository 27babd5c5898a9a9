//! The bodies of all requests together.

use std::time::Duration;

use super::{ask, listeners, write_of};
use crate::{
    edgecomet::daemon::Daemon,
    harness::{Connection, Data, Frame, OpCode, Server, Socket, SocketOptions, eventually},
};

const TOGETHER: i64 = 1 << 20;
/// Fits when nothing else is there, and not beside [`HELD`].
const LARGE: usize = 600_000;
const HELD: usize = 800_000;

/// Sends most of a large body and stops.
fn hold(server: &Server) -> Connection {
    let mut connection = server.connect();
    let head =
        "PUT /api/v1/kv/l/held HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\nContent-Length: 1000000\r\n\r\n";
    connection.write_raw(head.as_bytes()).expect("send");
    connection.write_raw(&vec![b' '; HELD]).expect("send");
    connection
}

fn wait_for_bytes(server: &Server, what: &str, there: impl Fn(f64) -> bool) {
    let held = || there(server.metric("manifold_request_bodies_bytes")).then_some(());
    eventually(what, Duration::from_secs(5), held);
}

#[test]
fn bodies_that_are_too_large_together_are_refused_in_the_form_of_each_dialect() {
    let server = Server::with(Daemon::settings().set("limits.bodies_bytes", TOGETHER));
    for (name, address) in listeners(&server) {
        let answer = ask(address, &write_of(name, LARGE));
        assert!(answer.status < 300, "{name}: {} {}", answer.status, answer.text());
    }
    let held = hold(&server);
    wait_for_bytes(&server, "the held body", |bytes| bytes > 700_000.0);
    for (name, address) in listeners(&server) {
        let answer = ask(address, &write_of(name, LARGE));
        let (status, text, retry) = match name {
            "unison" => (503, "Overloaded", Some("1")),
            "flo" => (429, "Server at capacity, retry later", Some("1")),
            "synap" => (503, "Server overloaded", Some("1")),
            "dunena" => (503, "Too many request bodies", Some("1")),
            _ => (503, "too many request bodies", None),
        };
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert!(answer.text().contains(text), "{name}: {}", answer.text());
        assert_eq!(answer.header("retry-after"), retry, "{name}");
        // Small ones are never refused for what others send.
        let small = ask(address, &write_of(name, 10_000));
        assert!(small.status < 300, "{name}: {} {}", small.status, small.text());
    }
    assert_eq!(server.metric("manifold_request_bodies_refused_total"), 5.0);
    held.reset();
    wait_for_bytes(&server, "room", |bytes| bytes == 0.0);
    for (name, address) in listeners(&server) {
        let answer = ask(address, &write_of(name, LARGE));
        assert!(answer.status < 300, "{name}: {} {}", answer.status, answer.text());
    }
}

#[test]
fn messages_of_sockets_that_are_not_complete_count_too() {
    let server = Server::with(Daemon::settings().set("limits.bodies_bytes", TOGETHER));
    let routes = [
        (server.unison(), SocketOptions::default()),
        (server.synap(), SocketOptions::to("/api/v1/ws")),
        (server.dunena(), SocketOptions::to("/ws")),
    ];
    let half = [b"{\"x\":\"".as_slice(), &vec![b'x'; HELD]].concat();
    for (address, options) in routes {
        let mut holding = Socket::open(address, &options).expect("a socket");
        holding.send_frame(OpCode::Data(Data::Text), false, &half);
        wait_for_bytes(&server, "half a message", |bytes| bytes > 700_000.0);
        let large = ask(server.unison(), &write_of("unison", LARGE));
        assert_eq!(large.status, 503, "{}", large.text());
        // Who would hold more than there is room for is cut.
        let mut second = Socket::open(address, &options).expect("a socket");
        second.send_frame(OpCode::Data(Data::Text), false, &half);
        let cut = eventually("the second one is cut", Duration::from_secs(10), || {
            Some(second.receive(Duration::from_secs(10))).filter(|frame| !matches!(frame, Frame::Text(_)))
        });
        assert_eq!(cut, Frame::Gone);
        holding.send_frame(OpCode::Data(Data::Continue), true, b"\"}");
        wait_for_bytes(&server, "the complete message is counted no more", |bytes| bytes == 0.0);
        assert!(matches!(holding.receive(Duration::from_secs(10)), Frame::Text(_)), "the first one is answered");
    }
}
