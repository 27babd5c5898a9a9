//! Connections that stay: order, limits, hostile frames, and clients that do not read.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Connection, Data, Frame, OpCode, Request, Server, Settings, Socket, SocketOptions, eventually};

const PATH: &str = "/ws";
const MOST_FRAME_BYTES: usize = 5 << 20;

/// A connection that has been greeted.
fn open(address: SocketAddr) -> Socket {
    greeted(Socket::at(address, PATH))
}

fn greeted(mut socket: Socket) -> Socket {
    assert_eq!(socket.expect_json()["type"], "connected");
    socket
}

/// One that hears nothing of what happens.
fn deaf(address: SocketAddr) -> Socket {
    let mut socket = open(address);
    socket.send(r#"{"type":"unsubscribe","channel":"cache"}"#);
    socket
}

fn mset(socket: &mut Socket, prefix: &str, entries: usize, ttl: Option<u64>) {
    let entry = |n| json!({"key": format!("{prefix}{n}"), "value": "v", "ttl": ttl});
    let entries: Vec<Value> = (0..entries).map(entry).collect();
    let stored = socket.call(&json!({"type": "mset", "entries": entries}).to_string());
    assert_eq!(stored["data"]["stored"], entries.len(), "{stored}");
}

#[test]
fn what_happened_comes_in_its_order_and_before_the_result_of_who_did_it() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 60;
    let server = Server::start();
    let address = server.dunena();
    let mut watcher = open(address);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            std::thread::spawn(move || {
                let mut socket = open(address);
                for n in 0..EACH {
                    let value = "x".repeat(1 + n as usize);
                    socket.send(&format!(r#"{{"type":"set","key":"w{writer}","value":"{value}"}}"#));
                    // Its own event is among those that come before the result, and nothing of it comes later.
                    let mut seen = false;
                    loop {
                        let frame = socket.expect_json();
                        let own = frame["data"]["name"] == format!("w{writer}");
                        if frame["type"] == "result" {
                            break;
                        }
                        assert!(!own || !seen, "twice: {frame}");
                        seen |= own && frame["data"]["size"] == n + 1;
                    }
                    assert!(seen, "the event of write {n}");
                }
            })
        })
        .collect();
    let mut next = [1; WRITERS as usize];
    for _ in 0..WRITERS * EACH {
        let event = watcher.expect_json();
        let writer: usize = event["data"]["name"].as_str().expect("a name")[1..].parse().expect("a writer");
        assert_eq!(event["data"]["size"], next[writer], "of writer {writer}");
        next[writer] += 1;
    }
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
    assert_eq!(watcher.receive(Duration::from_millis(200)), Frame::Nothing);
}

