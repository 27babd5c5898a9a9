//! Writers of points at once, and bodies that are read beside the sockets.

use std::fmt::Write;

use serde_json::Value;

use crate::harness::{Connection, Request, Server};

fn send(connection: &mut Connection, request: &Request) -> Value {
    connection.send(request).expect("an answer").expect(200).json()
}

fn query(connection: &mut Connection, text: &str) -> Value {
    send(connection, &Request::post("/api/v1/ts/p/query", format!(r#"{{"query":"{text}","precision":"ns"}}"#)))
}

#[test]
fn a_long_body_is_written_whole_and_told_by_line() {
    const LINES: usize = 20_000;
    let server = Server::start();
    let mut connection = Connection::open(server.flo());
    let mut body = String::new();
    for line in 0..LINES {
        writeln!(body, "m,host=h{} v={line}i {line}", line % 100).expect("text grows");
    }
    for _ in 0..2 {
        let written = send(&mut connection, &Request::post("/api/v1/ts/p/write", body.clone()));
        assert_eq!(written["written"], LINES);
    }
    let counts = query(&mut connection, "m[0..20000] | count(1h)");
    assert_eq!(counts["series"][0]["points"][0]["value"], LINES);
    body.push_str("m,host=h1 v=\n");
    let partial = connection.send(&Request::post("/api/v1/ts/p/write", body)).expect("an answer").expect(400).json();
    assert_eq!(partial["details"]["errors"][0]["line"], LINES + 1);
}

/// Series come and go, so that what was looked up for a write is often over when it is written.
#[test]
fn writes_meet_deletions_and_lose_nothing_afterwards() {
    const ROUNDS: usize = 150;
    let server = Server::start();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let server = &server;
            scope.spawn(move || {
                let mut connection = Connection::open(server.flo());
                for round in 0..ROUNDS {
                    let body = format!("kept,w={writer} v={round}i {round}\ngone,w={writer} v=1 {round}");
                    let written = send(&mut connection, &Request::post("/api/v1/ts/p/write", body));
                    assert_eq!(written["written"], 2);
                }
            });
        }
        scope.spawn(|| {
            let mut connection = Connection::open(server.flo());
            for _ in 0..ROUNDS {
                send(&mut connection, &Request::post("/api/v1/ts/p/delete", r#"{"query":"gone"}"#));
            }
        });
    });
    let mut connection = Connection::open(server.flo());
    let kept = query(&mut connection, "kept[0..1000]");
    for writer in 0..3 {
        let series = &kept["series"][writer];
        assert_eq!((&series["key"], &series["point_count"]), (&format!("kept,w={writer}").into(), &ROUNDS.into()));
    }
}

#[test]
fn long_bodies_that_come_together_wait_for_each_other_and_are_all_written() {
    const BODIES: usize = 6;
    let server = Server::start();
    // Together far more than is read at one time; nearly all of it comments, which cost little.
    let comment = format!("# {}\n", "x".repeat(1000)).repeat(45_000);
    std::thread::scope(|scope| {
        for body in 0..BODIES {
            let (server, comment) = (&server, &comment);
            scope.spawn(move || {
                let mut connection = Connection::open(server.flo());
                let body = format!("{comment}together,body={body} v=1 1");
                assert_eq!(send(&mut connection, &Request::post("/api/v1/ts/p/write", body))["written"], 1);
            });
        }
    });
    let mut connection = Connection::open(server.flo());
    assert_eq!(query(&mut connection, "together[0..1] | count(1m)")["series"][0]["points"][0]["value"], BODIES);
}
