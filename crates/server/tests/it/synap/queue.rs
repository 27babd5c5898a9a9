//! Consumers that wait, and those that went away (6; 14a; acceptance 14).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Connection, Request, Server, Settings};

/// Often enough that one of them is not held up by what else the machine does.
const TRIES: usize = 12;
/// Within which whoever waits must have its message.
const AT_ONCE: Duration = Duration::from_millis(10);

fn command(name: &str, payload: Value) -> Request {
    super::command(json!({ "command": name, "payload": payload }).to_string())
}

/// The payload of the answer.
fn run(server: &Server, name: &str, payload: Value) -> Value {
    let answer = super::send(server, json!({ "command": name, "payload": payload }).to_string());
    assert_eq!(answer["success"], true, "{answer}");
    answer["payload"].clone()
}

/// How long after `bring` was answered the one who waits on `queue` had its message, at best.
fn wakes(server: &Server, queue: &str, mut bring: impl FnMut(&mut Connection)) -> Duration {
    let latency = |_| {
        let consume = command("queue.consume", json!({ "queue": queue, "timeout": 60, "ack_deadline": 600 }));
        let mut bringer = Connection::open(server.synap());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut connection = Connection::open(server.synap());
                let answer = connection.send(&consume).expect("an answer").json();
                (answer["payload"].clone(), Instant::now())
            });
            std::thread::sleep(Duration::from_millis(50));
            bring(&mut bringer);
            let told = Instant::now();
            let (message, served) = waiting.join().expect("a consumer");
            run(server, "queue.ack", json!({ "queue": queue, "message_id": message["message_id"] }));
            served.saturating_duration_since(told)
        })
    };
    (0..TRIES).map(latency).min().expect("some tries")
}

fn tell(connection: &mut Connection, name: &str, payload: Value) -> Value {
    connection.send(&command(name, payload)).expect("an answer").expect(200).json()["payload"].clone()
}

#[test]
fn who_waits_is_served_at_once_by_whatever_brings_a_message() {
    let server = Server::with(Settings::fast());
    let published = wakes(&server, "q", |connection| {
        tell(connection, "queue.publish", json!({ "queue": "q", "message": 1 }));
    });
    assert!(published <= AT_ONCE, "a publish: {published:?}");

    // Somebody else holds the message first.
    let held = |connection: &mut Connection, queue: &str| {
        let ready = tell(connection, "queue.consume", json!({ "queue": queue }))["message_id"].clone();
        assert!(ready.is_string(), "no message in {queue}");
        ready
    };
    let mut ids = Vec::new();
    let mut connection = Connection::open(server.synap());
    let publish = json!({ "queue": "r", "message": 1 });
    for _ in 0..TRIES {
        tell(&mut connection, "queue.publish", publish.clone());
        ids.push(held(&mut connection, "r"));
    }
    let mut left = ids.into_iter();
    let requeued = wakes(&server, "r", |connection| {
        let id = left.next().expect("one for each try");
        tell(connection, "queue.nack", json!({ "queue": "r", "message_id": id }));
    });
    assert!(requeued <= AT_ONCE, "a requeue: {requeued:?}");

    let dead = wakes(&server, "d.dlq", |connection| {
        tell(connection, "queue.publish", json!({ "queue": "d", "message": 1 }));
        let id = held(connection, "d");
        tell(connection, "queue.nack", json!({ "queue": "d", "message_id": id, "requeue": false }));
    });
    assert!(dead <= AT_ONCE, "a death: {dead:?}");
}

#[test]
fn a_lease_ends_within_a_tenth_of_a_second_of_its_time() {
    let server = Server::with(Settings::fast());
    let late = |(queue, target)| {
        run(&server, "queue.publish", json!({ "queue": queue, "message": 1 }));
        if queue != target {
            let id = run(&server, "queue.consume", json!({ "queue": queue }))["message_id"].clone();
            run(&server, "queue.nack", json!({ "queue": queue, "message_id": id, "requeue": false }));
        }
        let asked = Instant::now();
        let first = run(&server, "queue.consume", json!({ "queue": target, "ack_deadline": 1 }));
        let held = Instant::now();
        let second = run(&server, "queue.consume", json!({ "queue": target, "timeout": 10 }));
        assert_eq!(first["message_id"], second["message_id"]);
        assert!(asked.elapsed() >= Duration::from_millis(999), "too early: {:?}", asked.elapsed());
        held.elapsed().saturating_sub(Duration::from_secs(1))
    };
    for shelf in [["a", "b", "c"].map(|queue| (queue, queue)), [("a", "a.dlq"), ("b", "b.dlq"), ("c", "c.dlq")]] {
        let late = shelf.map(late).into_iter().min().expect("some tries");
        assert!(late <= Duration::from_millis(100), "{late:?} late");
    }
}