#[test]
fn a_hundred_frames_a_second_are_answered_and_the_others_are_refused_one_by_one() {
    let server = Server::start();
    let mut other = open(server.dunena());
    let refused = |answer: &Value| answer["data"] == "Rate limit exceeded" && answer["type"] == "error";
    let quick = (0..20).find_map(|_| {
        let mut socket = open(server.dunena());
        let start = Instant::now();
        for n in 0..130 {
            match n % 3 {
                0 => socket.send(r#"{"type":"ping"}"#),
                1 => socket.send("no JSON"),
                _ => socket.send_binary(br#"{"type":"ping"}"#),
            }
        }
        let answers: Vec<Value> = (0..130).map(|_| socket.expect_json()).collect();
        let took = start.elapsed();
        assert!(!answers[..100].iter().any(refused));
        // When it took longer, the next second may have begun before the last frame.
        (took < Duration::from_millis(900)).then(|| {
            assert!(answers[100..].iter().all(refused), "{:?}", answers[100]);
            socket
        })
    });
    let mut socket = quick.expect("130 frames within 900 ms, once in twenty times");
    assert_eq!(other.call(r#"{"type":"ping"}"#)["type"], "pong", "each socket has a window of its own");
    eventually("the next second", Duration::from_secs(5), || {
        (socket.call(r#"{"type":"ping"}"#)["type"] == "pong").then_some(())
    });
}

#[test]
fn a_frame_of_five_mebibytes_is_read_and_one_byte_more_ends_the_connection() {
    let mut server = Server::start();
    let frame = |bytes: usize| {
        let (head, tail) = (r#"{"type":"ping","x":""#, r#""}"#);
        format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
    };
    let mut socket = open(server.dunena());
    assert_eq!(socket.call(&frame(MOST_FRAME_BYTES))["type"], "pong");
    socket.send(&frame(MOST_FRAME_BYTES + 1));
    assert_eq!(socket.receive(Duration::from_secs(10)), Frame::Closed(Some(1009)));
    // In pieces it is no shorter.
    let mut socket = open(server.dunena());
    socket.send_frame(OpCode::Data(Data::Text), false, &vec![b'x'; MOST_FRAME_BYTES]);
    socket.send_frame(OpCode::Data(Data::Continue), true, b"xx");
    assert_eq!(socket.receive(Duration::from_secs(10)), Frame::Closed(Some(1009)));
    server.assert_alive();
}

#[test]
fn an_answer_that_is_too_long_is_an_error_and_the_connection_stays() {
    let server = Server::start();
    let mut connection = Connection::open(server.dunena());
    let value = format!(r#"{{"value":"{}"}}"#, "x".repeat(4 << 20));
    for n in 0..17 {
        let set = Request::post(format!("/cache/k{n}"), value.clone()).key(None);
        connection.send(&set).expect("an answer").expect(201);
    }
    let mut socket = open(server.dunena());
    let mget = |keys: usize| json!({"type": "mget", "keys": (0..keys).map(|n| format!("k{n}")).collect::<Vec<_>>()});
    let answer = socket.call(&mget(17).to_string());
    assert_eq!(answer["data"], "Result exceeds max size (67108864 bytes)");
    let answer = socket.call(&mget(3).to_string());
    assert_eq!(answer["data"]["result"]["k2"].as_str().map(str::len), Some(4 << 20));
}

#[test]
fn no_frame_ends_the_process() {
    let mut server = Server::start();
    let mut socket = open(server.dunena());
    let kinds = ["ping", "get", "set", "del", "mget", "mset", "subscribe", "unsubscribe", "connected", "__proto__"];
    let values = ["null", "true", "-1", "1e400", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "[null]", "[[]]", "{}"];
    let mut sent = 0;
    for kind in kinds {
        for value in values {
            let members = ["key", "value", "ttl", "ns", "keys", "entries", "channel"];
            let members: Vec<String> = members.iter().map(|name| format!(r#""{name}":{value}"#)).collect();
            socket.send(&format!(r#"{{"type":"{kind}",{}}}"#, members.join(",")));
            sent += 1;
            if sent % 90 == 0 {
                std::thread::sleep(Duration::from_millis(1100));
            }
        }
    }
    for text in ["null", "0", "\"", "{\"type\":{\"type\":\"ping\"}}", "\u{0}", "{\"\\u0000\":1}"] {
        socket.send(text);
    }
    // Whatever was answered, the connection still works.
    eventually("an answer", Duration::from_secs(10), || {
        socket.send(r#"{"type":"ping"}"#);
        (0..300)
            .map(|_| socket.receive(Duration::from_millis(300)))
            .take_while(|frame| *frame != Frame::Nothing)
            .find_map(|frame| match frame {
                Frame::Text(text) => text.starts_with(r#"{"type":"pong""#).then_some(()),
                other => panic!("{other:?}"),
            })
    });
    // Frames that break the protocol end their own connection only.
    for (opcode, is_final, bytes) in [
        (OpCode::Data(Data::Text), true, &b"\xFF\xFE"[..]),
        (OpCode::Data(Data::Continue), true, b"nothing before"),
        (OpCode::Data(Data::Reserved(3)), true, b""),
    ] {
        let mut hostile = open(server.dunena());
        hostile.send_frame(opcode, is_final, bytes);
        let end = hostile.receive(Duration::from_secs(10));
        assert!(matches!(end, Frame::Closed(Some(1002 | 1007)) | Frame::Gone), "{opcode}: {end:?}");
    }
    assert_eq!(open(server.dunena()).call(r#"{"type":"ping"}"#)["type"], "pong");
    server.assert_alive();
}

#[test]
fn a_burst_reaches_who_reads_and_writes() {
    const BURST: usize = 8_000;
    let server = Server::start();
    let mut reader = open(server.dunena());
    let mut writer = open(server.dunena());
    let entries: Vec<Value> = (0..BURST).map(|n| json!({"key": format!("k{n}"), "value": "v"})).collect();
    writer.send(&json!({"type": "mset", "entries": entries}).to_string());
    for socket in [&mut reader, &mut writer] {
        for n in 0..BURST {
            assert_eq!(socket.expect_json()["data"]["name"], format!("k{n}"));
        }
    }
    assert_eq!(writer.expect_json()["data"]["stored"], BURST);
    // All of them expire at once.
    mset(&mut deaf(server.dunena()), "t", BURST, Some(50));
    let mut expired = 0;
    while expired < BURST {
        expired += usize::from(reader.expect_json()["event"] == "expired");
    }
}

#[test]
fn a_client_that_does_not_read_is_closed_with_1013_and_holds_up_nobody() {
    let mut server = Server::with(Settings::fast());
    let address = server.dunena();
    let narrow = || {
        let options = SocketOptions { receive_buffer_bytes: Some(8 << 10), ..SocketOptions::to(PATH) };
        Socket::open(address, &options).expect("a WebSocket")
    };
    let mut stalled: Vec<Socket> = (0..8).map(|_| narrow()).collect();
    let mut reader = open(address);
    let counted = "dunena_websockets_fallen_behind_total 8";
    let mut writer = deaf(address);
    let reading = std::thread::spawn(move || {
        let mut events = 0;
        loop {
            let event = reader.expect_json();
            if event["data"]["name"] == "end0" {
                return events;
            }
            events += 1;
        }
    });
    let (mut written, mut slowest) = (0, Duration::ZERO);
    while written < 400_000 && !server.metrics_text().contains(counted) {
        let start = Instant::now();
        mset(&mut writer, "k", 500, None);
        // Not more than a hundred frames a second.
        std::thread::sleep(Duration::from_millis(12));
        slowest = slowest.max(start.elapsed());
        written += 500;
    }
    assert!(server.metrics_text().contains(counted), "after {written} events");
    assert!(slowest < Duration::from_secs(2), "a write took {slowest:?}");
    mset(&mut writer, "end", 1, None);
    assert_eq!(reading.join().expect("a reader"), written);
    drop(writer);
    // Who reads on finds what was sent before, in its order, and then why it ended.
    let ends: Vec<Frame> = stalled
        .iter_mut()
        .map(|socket| {
            loop {
                match socket.receive(Duration::from_secs(10)) {
                    Frame::Text(_) => {}
                    other => return other,
                }
            }
        })
        .collect();
    assert!(ends.iter().all(|end| *end == Frame::Closed(Some(1013))), "{ends:?}");
    eventually("closed sockets", Duration::from_secs(20), || {
        server.metrics_text().contains("dunena_websockets_open 0").then_some(())
    });
    server.assert_alive();
}

#[test]
fn a_stopping_server_says_goodbye() {
    let mut server = Server::start();
    let mut socket = open(server.dunena());
    let stop = std::thread::spawn(move || {
        let end = socket.receive(Duration::from_secs(10));
        (socket, end)
    });
    server.stop();
    assert_eq!(stop.join().expect("a client").1, Frame::Closed(Some(1001)));
}

#[test]
fn a_step_with_more_events_than_are_kept_is_answered_before_its_sender_goes() {
    const MANY: usize = 20_000;
    let server = Server::start();
    let mut writer = open(server.dunena());
    let entries: Vec<Value> = (0..MANY).map(|n| json!({"key": format!("k{n}"), "value": "v"})).collect();
    writer.send(&json!({"type": "mset", "entries": entries}).to_string());
    let told = writer.expect_json();
    assert_eq!((&told["type"], &told["data"]["stored"]), (&json!("result"), &json!(MANY)), "{told}");
    let end = writer.receive(Duration::from_secs(10));
    assert!(matches!(end, Frame::Closed(Some(1013))), "{end:?}");
}
