//! What the listener does before a request is one: sizes, times, and bytes that are no request.

use std::time::{Duration, Instant};

use super::daemon::Daemon;
use crate::harness::{Connection, Request, Response, raw_exchange};

const STATUS: &str = "GET /status HTTP/1.1\r\nHost: h\r\nX-Internal-Auth: dev\r\n";

#[track_caller]
fn assert_refused(answer: &Response, status: u16, message: &str) {
    let expected = format!(r#"{{"status":"error","message":"{message}"}}"#);
    assert_eq!((answer.status, answer.text()), (status, expected));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// Sends bytes and reads one answer.
fn answer_to(connection: &mut Connection, bytes: impl AsRef<[u8]>) -> Response {
    // The server may stop reading, and say why, before it has everything.
    connection.write_raw(bytes.as_ref()).ok();
    connection.read_response("POST").expect("an answer")
}

#[test]
fn headers_are_at_most_16_kib_long() {
    let daemon = Daemon::start(Daemon::settings());
    let with = |filler: usize| format!("{STATUS}X: {}\r\n\r\n", "x".repeat(filler));
    let mut connection = daemon.connect();
    answer_to(&mut connection, with(16_000)).expect(200);
    assert_refused(&answer_to(&mut connection, with(17_000)), 431, "request header too large");
    answer_to(&mut connection, format!("{STATUS}{}\r\n", "a: b\r\n".repeat(2_000))).expect(200);
    assert_refused(
        &answer_to(&mut connection, format!("{STATUS}{}\r\n", "a: b\r\n".repeat(3_000))),
        431,
        "request header too large",
    );
    let mut wrong = with(17_000).replace(": dev", ": wrong");
    assert_refused(&answer_to(&mut connection, &wrong), 401, "unauthorized");
    // Without an end in sight, nobody waits for the key.
    wrong = with(200_000);
    assert_refused(&answer_to(&mut connection, &wrong), 431, "request header too large");
    assert_refused(&answer_to(&mut daemon.connect(), &wrong[..100_000]), 431, "request header too large");
}

#[test]
fn a_body_is_at_most_as_long_as_configured() {
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.http_api.max_body_bytes", 1 << 20));
    let ask = |key: &str, bytes: usize| {
        let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8));
        let request = Request::post("/internal/cache/recache", body).key(None).header("X-Internal-Auth", key);
        daemon.connect().send(&request).expect("an answer")
    };
    assert_refused(&ask("dev", 1 << 20), 400, "host_id is required");
    assert_refused(&ask("dev", (1 << 20) + 1), 413, "request body too large");
    assert_refused(&ask("wrong", (1 << 20) + 1), 401, "unauthorized");
    // Chunks do not say how much there is.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 19, "x".repeat(1 << 19));
    let chunked = |key: &str| {
        let head = "POST /internal/cache/recache HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
        format!("{head}X-Internal-Auth: {key}\r\n\r\n{}0\r\n\r\n", chunk.repeat(3))
    };
    assert_refused(&answer_to(&mut daemon.connect(), chunked("dev")), 413, "request body too large");
    assert_refused(&answer_to(&mut daemon.connect(), chunked("wrong")), 401, "unauthorized");
}

#[test]
fn chunks_and_expectations_are_taken() {
    let daemon = Daemon::start(Daemon::settings());
    let head = "POST /internal/cache/invalidate HTTP/1.1\r\nHost: h\r\nX-Internal-Auth: dev\r\n";
    let mut connection = daemon.connect();
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\nd\r\n{{\"host_id\":1,\r\nf\r\n\"urls\":[\"a.b\"]}}\r\n0\r\n\r\n"
    );
    answer_to(&mut connection, chunked).expect(200);

    connection
        .write_raw(format!("{head}Content-Length: 28\r\nExpect: 100-continue\r\n\r\n").as_bytes())
        .expect("it is sent");
    assert_eq!(connection.read_head().expect("a head").status, 100);
    answer_to(&mut connection, r#"{"host_id":1,"urls":["a.b"]}"#).expect(200);
    // Nobody is asked for a body that will not be read.
    let mut connection = daemon.connect();
    let wrong = head.replace(": dev", ": wrong");
    let expecting = format!("{wrong}Content-Length: 28\r\nExpect: 100-continue\r\n\r\n");
    assert_refused(&answer_to(&mut connection, expecting), 401, "unauthorized");
}

#[test]
fn a_request_must_be_complete_in_time() {
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.http_api.request_timeout", "500ms"));
    let body = format!("{}Content-Length: 10\r\n\r\n{{", STATUS.replace("GET /status", "POST /internal/cache/recache"));
    for begun in [STATUS, &format!("{STATUS}X-Slow"), &body] {
        let started = Instant::now();
        let mut connection = daemon.connect();
        assert_refused(&answer_to(&mut connection, begun), 408, "request timeout");
        assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
        assert!(connection.is_closed_within(Duration::from_secs(5)).expect("it is readable"));
    }
    // Whoever rests between two requests is not slow.
    let mut connection = daemon.connect();
    answer_to(&mut connection, format!("{STATUS}\r\n")).expect(200);
    assert!(!connection.is_closed_within(Duration::from_millis(800)).expect("it is readable"));
    answer_to(&mut connection, format!("{STATUS}\r\n")).expect(200);
}

#[test]
fn what_is_no_request_gets_a_plain_400() {
    let daemon = Daemon::start(Daemon::settings());
    for bytes in
        ["hello\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n"]
    {
        let answer = raw_exchange(daemon.server.edgecomet(), bytes.as_bytes(), Duration::from_secs(5));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{bytes:?}: {answer:?}");
    }
    answer_to(&mut daemon.connect(), format!("{STATUS}\r\n")).expect(200);
}