#[test]
fn who_went_away_takes_no_message_and_the_next_in_line_has_it_as_new() {
    for (queue, source) in [("q", "q"), ("d.dlq", "d")] {
        let server = Server::start();
        let consume = command("queue.consume", json!({ "queue": queue, "timeout": 60 }));
        let mut gone = Connection::open(server.synap());
        gone.write(&consume).expect("sent");
        std::thread::sleep(Duration::from_millis(100));
        std::thread::scope(|scope| {
            let next = scope.spawn(|| Connection::open(server.synap()).send(&consume).expect("an answer").json());
            std::thread::sleep(Duration::from_millis(200));
            drop(gone);
            run(&server, "queue.publish", json!({ "queue": source, "message": 1 }));
            if queue != source {
                let id = run(&server, "queue.consume", json!({ "queue": source }))["message_id"].clone();
                run(&server, "queue.nack", json!({ "queue": source, "message_id": id, "requeue": false }));
            }
            let answer = next.join().expect("a consumer");
            assert_eq!(answer["payload"]["message_id"], "msg_1", "{answer}");
            assert_eq!(answer["payload"]["retry_count"], 0);
        });
        let stats = run(&server, "queue.stats", json!({ "queue": queue }));
        assert_eq!((&stats["consumed_total"], &stats["consumers"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn a_message_that_could_not_be_written_to_its_socket_is_there_again_as_new() {
    // More than the buffers of a connection hold, so that the answer cannot be written to who does not read it.
    let long = "x".repeat(9 << 20);
    for (queue, source) in [("q", "q"), ("d.dlq", "d")] {
        let server = Server::with(Settings::fast());
        run(&server, "queue.publish", json!({ "queue": source, "message": long }));
        if queue != source {
            let id = run(&server, "queue.consume", json!({ "queue": source }))["message_id"].clone();
            run(&server, "queue.nack", json!({ "queue": source, "message_id": id, "requeue": false }));
        }
        for timeout in [0, 30] {
            let mut gone = Connection::open(server.synap());
            gone.write(&command("queue.consume", json!({ "queue": queue, "timeout": timeout }))).expect("sent");
            gone.read_head().expect("the beginning of an answer");
            let held = run(&server, "queue.stats", json!({ "queue": queue }));
            assert_eq!((&held["depth"], &held["consumers"]), (&json!(0), &json!(1)));
            drop(gone);
            let started = Instant::now();
            let stats = || run(&server, "queue.stats", json!({ "queue": queue }));
            while stats()["depth"] == 0 {
                assert!(started.elapsed() < Duration::from_secs(5), "{}", stats());
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!((&stats()["consumed_total"], &stats()["consumers"]), (&json!(0), &json!(0)));
        }
        let message = run(&server, "queue.consume", json!({ "queue": queue }));
        assert_eq!((&message["message_id"], &message["retry_count"]), (&json!("msg_1"), &json!(0)));
        assert_eq!(message["message"].as_str().map(str::len), Some(long.len()));
        run(&server, "queue.ack", json!({ "queue": queue, "message_id": "msg_1" }));
    }
}

#[test]
fn a_message_that_was_written_is_not_given_to_another_when_its_connection_ends() {
    let server = Server::with(Settings::fast());
    run(&server, "queue.publish", json!({ "queue": "q", "message": 1 }));
    run(&server, "queue.publish", json!({ "queue": "q", "message": 2 }));
    let mut connection = Connection::open(server.synap());
    let batch = r#"{"type":"batch","commands":[{"command":"queue.consume","payload":{"queue":"q"}},{"command":"queue.consume","payload":{"queue":"q"}}]}"#;
    let answer = connection.send(&super::command(batch)).expect("an answer").json();
    assert_eq!(answer.pointer("/results/1/payload/message_id"), Some(&json!("msg_2")), "{answer}");
    drop(connection);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(run(&server, "queue.consume", json!({ "queue": "q" }))["message_id"], Value::Null);
    run(&server, "queue.ack", json!({ "queue": "q", "message_id": "msg_1" }));
}

#[test]
fn waiters_are_served_in_the_order_they_came() {
    let server = Server::with(Settings::fast());
    let consume = command("queue.consume", json!({ "queue": "q", "timeout": 60 }));
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let consume = &consume;
                let server = &server;
                let waiter =
                    scope.spawn(move || Connection::open(server.synap()).send(consume).expect("an answer").json());
                std::thread::sleep(Duration::from_millis(100));
                waiter
            })
            .collect();
        for (n, waiter) in waiters.into_iter().enumerate() {
            run(&server, "queue.publish", json!({ "queue": "q", "message": n }));
            assert_eq!(waiter.join().expect("a consumer")["payload"]["message"], n);
        }
    });
}

#[test]
fn the_oldest_dead_letter_goes_when_there_are_more_than_configured() {
    let server = Server::with(Settings::fast().set("synap.queue.dlq_max_size", 2));
    for n in 0..4 {
        run(&server, "queue.publish", json!({ "queue": "q", "message": n, "max_retries": 0 }));
        let id = run(&server, "queue.consume", json!({ "queue": "q" }))["message_id"].clone();
        let nacked = run(&server, "queue.nack", json!({ "queue": "q", "message_id": id }));
        assert_eq!(nacked["action"], "dead_lettered");
        std::thread::sleep(Duration::from_millis(3));
    }
    let letters = || run(&server, "queue.consume", json!({ "queue": "q.dlq" }))["message"].clone();
    assert_eq!([letters(), letters(), letters()], [json!(2), json!(3), Value::Null]);
}
