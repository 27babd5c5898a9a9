//! One WebSocket: what a request that waits holds up, and what it does not.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Frame, Server, Socket, eventually};

/// Requests of one message that wait; each alone would wait 5 s.
const WAITS: usize = 20;
/// A number that the feed does not reach.
const FAR: u64 = 1_000_000_000;

/// A request of this method. `params` has its members.
fn request(id: usize, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#)
}

fn get(id: usize, min_seq: u64) -> String {
    request(id, "kv/get", &format!(r#""namespace":"a","key":"k","minSeq":{min_seq}"#))
}

fn set(id: usize, key: &str) -> String {
    request(id, "kv/set", &format!(r#""namespace":"a","key":"{key}","value":1"#))
}

fn many(requests: &[String]) -> String {
    format!("[{}]", requests.join(","))
}

/// A socket that watches `a`.
fn watching(server: &Server) -> Socket {
    let mut socket = Socket::start(server.unison());
    let answer = socket.call(&request(0, "watch/subscribe", r#""namespace":"a""#));
    assert_eq!(answer["result"]["ok"], true, "{answer}");
    socket
}

/// Sends a message that writes, waits many times and writes again, and returns when it waits.
fn send_waiting(socket: &mut Socket) {
    let waits = (1..=WAITS).map(|id| get(id, FAR));
    let requests: Vec<String> = [set(0, "k")].into_iter().chain(waits).chain([set(WAITS + 1, "last")]).collect();
    socket.send(&many(&requests));
    // Before the answer to the message a change can only come while the message waits.
    let told = socket.expect_json();
    assert_eq!((&told["method"], &told["params"]["key"]), (&"watch/change".into(), &"k".into()), "{told}");
}

#[test]
fn a_message_that_waits_does_not_hold_up_the_end() {
    let mut server = Server::start();
    let mut socket = watching(&server);
    send_waiting(&mut socket);
    let start = Instant::now();
    server.signal(Signal::TERM);
    let answer = socket.expect_json();
    assert!(start.elapsed() < Duration::from_secs(4), "the wait went on for {:?}", start.elapsed());
    let answers = answer.as_array().expect("an array");
    assert_eq!(answers.len(), WAITS + 2, "{answer}");
    assert_eq!(answers[0]["result"]["version"], 1, "{answer}");
    assert!(answers[1..].iter().all(|answer| answer["error"]["code"] == -32603), "{answer}");
    assert_eq!(answers[WAITS + 1]["error"]["message"], "Store unavailable", "{answer}");
    assert_eq!(socket.receive(Duration::from_secs(5)), Frame::Closed(Some(1001)));
    drop(socket);
    server.expect_clean_exit();
    server.start_again();
    server.get("/api/v1/kv/a/k").expect(200);
    server.get("/api/v1/kv/a/last").expect(404);
}

#[test]
fn a_client_that_leaves_while_its_message_waits_is_noticed_and_its_writes_are_made() {
    let server = Server::start();
    let mut socket = watching(&server);
    send_waiting(&mut socket);
    drop(socket);
    eventually("the client is gone", Duration::from_secs(4), || {
        server.metrics_text().contains("unison_stream_clients{kind=\"ws\"} 0").then_some(())
    });
    server.get("/api/v1/kv/a/last").expect(200);
}

#[test]
fn the_requests_of_a_message_wait_five_seconds_together_and_the_next_message_comes_after_them() {
    let server = Server::start();
    let mut socket = Socket::start(server.unison());
    let start = Instant::now();
    socket.send(&many(&[get(1, FAR), get(2, FAR), get(3, FAR)]));
    socket.send(&get(4, 0));
    let answer = socket.expect_json();
    assert!((5000..9000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let messages: Vec<_> = answer.as_array().expect("an array").iter().map(|one| &one["error"]["message"]).collect();
    assert_eq!(messages, ["Sequence not reached"; 3]);
    assert_eq!(socket.expect_json()["id"], 4);
}

#[test]
fn a_subscription_is_answered_before_its_first_notification_also_when_its_message_waits() {
    let server = Server::start();
    let mut socket = Socket::start(server.unison());
    socket.send(&many(&[request(1, "watch/subscribe", r#""namespace":"a","since":0"#), get(2, 2)]));
    server.put("/api/v1/kv/a/k", "1").expect(200);
    server.put("/api/v1/kv/a/k", "2").expect(200);
    let answer = socket.expect_json();
    assert_eq!((&answer[0]["result"]["ok"], &answer[1]["result"]["value"]), (&true.into(), &2.into()), "{answer}");
    let mut told = Vec::new();
    while told.len() < 2 {
        let notice = socket.expect_json();
        if notice["method"] == "watch/change" {
            told.push(notice["params"]["seq"].as_u64());
        }
    }
    assert_eq!(told, [Some(1), Some(2)]);
}

#[test]
fn subscribing_again_in_the_message_of_a_write_loses_no_change() {
    let server = Server::start();
    let mut socket = watching(&server);
    let again = request(2, "watch/subscribe", r#""namespace":"a","keysOnly":true"#);
    let answer = socket.call(&many(&[set(1, "k"), again]));
    assert_eq!((&answer[0]["result"]["version"], &answer[1]["result"]["ok"]), (&1.into(), &true.into()), "{answer}");
    let told = socket.expect_json();
    assert_eq!(told["params"]["seq"], 1, "{told}");
    assert!(told["params"].get("value").is_none(), "{told}");
}
