//! Keys with a time to live of a second, written as fast as eight connections can, while others ask how the server is:
//! nobody waits long, and nothing is left of the keys when they are gone.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{command, send};
use crate::harness::{Connection, Request, Server, Settings};

/// How long keys are written, in seconds.
const SECONDS: &str = "MANIFOLD_SOAK_SECONDS";
const A_FEW: u64 = 3;
const WRITERS: usize = 8;
/// No answer takes longer, on a machine that may be busy with other tests.
const SLOWEST: Duration = Duration::from_secs(3);
/// From the last write to the last key's end: its second, and what a busy machine adds to the sweep.
const GONE: Duration = Duration::from_secs(10);
/// How long it may take until the space in the log is free again.
const CLEANED: Duration = Duration::from_secs(60);
/// What the log may hold then: segments that are not worth cleaning yet.
const LOG_BYTES: u64 = 96 << 20;
/// What may stay in memory: the newest changes and removed keys, and tables as large as what lived at one time.
const LEFT_BYTES: u64 = 16 << 20;
const RESIDENT_BYTES: u64 = 128 << 20;
/// Removed keys whose versions are remembered, and changes in the feed.
const REMEMBERED: i64 = 1000;

const GET_STAYS: &str = r#"{"command":"kv.get","payload":{"key":"stays"}}"#;

#[test]
fn keys_that_live_a_second_stop_nothing_and_leave_nothing() {
    let seconds = std::env::var(SECONDS).ok().map_or(A_FEW, |text| text.parse().expect("a number of seconds"));
    let settings = Settings::fast().set("unison.changes_max_records", REMEMBERED);
    let settings = settings.set("unison.tombstones_max", REMEMBERED);
    let mut server = Server::with(settings);
    let stays = r#"{"command":"kv.set","payload":{"key":"stays","value":"here"}}"#;
    assert_eq!(send(&server, stays)["success"], true);
    let (before, resident) = (gauge(&server, "synap_memory_bytes"), server.resident_bytes());

    let (written, slowest) = soak(server.synap(), Duration::from_secs(seconds));
    println!("{written} keys in {seconds} s, the slowest answer after {slowest:?}");
    assert!(written > 100 * seconds as usize, "{written} keys in {seconds} s were no load");
    assert!(slowest < SLOWEST, "the slowest of all answers took {slowest:?}");
    until(GONE, "all keys are gone", || keys(&server) == 1);
    until(GONE, "the memory is free again", || gauge(&server, "synap_memory_bytes") < before + LEFT_BYTES);
    until(CLEANED, "old versions are forgotten", || gauge(&server, "unison_kv_tombstones") <= REMEMBERED as u64);
    until(CLEANED, "the log is cleaned", || gauge(&server, "manifold_log_bytes") < LOG_BYTES);
    let more = server.resident_bytes().saturating_sub(resident);
    assert!(more < RESIDENT_BYTES, "the process is {more} bytes larger than before");

    // What a restart replays has no end of a key twice, and none too few.
    server.restart();
    assert_eq!(keys(&server), 1);
    assert_eq!(send(&server, GET_STAYS)["payload"]["value"], "here");
}

/// Writes and probes for this long. How many keys were written, and how long the slowest answer took.
fn soak(address: SocketAddr, length: Duration) -> (usize, Duration) {
    let over = AtomicBool::new(false);
    let over = &over;
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(address, number, over))).collect();
        let health = scope.spawn(|| probe(address, over, &Request::get("/health").key(None), "healthy"));
        let get = scope.spawn(|| probe(address, over, &command(GET_STAYS), "here"));
        std::thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        let results = writers.into_iter().chain([health, get]).map(|thread| thread.join().expect("a client"));
        results.fold((0, Duration::ZERO), |(all, slowest), (count, longest)| (all + count, slowest.max(longest)))
    })
}

/// Sets one new key after another. How many, and the longest wait for an answer.
fn write(address: SocketAddr, number: usize, over: &AtomicBool) -> (usize, Duration) {
    let mut connection = Connection::open(address);
    let (mut written, mut slowest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let key = format!("session:{number}:{written}");
        let set = format!(r#"{{"command":"kv.set","payload":{{"key":"{key}","value":"{written:0100}","ttl":1}}}}"#);
        slowest = slowest.max(timed(&mut connection, &command(set), r#""previous":null"#));
        written += 1;
    }
    (written, slowest)
}

/// Asks the same again and again. No keys, and the longest wait for an answer.
fn probe(address: SocketAddr, over: &AtomicBool, request: &Request, says: &str) -> (usize, Duration) {
    let mut connection = Connection::open(address);
    let mut slowest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        slowest = slowest.max(timed(&mut connection, request, says));
        std::thread::sleep(Duration::from_millis(10));
    }
    (0, slowest)
}

/// How long it takes until the right answer is there.
fn timed(connection: &mut Connection, request: &Request, says: &str) -> Duration {
    let start = Instant::now();
    let text = connection.send(request).expect("an answer").expect(200).text();
    assert!(text.contains(says), "{request}: {text}");
    start.elapsed()
}

fn keys(server: &Server) -> u64 {
    let stats = send(server, r#"{"command":"admin.stats"}"#);
    stats["payload"]["kv"]["total_keys"].as_u64().expect("a number of keys")
}

/// A gauge without labels.
fn gauge(server: &Server, name: &str) -> u64 {
    let text = server.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

fn until(within: Duration, what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
