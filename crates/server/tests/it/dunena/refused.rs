//! Requests that are refused before any handler sees them.

use crate::harness::{Connection, Response, Server, Settings};

/// Longer than any target.
const TARGET: usize = 33_000;

fn refused(server: &Server, headers: &str) -> Response {
    let mut connection = Connection::open(server.dunena());
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n{headers}\r\n", "x".repeat(TARGET));
    connection.write_raw(request.as_bytes()).expect("send");
    connection.read_response("GET").expect("an answer").expect(414)
}

#[test]
fn their_answers_have_what_all_answers_have() {
    let origins = toml::Value::from(vec!["http://a", "http://b"]);
    let mut server = Server::with(Settings::default().set("dunena.cors_origins", origins));
    let answer = refused(&server, "Origin: http://b\r\nX-Request-Id: a.B_c-9\r\n");
    assert_eq!(answer.text(), r#"{"error":"Request target too long"}"#);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://b"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(answer.header("x-request-id"), Some("a.B_c-9"));
    let answer = refused(&server, "Origin: http://c\r\nX-Request-Id: a/b\r\n");
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://a"), "one that is not listed");
    let id = answer.header("x-request-id").expect("an id");
    assert!(!id.is_empty() && id != "a/b", "{id}");
    server.stop();
}
