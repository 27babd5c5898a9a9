//! A body may have 5 MiB and not a byte more, announced or not.

use crate::harness::{Connection, Request, Response, Server, Settings};

const LIMIT: usize = 5_242_880;
const HEAD: &str = "POST /cache/k HTTP/1.1\r\nHost: a\r\n";

/// A value, and blanks up to that length.
fn body(length: usize) -> Vec<u8> {
    let mut body = br#"{"value":"v"}"#.to_vec();
    body.resize(length, b' ');
    body
}

/// What is too long is not sent: its length is enough.
fn announced(server: &Server, length: usize) -> Response {
    let mut connection = Connection::open(server.dunena());
    connection.write_raw(format!("{HEAD}Content-Length: {length}\r\n\r\n").as_bytes()).expect("send");
    if length <= LIMIT {
        connection.write_raw(&body(length)).expect("send");
    }
    connection.read_response("POST").expect("an answer")
}

/// Sends all of it, unless the server answers and closes before.
fn chunked(server: &Server, length: usize) -> Response {
    let mut connection = Connection::open(server.dunena());
    connection.write_raw(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).expect("send");
    for part in body(length).chunks(1 << 20) {
        let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        if connection.write_raw(&chunk).is_err() {
            break;
        }
    }
    connection.write_raw(b"0\r\n\r\n").ok();
    connection.read_response("POST").expect("an answer")
}

#[test]
fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let mut server = Server::start();
    for send in [announced, chunked] {
        let refused = send(&server, LIMIT + 1).expect(413);
        assert_eq!(refused.text(), r#"{"error":"Request body too large"}"#);
        assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
        assert_eq!(send(&server, LIMIT).expect(201).text(), r#"{"ok":true}"#);
    }
    server.stop();
}

#[test]
fn a_body_that_is_too_long_does_not_count_against_the_limit_of_requests() {
    let mut server = Server::with(Settings::default().set("dunena.rate_max", 1));
    for send in [announced, chunked] {
        send(&server, LIMIT + 1).expect(413);
    }
    let ask = || Connection::open(server.dunena()).send(&Request::get("/info").key(None)).expect("an answer");
    ask().expect(200);
    ask().expect(429);
    server.stop();
}
