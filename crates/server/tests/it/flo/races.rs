//! Many clients at once (acceptance 5, 6, 10, 17, 19).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::harness::{Connection, Request, Server, Settings};

fn send(connection: &mut Connection, request: &Request) -> Value {
    connection.send(request).expect("an answer").expect(200).json()
}

fn number(answer: &Value, pointer: &str) -> u64 {
    answer.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {answer}"))
}

/// Runs `client` so many times at once, each on a connection of its own, and collects what they give.
fn clients<T: Send>(server: &Server, count: usize, client: impl Fn(usize, &mut Connection) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let run = |n| {
            let (start, client) = (&start, &client);
            let mut connection = Connection::open(server.flo());
            scope.spawn(move || {
                start.wait();
                client(n, &mut connection)
            })
        };
        let running: Vec<_> = (0..count).map(run).collect();
        running.into_iter().map(|client| client.join().expect("a client")).collect()
    })
}

#[test]
fn a_hundred_clients_that_raise_a_counter_lose_no_increment() {
    const KEY: &str = "/api/v1/kv/race/counter";
    let server = Server::start();
    // The counter is its version: the value says which one the writer had read.
    let raise = |n: usize, connection: &mut Connection| {
        for attempt in 0.. {
            let read = connection.send(&Request::get(KEY)).expect("an answer");
            let version = if read.status == 404 { 0 } else { number(&read.json(), "/version") };
            let put = Request::put(KEY, format!(r#"{{"value":"","cas_version":{version}}}"#));
            let written = connection.send(&put).expect("an answer");
            match written.status {
                200 => return assert_eq!(number(&written.json(), "/version"), version + 1),
                409 => assert!(number(&written.json(), "/current_version") > version, "client {n}, attempt {attempt}"),
                other => panic!("{other}: {}", written.text()),
            }
        }
    };
    clients(&server, 100, raise);
    assert_eq!(number(&send(&mut Connection::open(server.flo()), &Request::get(KEY)), "/version"), 100);
}

#[test]
fn of_fifty_writers_that_want_a_new_key_exactly_one_gets_it() {
    let server = Server::start();
    let put = |n: usize, connection: &mut Connection| {
        let put = Request::put("/api/v1/kv/race/new", format!(r#"{{"value":"{n:04}","if_not_exists":true}}"#));
        connection.send(&put).expect("an answer").status
    };
    let statuses = clients(&server, 50, put);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
}

#[test]
fn paging_yields_each_key_once_in_byte_order_while_others_are_written() {
    const KEYS: usize = 2500;
    let server = Server::with(Settings::fast());
    clients(&server, 5, |client, connection| {
        for n in (client..KEYS).step_by(5) {
            send(connection, &Request::put(format!("/api/v1/kv/pages/k{n}"), r#"{"value":""}"#));
        }
    });
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = Connection::open(server.flo());
            for n in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                send(&mut connection, &Request::put(format!("/api/v1/kv/pages/other{n}"), r#"{"value":""}"#));
            }
        });
        let mut connection = Connection::open(server.flo());
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let target = format!("/api/v1/kv/pages?prefix=k&limit=1000&keys_only=1&cursor={cursor}");
            let page = send(&mut connection, &Request::get(target));
            let entries = page["entries"].as_array().expect("entries");
            seen.extend(entries.iter().map(|entry| entry["key"].as_str().expect("a key").to_owned()));
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        done.store(true, Ordering::Relaxed);
        seen
    });
    let expected: BTreeSet<String> = (0..KEYS).map(|n| format!("k{n}")).collect();
    assert!(seen.iter().eq(expected.iter()), "{} keys", seen.len());
}

#[test]
fn eight_consumers_get_each_of_a_thousand_messages_once_and_the_totals_add_up() {
    const MESSAGES: u64 = 1000;
    let server = Server::with(Settings::fast());
    clients(&server, 4, |_, connection| {
        for _ in 0..MESSAGES / 4 {
            send(connection, &Request::post("/api/v1/queue/race/q/enqueue", r#"{"payload":"eA=="}"#));
        }
    });
    let done = AtomicBool::new(false);
    let taken = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = Connection::open(server.flo());
            while !done.load(Ordering::Relaxed) {
                let stats = send(&mut connection, &Request::get("/api/v1/queue/race/q/stats"));
                let of = |name: &str| number(&stats, &format!("/{name}"));
                let sum = of("ready_count") + of("leased_count") + of("dlq_count") + of("total_acked");
                assert_eq!(of("total_enqueued"), sum + of("total_purged"), "{stats}");
            }
        });
        let taken = clients(&server, 8, |_, connection| {
            let mut taken = Vec::new();
            loop {
                let dequeue =
                    Request::post("/api/v1/queue/race/q/dequeue", r#"{"count":7,"visibility_timeout_ms":60000}"#);
                let answer = send(connection, &dequeue);
                let messages = answer["messages"].as_array().expect("messages");
                if messages.is_empty() {
                    return taken;
                }
                let sequences: Vec<u64> = messages.iter().map(|message| number(message, "/sequence")).collect();
                let ack = Request::post("/api/v1/queue/race/q/ack", format!(r#"{{"sequences":{sequences:?}}}"#));
                assert_eq!(number(&send(connection, &ack), "/acked"), sequences.len() as u64);
                taken.extend(sequences);
            }
        });
        done.store(true, Ordering::Relaxed);
        taken
    });
    let mut all: Vec<u64> = taken.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=MESSAGES).collect::<Vec<_>>());
}

#[test]
fn eight_appenders_give_dense_offsets_also_over_a_restart() {
    let mut server = Server::with(Settings::fast());
    let mut offsets = Vec::new();
    for _ in 0..2 {
        let given = clients(&server, 8, |_, connection| {
            let append = Request::post("/api/v1/stream/race/s/append", r#"{"payload":"eA=="}"#);
            (0..50).map(|_| number(&send(connection, &append), "/offset")).collect::<Vec<_>>()
        });
        assert!(given.iter().all(|mine| mine.is_sorted()), "an appender's own order holds");
        offsets.extend(given.into_iter().flatten());
        server.restart();
    }
    offsets.sort_unstable();
    assert_eq!(offsets, (0..800).collect::<Vec<_>>());
}

#[test]
fn waiting_consumers_are_served_and_one_that_went_away_swallows_nothing() {
    let server = Server::start();
    let dequeue = Request::post("/api/v1/queue/race/wait/dequeue", r#"{"block_ms":20000}"#);
    let mut gone = Connection::open(server.flo());
    gone.write(&dequeue).expect("sent");
    std::thread::sleep(Duration::from_millis(200));
    drop(gone);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| send(&mut Connection::open(server.flo()), &dequeue));
        std::thread::sleep(Duration::from_millis(200));
        let started = Instant::now();
        let enqueue = Request::post("/api/v1/queue/race/wait/enqueue", r#"{"payload":"eA=="}"#);
        send(&mut Connection::open(server.flo()), &enqueue);
        let served = waiting.join().expect("a consumer");
        assert_eq!(number(&served, "/count"), 1);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    });
}

#[test]
fn a_wait_ends_with_an_empty_answer_when_the_server_stops() {
    let mut server = Server::start();
    let waits: BTreeMap<&str, Request> = BTreeMap::from([
        ("/count", Request::post("/api/v1/queue/race/q/dequeue", r#"{"block_ms":60000}"#)),
        ("/next_offset", Request::get("/api/v1/stream/race/s?offset=1&block_ms=60000")),
    ]);
    send(&mut Connection::open(server.flo()), &Request::post("/api/v1/stream/race/s/append", r#"{"payload":""}"#));
    let mut waiting: Vec<_> = waits
        .values()
        .map(|request| {
            let mut connection = Connection::open(server.flo());
            connection.write(request).expect("sent");
            connection
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    server.signal(rustix::process::Signal::TERM);
    for (connection, (pointer, request)) in waiting.iter_mut().zip(&waits) {
        let answer = connection.read_response(&request.method).expect("an answer").expect(200).json();
        assert!(answer.pointer(pointer).is_some(), "{answer}");
    }
    server.expect_clean_exit();
}

#[test]
fn a_request_over_the_limit_is_turned_away_without_an_effect() {
    let server = Server::with(Settings::default().set("flo.limits.max_inflight", 1));
    let mut waiting = Connection::open(server.flo());
    waiting.write(&Request::post("/api/v1/queue/race/q/dequeue", r#"{"block_ms":3000}"#)).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    let mut other = Connection::open(server.flo());
    let put = Request::put("/api/v1/kv/race/k", r#"{"value":""}"#);
    let refused = other.send(&put).expect("an answer").expect(429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    let expected = r#"{"error":"overloaded","message":"Server at capacity, retry later","details":{}}"#;
    assert_eq!(refused.text(), expected);
    waiting.read_response("POST").expect("an answer").expect(200);
    assert_eq!(number(&send(&mut other, &put), "/version"), 1, "the refused write was none");
}
