//! Who waits in one dialect is woken by what another one does, at once.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::harness::{Connection, Request, Server, Settings, Socket};

/// What a waiter may wait at most; it would wait this long if nobody woke it.
const WAIT: Duration = Duration::from_secs(20);
/// An answer that took this long was no wake-up, however busy the machine is.
const LATE: Duration = Duration::from_secs(10);

/// What somebody waits for, and what somebody else does about it.
struct Case {
    wait: fn(&Server) -> Value,
    wake: fn(&Server),
    got: Value,
}

#[test]
fn a_wait_in_one_dialect_ends_by_a_write_of_another() {
    let server = Server::with(Settings::fast());
    let one = STANDARD.encode("1");
    let cases = [
        Case {
            wait: |server| flo(server, "POST", "queue/default/q1/dequeue", json!({"block_ms": 20_000}))["count"].take(),
            wake: |server| drop(synap(server, "queue.publish", json!({"queue": "q1", "message": 1}))),
            got: json!(1),
        },
        Case {
            wait: |server| synap(server, "queue.consume", json!({"queue": "q2", "timeout": 20}))["message"].take(),
            wake: |server| drop(flo(server, "POST", "queue/default/q2/enqueue", json!({"payload": "MQ=="}))),
            got: json!(1),
        },
        Case {
            wait: |server| synap(server, "queue.consume", json!({"queue": "q3.dlq", "timeout": 20}))["message"].take(),
            wake: |server| {
                flo(server, "POST", "queue/default/q3/enqueue", json!({"payload": "MQ=="}));
                flo(server, "POST", "queue/default/q3/dequeue", json!({}));
                flo(server, "POST", "queue/default/q3/nack", json!({"sequences": [1], "to_dlq": true}));
            },
            got: json!(1),
        },
        Case {
            wait: |server| flo(server, "GET", "kv/default/k1?block_ms=20000", Value::Null)["value"].take(),
            wake: |server| drop(server.put("/api/v1/kv/default/k1", "1").expect(200)),
            got: json!(one),
        },
        Case {
            wait: |server| flo(server, "GET", "kv/default/k2?block_ms=20000", Value::Null)["value"].take(),
            wake: |server| drop(synap(server, "kv.incr", json!({"key": "k2"}))),
            got: json!(one),
        },
        Case {
            wait: |server| {
                let page = server.get("/api/v1/changes?prefix=k3&wait=20000").expect(200);
                page.json()["changes"][0]["value"].take()
            },
            wake: |server| drop(synap(server, "kv.set", json!({"key": "k3", "value": 1}))),
            got: json!(1),
        },
        Case {
            wait: |server| {
                let page = server.get("/api/v1/changes?prefix=k4&wait=20000").expect(200);
                page.json()["changes"][0]["value"].take()
            },
            wake: |server| drop(flo(server, "PUT", "kv/default/k4", json!({"value": "MQ=="}))),
            got: json!("1"),
        },
        Case {
            wait: |server| {
                flo(server, "GET", "stream/default/s1?block_ms=20000", Value::Null)["records"][0]["payload"].take()
            },
            wake: |server| {
                drop(synap(server, "stream.publish", json!({"room": "s1", "event_type": "e", "data": 1})));
            },
            got: json!(one),
        },
        Case {
            wait: |server| {
                synap(server, "stream.create", json!({"room": "s2"}));
                let group = "stream/default/s2/groups/g/read";
                let body = json!({"consumer": "c", "block_ms": 20_000});
                flo(server, "POST", group, body)["records"][0]["payload"].take()
            },
            wake: |server| {
                drop(synap(server, "stream.publish", json!({"room": "s2", "event_type": "e", "data": 1})));
            },
            got: json!(one),
        },
        Case {
            wait: |server| {
                let mut socket = Socket::at(server.synap(), "/api/v1/ws");
                socket.call(r#"{"command":"stream.subscribe","payload":{"room":"s3","replay":true}}"#);
                socket.expect_json()["data"].take()
            },
            wake: |server| drop(flo(server, "POST", "stream/default/s3/append", json!({"payload": "MQ=="}))),
            got: json!(1),
        },
        Case {
            wait: |server| {
                let mut socket = Socket::at(server.synap(), "/kv/ws?keys=k5");
                socket.expect();
                // Whether the key was there before the socket is up to chance; each write of it is told.
                assert_eq!(server.put("/api/v1/kv/default/k5", "2").status, 200);
                socket.expect_json()["payload"]["event"].take()
            },
            wake: |server| drop(server.put("/api/v1/kv/default/k5", "1").expect(200)),
            got: json!("set"),
        },
    ];
    let server = &server;
    std::thread::scope(|scope| {
        for (number, case) in cases.into_iter().enumerate() {
            let waiting = scope.spawn(move || (case.wait)(server));
            scope.spawn(move || {
                // Nothing tells when somebody waits. Whoever comes later finds what was done, and has not waited.
                std::thread::sleep(Duration::from_millis(300));
                let woken = Instant::now();
                (case.wake)(server);
                assert_eq!(waiting.join().expect("the waiter"), case.got, "case {number}");
                assert!(woken.elapsed() < LATE, "case {number}: a wait of {WAIT:?} took {:?}", woken.elapsed());
            });
        }
    });
}

fn flo(server: &Server, method: &str, target: &str, body: Value) -> Value {
    let request = Request::new(method, format!("/api/v1/{target}")).key(None);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    Connection::open(server.flo()).send(&request).expect("an answer").expect(200).json()
}

fn synap(server: &Server, command: &str, payload: Value) -> Value {
    let request = Request::post("/api/v1/command", json!({"command": command, "payload": payload}).to_string());
    let answer = Connection::open(server.synap()).send(&request.key(None)).expect("an answer").expect(200);
    answer.json()["payload"].take()
}
