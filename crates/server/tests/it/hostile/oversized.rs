//! Bodies that are too large, announced or not, and bodies that lie about their length.

use std::time::Duration;

use super::repeat_and_stay_flat;
use crate::harness::{Connection, Response, Server};

const LIMIT: usize = 16 << 20;
const HEAD: &str = "PUT /api/v1/kv/big/k HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\n";

fn announced(server: &Server, length: u64) -> Response {
    let mut connection = server.connect();
    connection.write_raw(format!("{HEAD}Content-Length: {length}\r\n\r\n").as_bytes()).expect("send");
    connection.read_response("PUT").expect("an answer before the body")
}

/// Sends `length` bytes in chunks, until the server answers and closes.
fn chunked(server: &Server, length: usize) -> Response {
    let mut connection = server.connect();
    connection.write_raw(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).expect("send");
    let mut body = br#"{"value":""#.to_vec();
    body.resize(length - 2, b'x');
    body.extend_from_slice(br#""}"#);
    for part in body.chunks(1 << 20) {
        let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        if connection.write_raw(&chunk).is_err() {
            break;
        }
    }
    connection.write_raw(b"0\r\n\r\n").ok();
    connection.read_response("PUT").expect("an answer")
}

#[test]
fn an_announced_body_is_refused_before_it_is_sent() {
    let mut server = Server::start();
    repeat_and_stay_flat(&mut server, 100, |server| {
        for length in [LIMIT as u64 + 1, 100 << 20, 1 << 40, i64::MAX as u64] {
            let answer = announced(server, length);
            assert_eq!((answer.status, answer.text().as_str()), (413, r#"{"error":"Payload too large"}"#));
        }
    });
}

#[test]
fn a_body_of_unknown_length_is_refused_when_it_passes_the_limit() {
    let mut server = Server::start();
    assert_eq!(chunked(&server, LIMIT).status, 200);
    repeat_and_stay_flat(&mut server, 5, |server| {
        let answer = chunked(server, LIMIT + 1);
        assert_eq!((answer.status, answer.text().as_str()), (413, r#"{"error":"Payload too large"}"#));
    });
    assert_eq!(server.get("/api/v1/changes?keysOnly=1").json()["lastSeq"], 1);
}

#[test]
fn a_client_that_waits_for_100_continue_is_told_413_instead() {
    let server = Server::start();
    let mut connection = server.connect();
    let length = LIMIT + 1;
    connection
        .write_raw(format!("{HEAD}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n").as_bytes())
        .expect("send");
    assert_eq!(connection.read_response("PUT").expect("an answer").status, 413);
    let mut connection = server.connect();
    connection.write_raw(format!("{HEAD}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n").as_bytes()).expect("send");
    assert_eq!(connection.read_head().expect("a head").status, 100);
    connection.write_raw(br#"{"value":1}"#).expect("send");
    assert_eq!(connection.read_response("PUT").expect("an answer").status, 200);
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let mut server = Server::start();
    repeat_and_stay_flat(&mut server, 50, |server| {
        let mut connection = server.connect();
        connection.write_raw(format!("{HEAD}Content-Length: 1000000\r\n\r\n{{\"value\":1}}").as_bytes()).expect("send");
        drop(connection);
        let mut connection = server.connect();
        connection
            .write_raw(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nb\r\n{{\"value\":1}}\r\n").as_bytes())
            .expect("send");
        drop(connection);
    });
    assert_eq!(server.get("/api/v1/changes").json()["lastSeq"], 0);
}

#[test]
fn deep_json_is_refused_quickly_and_leaves_nothing() {
    let mut server = Server::start();
    let deep = |open: &str, close: &str, depth: usize| {
        format!(r#"{{"value":{}1{}}}"#, open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let bodies =
        [deep("[", "]", 8_000_000), deep(r#"{"a":"#, "}", 2_500_000), deep("[", "", 16_000_000), vec![b'['; LIMIT]];
    repeat_and_stay_flat(&mut server, 2, |server| {
        for body in &bodies {
            let mut connection: Connection = server.connect();
            connection.read_timeout(Duration::from_secs(20)).expect("a timeout can be set");
            let answer = connection.send(&crate::harness::Request::put("/api/v1/kv/big/k", body.clone()));
            assert_eq!(answer.expect("an answer").status, 400);
        }
    });
}
