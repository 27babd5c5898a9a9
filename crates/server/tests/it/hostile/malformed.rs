//! Bytes that are almost HTTP, or not at all.

use std::time::Duration;

use super::repeat_and_stay_flat;
use crate::harness::{Server, raw_exchange};

struct Case {
    what: &'static str,
    bytes: Vec<u8>,
    /// Statuses that are a clean answer.
    statuses: &'static [u16],
    /// Whether the dialect's JSON error body must be there.
    json: bool,
}

fn case(what: &'static str, bytes: impl Into<Vec<u8>>, statuses: &'static [u16]) -> Case {
    Case { what, bytes: bytes.into(), statuses, json: false }
}

fn json(what: &'static str, bytes: impl Into<Vec<u8>>, statuses: &'static [u16]) -> Case {
    Case { json: true, ..case(what, bytes, statuses) }
}

const KEY: &str = "Authorization: Bearer dev\r\nConnection: close\r\n";

fn get(lines: &str) -> String {
    format!("GET /api/v1/changes HTTP/1.1\r\n{KEY}{lines}\r\n")
}

fn put(lines: &str, body: &str) -> String {
    format!("PUT /api/v1/kv/h/k HTTP/1.1\r\n{KEY}{lines}\r\n{body}")
}

fn cases() -> Vec<Case> {
    let mut tls = vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    tls.extend([0xa5; 200]);
    let many_headers: String = (0..2000).map(|n| format!("X-{n}: 1\r\n")).collect();
    vec![
        json("no Host", get(""), &[400]),
        json("two Host headers", get("Host: a\r\nHost: a\r\n"), &[400]),
        json("two different Host headers", get("Host: a\r\nHost: b\r\n"), &[400]),
        json("a Host that is none", get("Host: a b\r\n"), &[400]),
        json("a Host with a path", get("Host: a/b\r\n"), &[400]),
        json("a Host with user info", get("Host: u@a\r\n"), &[400]),
        case("both lengths", put("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), &[400]),
        case("two lengths", put("Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n", "123456"), &[400]),
        case("a list of lengths", put("Host: a\r\nContent-Length: 5, 6\r\n", "123456"), &[400]),
        case("a negative length", put("Host: a\r\nContent-Length: -1\r\n", ""), &[400]),
        case("a signed length", put("Host: a\r\nContent-Length: +5\r\n", "12345"), &[400]),
        case("a length that is no number", put("Host: a\r\nContent-Length: x\r\n", ""), &[400]),
        case("a length beyond 64 bits", put("Host: a\r\nContent-Length: 99999999999999999999\r\n", ""), &[400, 413]),
        json("a length close to 64 bits", put("Host: a\r\nContent-Length: 9223372036854775807\r\n", ""), &[413]),
        case("an unknown coding", put("Host: a\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"), &[400, 501]),
        case("chunked is not last", put("Host: a\r\nTransfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), &[400, 501]),
        json("a broken chunk size", put("Host: a\r\nTransfer-Encoding: chunked\r\n", "zz\r\n12\r\n0\r\n\r\n"), &[400]),
        json("a chunk size beyond u64", put("Host: a\r\nTransfer-Encoding: chunked\r\n", "1ffffffffffffffff\r\nabc"), &[400, 413]),
        case("a NUL in a header", get("Host: a\r\nX-A: a\0b\r\n"), &[400]),
        case("a bare line feed in a header name", get("Host: a\r\nX-\nA: b\r\n"), &[400]),
        case("a space before the colon", get("Host: a\r\nX-A : b\r\n"), &[400]),
        case("a folded header", get("Host: a\r\nX-A: b\r\n c\r\n"), &[400]),
        case("a header without colon", get("Host: a\r\nnonsense\r\n"), &[400]),
        case("a header of a megabyte", get(&format!("Host: a\r\nX-A: {}\r\n", "x".repeat(1 << 20))), &[400, 431]),
        case("two thousand headers", get(&format!("Host: a\r\n{many_headers}")), &[400, 431]),
        json("a long target", format!("GET /{} HTTP/1.1\r\nHost: a\r\n{KEY}\r\n", "x".repeat(33_000)), &[414]),
        case("a huge target", format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1 << 20)), &[400, 414, 431]),
        case("another protocol", "GET / SPDY/3\r\nHost: a\r\n\r\n", &[400]),
        case("a version that does not exist", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", &[400, 505]),
        case("no version", "GET /\r\n\r\n", &[400]),
        case("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 505]),
        case("a TLS greeting", tls, &[400]),
        case("zeros", vec![0; 4096], &[400]),
        case("all bytes", (0..=255_u8).cycle().take(4096).collect::<Vec<u8>>(), &[400]),
        case("a space in the target", "GET /api/v1/kv/a b HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        case("raw bytes above ASCII in the target", b"GET /api/v1/kv/a/\xff\xfe HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\nConnection: close\r\n\r\n".to_vec(), &[400]),
        case("a target without slash", "GET api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n", &[400, 401, 404]),
        case("a method with a strange byte", "G@T{} / HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        json("a key of strange bytes", b"GET /api/v1/changes HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer \xff\xfe\x80\r\n\r\n".to_vec(), &[401]),
        json("an asterisk target", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[401]),
        json("HTTP/1.0 needs no Host", format!("GET /api/v1/nowhere HTTP/1.0\r\n{KEY}\r\n"), &[404]),
        json("a body that is not UTF-8", [put("Host: a\r\nContent-Length: 13\r\n", "{\"value\":\"").as_bytes(), b"\xff\"}"].concat(), &[400]),
        json("a bad escape", format!("GET /api/v1/kv/a/%c3%28 HTTP/1.1\r\nHost: a\r\n{KEY}\r\n"), &[400]),
    ]
}

#[test]
fn malformed_requests_get_a_clean_answer_and_the_server_goes_on() {
    let mut server = Server::start();
    let mut wrong = Vec::new();
    for case in cases() {
        let answer = raw_exchange(server.unison(), &case.bytes, Duration::from_secs(5));
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
        let shown: String = answer.chars().take(300).collect();
        if !status.is_some_and(|status| case.statuses.contains(&status)) {
            wrong.push(format!("{}: expected one of {:?}, got {shown:?}", case.what, case.statuses));
        } else if case.json && !answer.contains("\r\n\r\n{\"error\":\"") {
            wrong.push(format!("{}: not in the dialect's form: {shown:?}", case.what));
        } else if answer.matches("HTTP/1.").count() > 1 {
            wrong.push(format!("{}: more than one answer: {shown:?}", case.what));
        }
        server.assert_alive();
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases().len(), wrong.join("\n"));
}

#[test]
fn malformed_requests_leave_no_memory_behind() {
    let mut server = Server::start();
    let cases = cases();
    repeat_and_stay_flat(&mut server, 20, |server| {
        for case in &cases {
            raw_exchange(server.unison(), &case.bytes, Duration::from_secs(5));
        }
    });
}

#[test]
fn bytes_that_are_no_request_close_the_connection() {
    let server = Server::start();
    let start = std::time::Instant::now();
    let answer = raw_exchange(server.unison(), b"\x01\x02\x03nonsense\r\n\r\n", Duration::from_secs(5));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(4), "the connection stayed open");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let put = |n: u32| {
        let body = format!(r#"{{"value":{n}}}"#);
        format!(
            "PUT /api/v1/kv/p/k HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let last = format!("GET /api/v1/kv/p/k HTTP/1.1\r\nHost: a\r\n{KEY}\r\n");
    let all: String = (1..=20).map(put).chain([last]).collect();
    let answers = raw_exchange(server.unison(), all.as_bytes(), Duration::from_secs(10));
    let versions: Vec<&str> =
        answers.split(r#""version":"#).skip(1).filter_map(|rest| rest.split(',').next()).collect();
    let expected: Vec<String> = (1..=20).chain([20]).map(|n: u32| n.to_string()).collect();
    assert_eq!(versions, expected, "{answers}");
}

#[test]
fn a_body_left_unread_never_becomes_the_next_request() {
    let server = Server::start();
    let inner = "DELETE /api/v1/kv/s/k HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dev\r\n\r\n";
    server.put("/api/v1/kv/s/k", "1").expect(200);
    for head in [
        "GET /api/v1/kv/s/k HTTP/1.1\r\nAuthorization: Bearer dev\r\n",
        "PUT /api/v1/kv/s/k HTTP/1.1\r\nAuthorization: Bearer ro\r\n",
        "PUT /api/v1/kv/s/k HTTP/1.1\r\n",
        "POST /api/v1/cluster/join HTTP/1.1\r\nAuthorization: Bearer dev\r\n",
        "POST /nowhere HTTP/1.1\r\nAuthorization: Bearer dev\r\n",
    ] {
        let request = format!("{head}Host: a\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
        let answers = raw_exchange(server.unison(), request.as_bytes(), Duration::from_millis(300));
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{head}: {answers}");
    }
    assert_eq!(server.get("/api/v1/kv/s/k").expect(200).json()["version"], 1);
}
