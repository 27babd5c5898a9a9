//! Connections that stay: who reads while others write, who does not read, and what is left after an end.

use std::{
    net::SocketAddr,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Connection, Data, Frame, OpCode, Server, Settings, Socket, SocketOptions};

const PATH: &str = "/api/v1/ws";

fn command(connection: &mut Connection, text: &str) -> Value {
    connection.send(&super::command(text)).expect("an answer").expect(200).json()
}

fn subscribe(socket: &mut Socket, payload: &str) -> Value {
    let answer = socket.call(&format!(r#"{{"command":"stream.subscribe","payload":{payload}}}"#));
    assert_eq!(answer["subscribed"], true, "{answer}");
    answer["payload"]["from_offset"].clone()
}

/// Reads events with these offsets, in this order; their data.
fn read_events(socket: &mut Socket, offsets: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    let read = |offset| {
        let mut event = socket.expect_json();
        assert_eq!((&event["type"], &event["offset"]), (&json!("event"), &json!(offset)), "{event}");
        event["data"].take()
    };
    offsets.map(read).collect()
}

/// Publishes events on a connection of its own, many to a batch; each names its publisher and its place.
fn publish_events(address: SocketAddr, publisher: u64, batches: u64, each: u64) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut connection = Connection::open(address);
        for batch in 0..batches {
            let one = |n| {
                let payload = json!({"room": "r", "event_type": "e", "data": [publisher, batch * each + n]});
                json!({"command": "stream.publish", "payload": payload})
            };
            let commands: Vec<Value> = (0..each).map(one).collect();
            let answer = command(&mut connection, &json!({"type": "batch", "commands": commands}).to_string());
            assert_eq!(answer["results"].as_array().map(Vec::len), Some(each as usize));
        }
    })
}

