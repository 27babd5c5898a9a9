//! Kill -9 under load at the default level (acceptance 18, 36): what was acknowledged is there.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::harness::{Connection, Request, Server};

/// Sends requests until the server is killed; how many of them were acknowledged with 200.
fn until_killed((server, killed): (&Server, &AtomicBool), request: impl Fn(usize) -> Request) -> usize {
    let mut connection = Connection::open(server.flo());
    let mut acknowledged = 0;
    while !killed.load(Ordering::Relaxed) {
        match connection.send(&request(acknowledged)) {
            Ok(response) => {
                response.expect(200);
                acknowledged += 1;
            }
            Err(_) => break,
        }
    }
    acknowledged
}

fn get(connection: &mut Connection, target: &str) -> Value {
    connection.send(&Request::get(target)).expect("an answer").expect(200).json()
}

#[test]
fn every_acknowledged_put_enqueue_append_and_point_survives_a_kill_under_load() {
    let mut server = Server::start();
    let killed = AtomicBool::new(false);
    let pid = server.process_id();
    let load = (&server, &killed);
    let (puts, messages, records, points) = std::thread::scope(|scope| {
        let put = |n: usize| Request::put(format!("/api/v1/kv/crash/k{n}"), r#"{"value":"eA=="}"#);
        let puts = scope.spawn(move || until_killed(load, put));
        let enqueue = |n: usize| {
            Request::post("/api/v1/queue/crash/q/enqueue", format!(r#"{{"payload":"eA==","dedup_key":"d{n}"}}"#))
        };
        let messages = scope.spawn(move || until_killed(load, enqueue));
        let append = |_| Request::post("/api/v1/stream/crash/s/append", r#"{"payload":"eA=="}"#);
        let records = scope.spawn(move || until_killed(load, append));
        let point =
            |n: usize| Request::post("/api/v1/ts/crash/write?precision=s", format!("m v={n}i {}", 1_700_000_000 + n));
        let points = scope.spawn(move || until_killed(load, point));
        std::thread::sleep(Duration::from_millis(700));
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill the process");
        killed.store(true, Ordering::Relaxed);
        (
            puts.join().expect("a client"),
            messages.join().expect("a client"),
            records.join().expect("a client"),
            points.join().expect("a client"),
        )
    });
    assert!(puts > 0 && messages > 0 && records > 0 && points > 0, "{puts} {messages} {records} {points}");
    server.kill();
    server.start_again();

    let mut connection = Connection::open(server.flo());
    for n in 0..puts {
        assert_eq!(get(&mut connection, &format!("/api/v1/kv/crash/k{n}"))["value"], "eA==");
    }
    // One request of each kind may have been under way: done, but not told.
    let stats = get(&mut connection, "/api/v1/queue/crash/q/stats");
    let enqueued = stats["total_enqueued"].as_u64().expect("a total") as usize;
    assert!((messages..=messages + 1).contains(&enqueued), "{stats}, acknowledged {messages}");
    assert_eq!(stats["ready_count"].as_u64().expect("a count") as usize, enqueued);
    let info = get(&mut connection, "/api/v1/stream/crash/s/info");
    let appended = info["record_count"].as_u64().expect("a count") as usize;
    assert!((records..=records + 1).contains(&appended), "{info}, acknowledged {records}");
    let query = r#"{"query":"m[1700000000000..1800000000000]"}"#;
    let found = connection.send(&Request::post("/api/v1/ts/crash/query", query)).expect("an answer").expect(200).json();
    let found = found["series"][0]["points"].as_array().expect("points");
    assert!((points..=points + 1).contains(&found.len()), "{}, acknowledged {points}", found.len());
    for (n, point) in found.iter().enumerate() {
        assert_eq!(point["value"], n, "{point}");
    }
}
