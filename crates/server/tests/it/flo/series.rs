//! Time series under many clients, and answers too long for one piece (8, 10.4).

use serde_json::Value;

use crate::harness::{Connection, Request, Server, Settings};

/// 2023-11-14T22:13:20Z
const START: u64 = 1_700_000_000;

fn write(connection: &mut Connection, lines: &str) {
    let request = Request::post("/api/v1/ts/n/write?precision=s", lines);
    connection.send(&request).expect("an answer").expect(200);
}

fn query(connection: &mut Connection, query: &str) -> Value {
    let body = serde_json::json!({ "query": query }).to_string();
    connection.send(&Request::post("/api/v1/ts/n/query", body)).expect("an answer").expect(200).json()
}

#[test]
fn an_answer_of_many_points_is_whole_and_in_order() {
    const POINTS: u64 = 30_000;
    let mut server = Server::start();
    let mut connection = Connection::open(server.flo());
    let line = |n: u64| format!("m v={n}i {}\n", START + n);
    // Every other point comes late.
    for odd in [0, 1] {
        let lines: String = (0..POINTS).filter(|n| n % 2 == odd).map(line).collect();
        write(&mut connection, &lines);
    }
    for restarted in [false, true] {
        let answer = query(&mut connection, "m[1700000000000..1800000000000]");
        let series = &answer["series"][0];
        assert_eq!(series["point_count"], POINTS, "restarted: {restarted}");
        let points = series["points"].as_array().expect("points");
        assert_eq!(points.len() as u64, POINTS);
        for (n, point) in (0..).zip(points) {
            assert_eq!((&point["timestamp"], &point["value"]), (&((START + n) * 1000).into(), &n.into()));
        }
        let sum = query(&mut connection, "m[1700000000000..1800000000000] | sum(10000w)");
        assert_eq!(sum["series"][0]["points"][0]["value"], POINTS * (POINTS - 1) / 2);
        server.kill();
        server.start_again();
        connection = Connection::open(server.flo());
    }
}

#[test]
fn a_query_is_refused_the_memory_it_may_not_take_and_others_go_on() {
    let server = Server::with(Settings::default().set("flo.timeseries.query_max_bytes", 100_000));
    let mut connection = Connection::open(server.flo());
    write(&mut connection, &(0..20_000).map(|n| format!("m v={n} {}\n", START + n)).collect::<String>());
    for needs_all in ["m[1700000000000..1800000000000]", "m[1700000000000..1800000000000] | percentile(50, 10000w)"] {
        let body = serde_json::json!({ "query": needs_all }).to_string();
        let refused = connection.send(&Request::post("/api/v1/ts/n/query", body)).expect("an answer").expect(400);
        assert_eq!(refused.json()["message"], "the query needs more than 100000 bytes of memory");
    }
    let count = query(&mut connection, "m[1700000000000..1800000000000] | count(10000w)");
    assert_eq!(count["series"][0]["points"][0]["value"], 20_000);
    // The deepest arithmetic that the language takes is also one that is computed.
    let deep = format!("{}value{}", "-".repeat(64), "+1".repeat(128));
    let sum = query(&mut connection, &format!("m[1700000000000..1700000000000] | math({deep})"));
    assert_eq!(sum["series"][0]["points"][0]["value"], 128.0);
}

#[test]
fn a_query_that_starts_after_the_answer_sees_the_points() {
    const WRITES: u64 = 150;
    let server = Server::start();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let server = &server;
            scope.spawn(move || {
                let mut connection = Connection::open(server.flo());
                for n in 1..=WRITES {
                    write(&mut connection, &format!("m,writer={writer} v={n} {}", START + n));
                    let of = format!("m{{writer={writer}}}[1700000000000..1700001000000]");
                    let count = query(&mut connection, &format!("{of} | count(10000w)"));
                    assert_eq!(count["series"][0]["points"][0]["value"], n, "{count}");
                    let last = query(&mut connection, &format!("{of} | last()"));
                    assert_eq!(last["series"][0]["points"][0]["value"], n as f64, "{last}");
                }
            });
        }
    });
    let all = query(&mut Connection::open(server.flo()), "m[1700000000000..1700001000000] | count(10000w)");
    assert_eq!(all["series"][0]["points"][0]["value"], 4 * WRITES);
}