#[test]
fn replay_passes_into_what_is_published_meanwhile_without_a_gap_or_a_duplicate() {
    const PUBLISHERS: u64 = 4;
    const BATCHES: u64 = 50;
    const EACH: u64 = 50;
    let mut server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let first = r#"{"command":"stream.publish","payload":{"room":"r","event_type":"e","data":[9,0]}}"#;
    command(&mut connection, first);
    let publishers: Vec<_> = (0..PUBLISHERS).map(|n| publish_events(server.synap(), n, BATCHES, EACH)).collect();
    let address = server.synap();
    let readers: Vec<_> =
        [r#"{"room":"r","replay":true}"#, r#"{"room":"r","from_offset":1}"#, r#"{"room":"r","from_offset":0}"#]
            .into_iter()
            .map(|payload| {
                std::thread::sleep(Duration::from_millis(50));
                std::thread::spawn(move || {
                    let mut socket = Socket::at(address, PATH);
                    assert_eq!(subscribe(&mut socket, payload), 1);
                    read_events(&mut socket, 1..=1 + PUBLISHERS * BATCHES * EACH)
                })
            })
            .collect();
    publishers.into_iter().for_each(|publisher| publisher.join().expect("a publisher"));
    for reader in readers {
        let mut next = [0; PUBLISHERS as usize];
        for event in reader.join().expect("a reader").into_iter().skip(1) {
            let (publisher, n) = (event[0].as_u64().expect("a publisher"), event[1].as_u64().expect("a place"));
            assert_eq!(n, next[publisher as usize], "of publisher {publisher}");
            next[publisher as usize] += 1;
        }
        assert_eq!(next, [BATCHES * EACH; PUBLISHERS as usize]);
    }
    server.assert_alive();
}

/// A socket whose kernel keeps little for it.
fn narrow(address: SocketAddr) -> Socket {
    let options = SocketOptions { receive_buffer_bytes: Some(8 << 10), ..SocketOptions::to(PATH) };
    Socket::open(address, &options).expect("a WebSocket")
}

const STALLED: usize = 200;
const DATA_BYTES: usize = 16 << 10;
/// What a stalled connection may cost, and what the engine keeps of the newest events and messages, with room for the
/// allocator.
const MOST_GROWTH: u64 = 2 * (STALLED as u64) * (256 << 10) + (128 << 20);

#[test]
fn subscribers_that_stall_hold_up_nobody_lose_no_event_and_are_dropped_from_topics() {
    let mut server = Server::with(Settings::fast().set("synap.pubsub.subscriber_buffer", 256));
    let address = server.synap();
    let mut of_room: Vec<Socket> = (0..STALLED).map(|_| narrow(address)).collect();
    of_room.iter_mut().for_each(|socket| drop(subscribe(socket, r#"{"room":"r"}"#)));
    let mut of_topic: Vec<Socket> = (0..STALLED).map(|_| narrow(address)).collect();
    for socket in &mut of_topic {
        socket.call(r#"{"command":"pubsub.subscribe","payload":{"topics":["t"]}}"#);
    }
    let mut socket = Socket::at(address, PATH);
    subscribe(&mut socket, r#"{"room":"r"}"#);
    socket.call(r#"{"command":"pubsub.subscribe","payload":{"topics":["t"]}}"#);
    let awake = std::thread::spawn(move || {
        let (mut events, mut messages) = (0, 0);
        loop {
            let frame = socket.expect_json();
            match (frame["type"].as_str(), frame["message"] == json!("end")) {
                (Some("event"), _) => events += 1,
                (Some("message"), false) => messages += 1,
                _ => return (events, messages),
            }
        }
    });
    let before = server.resident_bytes();
    let mut connection = Connection::open(address);
    let data = "x".repeat(DATA_BYTES);
    let event = format!(r#"{{"command":"stream.publish","payload":{{"room":"r","event_type":"e","data":"{data}"}}}}"#);
    let message = format!(r#"{{"command":"pubsub.publish","payload":{{"topic":"t","message":"{data}"}}}}"#);
    let (mut published, mut slowest) = (0, Duration::ZERO);
    let slow = |connection: &mut Connection| {
        command(connection, r#"{"command":"pubsub.stats"}"#)["payload"]["slow_consumers_dropped"].as_u64()
    };
    while published < 5000 && (published % 100 != 0 || slow(&mut connection) < Some(STALLED as u64)) {
        for text in [&event, &message] {
            let start = Instant::now();
            command(&mut connection, text);
            slowest = slowest.max(start.elapsed());
        }
        published += 1;
    }
    assert_eq!(slow(&mut connection), Some(STALLED as u64), "after {published} messages");
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < MOST_GROWTH, "{} MiB more with {STALLED} stalled sockets of each kind", grown >> 20);
    assert!(slowest < Duration::from_secs(5), "a publish took {slowest:?}");
    // Those that have been dropped are told why if they read on.
    let last = of_topic.last_mut().expect("a socket");
    let end = std::iter::from_fn(|| match last.receive(Duration::from_secs(20)) {
        Frame::Text(text) => Some(Err(text.len())),
        end => Some(Ok(end)),
    });
    assert_eq!(end.take(5000).find_map(Result::ok), Some(Frame::Closed(Some(1008))));
    // Those that follow the room have missed nothing.
    for socket in of_room.iter_mut().take(5) {
        read_events(socket, 1..=published);
    }
    // The end is published when nobody is slow any more.
    let end = r#"{"command":"pubsub.publish","payload":{"topic":"t","message":"end"}}"#;
    assert_eq!(command(&mut connection, end)["payload"]["subscribers_notified"], 1);
    let (events, messages) = awake.join().expect("a reader");
    assert_eq!(messages, published);
    assert!(events <= published);
    server.assert_alive();
}

#[test]
fn a_stopping_server_answers_who_waits_and_says_goodbye() {
    let mut server = Server::start();
    let mut socket = Socket::at(server.synap(), PATH);
    subscribe(&mut socket, r#"{"room":"r"}"#);
    socket.send(r#"{"request_id":"w","command":"queue.consume","payload":{"queue":"q","timeout":60}}"#);
    assert_eq!(socket.call(r#"{"type":"ping"}"#)["type"], "pong");
    server.signal(rustix::process::Signal::TERM);
    let answer = socket.expect_json();
    assert_eq!((&answer["request_id"], &answer["payload"]["message_id"]), (&json!("w"), &Value::Null), "{answer}");
    assert_eq!(socket.receive(Duration::from_secs(10)), Frame::Closed(Some(1001)));
    drop(socket);
    server.expect_clean_exit();
}

#[test]
fn a_reader_goes_on_by_offset_where_a_killed_server_left_it() {
    let mut server = Server::start();
    let publish = |server: &Server, n: u64| {
        let payload = json!({"room": "r", "event_type": "e", "data": n});
        let text = json!({"command": "stream.publish", "payload": payload}).to_string();
        assert_eq!(command(&mut Connection::open(server.synap()), &text)["payload"]["offset"], n);
    };
    let mut socket = Socket::at(server.synap(), PATH);
    assert_eq!(subscribe(&mut socket, r#"{"room":"r"}"#), 1);
    (1..=40).for_each(|n| publish(&server, n));
    read_events(&mut socket, 1..=30);
    server.kill();
    server.start_again();
    publish(&server, 41);
    let mut socket = Socket::at(server.synap(), PATH);
    assert_eq!(subscribe(&mut socket, r#"{"room":"r","from_offset":31}"#), 31);
    assert_eq!(read_events(&mut socket, 31..=41), (31..=41).map(|n| json!(n)).collect::<Vec<_>>());
    publish(&server, 42);
    read_events(&mut socket, 42..=42);
}

#[test]
fn a_reader_that_retention_overtakes_is_told_and_goes_on_at_the_oldest() {
    let server = Server::with(Settings::fast().set("synap.event_stream.max_events_per_room", 50));
    let mut socket = narrow(server.synap());
    subscribe(&mut socket, r#"{"room":"r"}"#);
    let mut connection = Connection::open(server.synap());
    let data = "x".repeat(64 << 10);
    let event = format!(r#"{{"command":"stream.publish","payload":{{"room":"r","event_type":"e","data":"{data}"}}}}"#);
    let published = 400;
    (0..published).for_each(|_| drop(command(&mut connection, &event)));
    let stats = r#"{"command":"stream.stats","payload":{"room":"r"}}"#;
    let start = Instant::now();
    while command(&mut connection, stats)["payload"]["message_count"] != 50 {
        assert!(start.elapsed() < Duration::from_secs(20), "retention comes");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (mut next, mut told) = (1, false);
    while next <= published {
        let frame = socket.expect_json();
        if frame["type"] == "event" {
            assert_eq!(frame["offset"], next);
            next += 1;
            continue;
        }
        let (id, error) = (&frame["request_id"], &frame["error"]);
        let oldest = error["details"]["oldest"].as_u64().expect("an offset");
        let message = format!("Offset {next} is out of range; earliest retained offset is {oldest}");
        assert_eq!(
            (id, &error["code"], &error["message"]),
            (&Value::Null, &json!("OFFSET_OUT_OF_RANGE"), &json!(message))
        );
        assert_eq!(error["details"], json!({"room": "r", "requested": next, "oldest": oldest}));
        (next, told) = (oldest, true);
    }
    assert!(told, "the reader was fast enough to miss nothing");
}

#[test]
fn a_reader_of_a_room_that_is_deleted_is_told() {
    let server = Server::start();
    let mut socket = Socket::at(server.synap(), PATH);
    subscribe(&mut socket, r#"{"room":"r"}"#);
    let deleted =
        command(&mut Connection::open(server.synap()), r#"{"command":"stream.delete","payload":{"room":"r"}}"#);
    assert_eq!(deleted["payload"]["deleted"], "r");
    let told = socket.expect_json();
    assert_eq!((&told["request_id"], &told["error"]["code"]), (&Value::Null, &json!("ROOM_NOT_FOUND")), "{told}");
    assert_eq!(subscribe(&mut socket, r#"{"room":"r","from_offset":7}"#), 7);
}

#[test]
fn a_message_that_its_consumer_on_a_socket_did_not_take_is_as_if_nobody_had_been_given_it() {
    let server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let message = "x".repeat(4 << 20);
    let publish = format!(r#"{{"command":"queue.publish","payload":{{"queue":"q","message":"{message}"}}}}"#);
    (0..4).for_each(|_| drop(command(&mut connection, &publish)));
    let mut socket = narrow(server.synap());
    let consume = r#"{"command":"queue.consume","payload":{"queue":"q","timeout":60}}"#;
    (0..5).for_each(|_| socket.send(consume));
    std::thread::sleep(Duration::from_millis(300));
    drop(socket);
    let stats = r#"{"command":"queue.stats","payload":{"queue":"q"}}"#;
    let start = Instant::now();
    while command(&mut connection, stats)["payload"]["depth"].as_u64() < Some(3) {
        assert!(start.elapsed() < Duration::from_secs(20), "what was not written comes back");
        std::thread::sleep(Duration::from_millis(20));
    }
    let taken = command(&mut connection, r#"{"command":"queue.consume","payload":{"queue":"q"}}"#);
    assert_eq!(taken["payload"]["retry_count"], 0);
}

#[test]
fn a_client_that_says_goodbye_is_answered_before_the_connection_ends() {
    let server = Server::start();
    for (address, path) in [(server.synap(), PATH), (server.synap(), "/pubsub/ws?topics=t")] {
        let mut socket = Socket::at(address, path);
        socket.say_goodbye(4000);
        let told = std::iter::repeat_with(|| socket.receive(Duration::from_secs(10)));
        let told = told.skip_while(|frame| matches!(frame, Frame::Text(_))).take(2);
        assert_eq!(told.collect::<Vec<_>>(), [Frame::Closed(Some(4000)), Frame::Gone], "{path}");
    }
}

#[test]
fn a_message_in_pieces_is_refused_with_the_piece_that_makes_it_too_long() {
    let server = Server::with(Settings::fast().set("synap.max_request_size_mb", 1));
    let mut socket = Socket::at(server.synap(), PATH);
    let piece = vec![b' '; 512 << 10];
    socket.send_frame(OpCode::Data(Data::Text), false, &piece);
    socket.send_frame(OpCode::Data(Data::Continue), false, &piece);
    assert_eq!(socket.receive(Duration::from_millis(200)), Frame::Nothing, "as long as may be");
    socket.send_frame(OpCode::Data(Data::Continue), false, b" ");
    assert_eq!(socket.receive(Duration::from_secs(10)), Frame::Closed(Some(1009)));
}

#[test]
fn a_text_that_is_not_utf_8_closes_as_such() {
    let server = Server::start();
    for pieces in [vec![(true, &b"\xff"[..])], vec![(false, &b"{\xc3"[..]), (true, &b"\x28"[..])]] {
        let mut socket = Socket::at(server.synap(), PATH);
        for (at, (is_final, bytes)) in pieces.into_iter().enumerate() {
            let kind = if at == 0 { Data::Text } else { Data::Continue };
            socket.send_frame(OpCode::Data(kind), is_final, bytes);
        }
        assert_eq!(socket.receive(Duration::from_secs(10)), Frame::Closed(Some(1007)));
    }
}

#[test]
fn who_takes_nothing_holds_up_nobody_behind_it_in_line() {
    let server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let mut stalled = narrow(server.synap());
    subscribe(&mut stalled, r#"{"room":"r"}"#);
    let consume = r#"{"command":"queue.consume","payload":{"queue":"q","timeout":300}}"#;
    let batch = format!(r#"{{"type":"batch","commands":[{consume},{consume}]}}"#);
    [consume, &batch].into_iter().for_each(|text| stalled.send(text));
    assert_eq!(stalled.call(r#"{"type":"ping"}"#)["type"], "pong");
    let data = "x".repeat(1 << 20);
    let event = format!(r#"{{"command":"stream.publish","payload":{{"room":"r","event_type":"e","data":"{data}"}}}}"#);
    (0..20).for_each(|_| drop(command(&mut connection, &event)));
    std::thread::sleep(Duration::from_millis(1500));

    let mut awake = Socket::at(server.synap(), PATH);
    awake.send(consume);
    command(&mut connection, r#"{"command":"queue.publish","payload":{"queue":"q","message":7}}"#);
    let Frame::Text(answer) = awake.receive(Duration::from_secs(5)) else { panic!("no message") };
    assert!(answer.contains(r#""message":7"#), "{answer}");

    let mut answers = Vec::new();
    while answers.len() < 2 {
        let frame = stalled.expect_json();
        answers.extend((frame["type"] != "event").then_some(frame));
    }
    assert_eq!(answers[0]["payload"]["message"], Value::Null);
    assert_eq!(answers[1]["results"][1]["payload"]["message"], Value::Null, "{}", answers[1]);
}

#[test]
fn many_reads_of_one_long_value_are_refused_before_they_fill_the_memory() {
    let server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let value = "x".repeat(8 << 20);
    command(&mut connection, &format!(r#"{{"command":"kv.set","payload":{{"key":"k","value":"{value}"}}}}"#));
    let before = server.resident_bytes();
    let get = json!({"command": "kv.get", "payload": {"key": "k"}});
    let answer = command(&mut connection, &json!({"type": "batch", "commands": vec![&get; 1000]}).to_string());
    let results = answer["results"].as_array().expect("results");
    let done = results.iter().filter(|result| result["success"] == true).count();
    assert_eq!((results.len(), done), (1000, 4), "until there are 32 MiB");
    let message = "the answer would have more than 33554432 bytes: ask for less";
    assert_eq!(results[999]["error"]["message"], message);
    let get = json!({"command": "kv.mget", "payload": {"keys": vec!["k"; 10_000]}});
    let refused = connection.send(&super::command(get.to_string())).expect("an answer").expect(422).json();
    assert_eq!(refused["error"]["code"], "INVALID_PAYLOAD", "{refused}");
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 1 << 30, "{} MiB more", grown >> 20);
}

#[test]
fn a_connection_follows_so_many_rooms_and_no_more() {
    let server = Server::with(Settings::fast());
    let mut socket = Socket::at(server.synap(), PATH);
    for room in 0..1000 {
        subscribe(&mut socket, &format!(r#"{{"room":"r{room}"}}"#));
    }
    let one_more = r#"{"command":"stream.subscribe","payload":{"room":"one more"}}"#;
    let refused = socket.call(one_more);
    assert_eq!(refused["error"]["code"], "INVALID_PAYLOAD", "{refused}");
    let rooms = command(&mut Connection::open(server.synap()), r#"{"command":"stream.rooms"}"#);
    assert_eq!(rooms["payload"]["count"], 1000, "the room was not made");
    subscribe(&mut socket, r#"{"room":"r7"}"#);
    assert_eq!(socket.call(r#"{"command":"stream.unsubscribe","payload":{"room":"r7"}}"#)["success"], true);
    subscribe(&mut socket, r#"{"room":"one more"}"#);
}
