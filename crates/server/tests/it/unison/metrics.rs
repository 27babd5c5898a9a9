//! The numbers on the metrics listener.

use crate::harness::{AGENT_KEY, Connection, Request, Server, Socket, SocketOptions, eventually};

/// Contract I.11, without what belongs to idempotency keys.
const NAMES: [&str; 11] = [
    "unison_requests_total",
    "unison_request_duration_seconds",
    "unison_auth_failures_total",
    "unison_kv_entries",
    "unison_kv_tombstones",
    "unison_changes_head_seq",
    "unison_changes_oldest_seq",
    "unison_changes_bytes",
    "unison_expired_total",
    "unison_cas_conflicts_total",
    "unison_stream_clients",
];

/// The value of a series, by its name and some of its labels.
fn value(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    text.lines()
        .find(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{'])) && labels.iter().all(|label| line.contains(label))
        })
        .and_then(|line| line.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
}

#[test]
fn the_metrics_listener_shows_what_unison_did() {
    let server = Server::start();
    server.put("/api/v1/kv/secret-namespace/secret-key", "1").expect(200);
    server.send(&Request::put("/api/v1/kv/secret-namespace/secret-key", r#"{"value":1,"cas":9}"#)).expect(409);
    server.send(&Request::put("/api/v1/kv/secret-namespace/gone", r#"{"value":1,"ttlMs":1}"#)).expect(200);
    server.send(&Request::get("/api/v1/changes").key(None)).expect(401);
    server.send(&Request::get("/api/v1/changes").key(Some("wrong-key"))).expect(401);
    server.send(&Request::delete("/api/v1/kv/secret-namespace/secret-key").key(Some("ro"))).expect(403);
    let mut socket = Socket::start(server.unison());
    socket.call(r#"{"jsonrpc":"2.0","id":1,"method":"kv/get","params":{"namespace":"a","key":"k"}}"#);
    eventually("the expiry", std::time::Duration::from_secs(5), || {
        (server.get("/api/v1/changes").json()["lastSeq"] == 3).then_some(())
    });
    let text = server.metrics_text();
    for name in NAMES {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{text}");
    }
    let route = r#"route="/api/v1/kv/{namespace}/{key}""#;
    let requests = |method, status| value(&text, "unison_requests_total", &[route, method, status]);
    assert_eq!(requests(r#"method="PUT""#, r#"status="200""#), Some(2.0), "{text}");
    assert_eq!(requests(r#"method="PUT""#, r#"status="409""#), Some(1.0), "{text}");
    assert_eq!(requests(r#"method="DELETE""#, r#"status="403""#), Some(1.0), "{text}");
    let failures = |kind| value(&text, "unison_auth_failures_total", &[kind]);
    assert_eq!(failures(r#"kind="missing""#), Some(1.0));
    assert_eq!(failures(r#"kind="invalid""#), Some(1.0));
    assert_eq!(failures(r#"kind="readonly""#), Some(1.0));
    assert_eq!(value(&text, "unison_kv_entries", &[]), Some(1.0));
    assert_eq!(value(&text, "unison_kv_tombstones", &[]), Some(1.0));
    assert_eq!(value(&text, "unison_changes_head_seq", &[]), Some(3.0));
    assert_eq!(value(&text, "unison_changes_oldest_seq", &[]), Some(1.0));
    assert_eq!(value(&text, "unison_expired_total", &[]), Some(1.0));
    assert_eq!(value(&text, "unison_cas_conflicts_total", &[]), Some(1.0));
    assert_eq!(value(&text, "unison_stream_clients", &[r#"kind="ws""#]), Some(1.0));
    let put = &[route, r#"method="PUT""#];
    assert_eq!(value(&text, "unison_request_duration_seconds_count", put), Some(3.0), "{text}");
    for secret in ["secret-namespace", "secret-key", "wrong-key"] {
        assert!(!text.contains(secret), "{secret} is in the metrics");
    }
}

#[test]
fn a_write_of_the_read_only_key_counts_over_a_websocket_too() {
    let server = Server::start();
    let options = SocketOptions { key: Some(AGENT_KEY.to_owned()), ..SocketOptions::default() };
    let mut socket = Socket::open(server.unison(), &options).unwrap_or_else(|why| panic!("no WebSocket: {why:?}"));
    for (id, method) in [(1, "kv/get"), (2, "kv/set"), (3, "kv/delete"), (4, "kv/batch")] {
        let params = r#"{"namespace":"a","key":"k"}"#;
        let answer = socket.call(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        assert_eq!(answer["error"]["code"], if id == 1 { -32004 } else { -32005 }, "{answer}");
    }
    let counted = value(&server.metrics_text(), "unison_auth_failures_total", &[r#"kind="readonly""#]);
    assert_eq!(counted, Some(3.0));
}

#[test]
fn labels_stay_few_whatever_clients_send() {
    let server = Server::start();
    let mut connection = server.connect();
    for n in 0..200 {
        let request = Request::new(&format!("METHOD{n}"), format!("/api/v1/nowhere/{n}"));
        connection.send(&request).expect("an answer").expect(404);
        connection.send(&Request::new(&format!("M{n}"), format!("/api/v1/kv/a{n}/k"))).expect("an answer").expect(405);
    }
    let series = server.metrics_text().lines().filter(|line| line.starts_with("unison_requests_total{")).count();
    assert!(series < 20, "{series} series of unison_requests_total");
}

#[test]
fn the_metrics_listener_has_no_other_routes() {
    let server = Server::start();
    let mut connection = Connection::open(server.metrics());
    let answer = connection.send(&Request::get("/nowhere").key(None)).expect("an answer").expect(404);
    assert!(answer.json()["error"].is_string(), "{}", answer.text());
}
