//! What another configuration makes of what is there already.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Connection, Request, Server, Settings, eventually};

fn send(server: &Server, request: &Request) -> Value {
    Connection::open(server.flo()).send(request).expect("an answer").expect(200).json()
}

fn restart_with(server: &mut Server, path: &str, value: &str) {
    server.stop();
    server.set(path, value);
    server.start_again();
}

fn priorities(server: &Server) -> Vec<Option<i64>> {
    let peeked = send(server, &Request::get("/api/v1/queue/default/q/peek?count=9"));
    let messages = peeked["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["priority"].as_i64()).collect()
}

#[test]
fn a_priority_is_never_shown_as_a_number_that_is_none() {
    const ORDER: &str = "flo.queue.priority_order";
    let mut server = Server::with(Settings::default().set(ORDER, "lower_first"));
    for priority in [5, i32::MAX, i32::MIN] {
        let body = format!(r#"{{"payload":"","priority":{priority}}}"#);
        send(&server, &Request::post("/api/v1/queue/default/q/enqueue", body));
    }
    let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
    assert_eq!(priorities(&server), [Some(least), Some(5), Some(most)]);
    restart_with(&mut server, ORDER, "higher_first");
    // What goes first still does, under opposite numbers; the least one has none.
    assert_eq!(priorities(&server), [Some(least), Some(-5), Some(-most)]);
}

#[test]
fn a_stream_that_exists_takes_over_the_retention_of_the_configuration() {
    const RETENTION: &str = "flo.stream.retention";
    let mut server = Server::start();
    let append = |server: &Server, stream: &str| {
        let append = Request::post(format!("/api/v1/stream/{stream}/append"), r#"{"payload":""}"#);
        send(server, &append);
    };
    let count = |server: &Server, stream: &str| {
        let info = send(server, &Request::get(format!("/api/v1/stream/{stream}/info")));
        info["record_count"].as_u64().expect("a count")
    };
    for stream in ["a/s", "a/s", "default/s"] {
        append(&server, stream);
    }
    restart_with(&mut server, RETENTION, "1ms");
    let gone = || (count(&server, "a/s") == 0).then_some(());
    eventually("the end of old records", Duration::from_secs(20), gone);
    assert_eq!(count(&server, "default/s"), 1, "who made it is not known");
    restart_with(&mut server, RETENTION, "0s");
    append(&server, "a/s");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(count(&server, "a/s"), 1);
}
