//! Several clients at once on the same few keys, queues and streams, each through another dialect.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{dice::Dice, feed::Feed, rounds, seed};
use crate::harness::{Connection, Request, Server, Socket};

const COUNTERS: [&str; 2] = ["n0", "n1"];

/// How long each of these tests races.
fn time() -> Duration {
    Duration::from_millis(1500 * rounds(1))
}

/// One client of all dialects, whose every request is answered.
struct Client {
    unison: Connection,
    flo: Connection,
    synap: Connection,
    dice: Dice,
}

impl Client {
    fn new(server: &Server, dice: Dice) -> Client {
        Client {
            unison: Connection::open(server.unison()),
            flo: Connection::open(server.flo()),
            synap: Connection::open(server.synap()),
            dice,
        }
    }

    fn unison(&mut self, request: Request) -> (u16, Value) {
        let answer = self.unison.send(&request).expect("an answer");
        (answer.status, answer.json())
    }

    fn flo(&mut self, method: &str, target: &str, body: Value) -> (u16, Value) {
        let request = Request::new(method, target).key(None);
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let answer = self.flo.send(&request).expect("an answer");
        (answer.status, answer.json())
    }

    fn synap(&mut self, command: &str, payload: Value) -> Value {
        let body = json!({"command": command, "payload": payload}).to_string();
        let answer = self.synap.send(&Request::post("/api/v1/command", body).key(None)).expect("an answer").json();
        if answer["success"] == true { answer["payload"].clone() } else { answer["error"].clone() }
    }
}

/// Runs clients until the time is over, or until they have nothing to do any more.
fn race(server: &Server, clients: usize, turn: impl Fn(usize, &mut Client) + Sync) {
    let (over, seed) = (AtomicBool::new(false), seed());
    println!("seed {seed}");
    std::thread::scope(|scope| {
        for number in 0..clients {
            let (turn, over) = (&turn, &over);
            let mut client = Client::new(server, Dice::new(seed.wrapping_add(number as u64)));
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    turn(number, &mut client);
                }
            });
        }
        std::thread::sleep(time());
        over.store(true, Ordering::Relaxed);
    });
}

/// Every write adds one, so the value of a counter is its version: a lost or a doubled write shows at once, and so does a
/// read that goes back.
#[test]
fn counters_that_all_dialects_count_lose_nothing() {
    let server = Server::start();
    let won: Mutex<HashMap<&str, BTreeSet<u64>>> = Mutex::default();
    let floor: HashMap<&str, AtomicU64> = COUNTERS.into_iter().map(|name| (name, AtomicU64::new(0))).collect();
    race(&server, 6, |_, client| {
        let name = *client.dice.pick(&COUNTERS);
        let least = floor[name].load(Ordering::SeqCst);
        let done = match client.dice.below(4) {
            0 => count_by_synap(client, name),
            1 => count_by_unison(client, name, least),
            2 => count_by_flo(client, name, least),
            _ => return count_both(client, &won),
        };
        if let Some(version) = done {
            assert!(version > least, "{name} was at {least} before it came to {version}");
            floor[name].fetch_max(version, Ordering::SeqCst);
            assert!(won.lock().unwrap().entry(name).or_default().insert(version), "two came to version {version}");
        }
    });
    let mut feed = Feed::default();
    assert_eq!(feed.read(server.unison()), Ok(true));
    for (name, versions) in won.into_inner().unwrap() {
        let count = versions.len() as u64;
        assert!(versions.into_iter().eq(1..=count), "{name} has gaps");
        let entry = server.get(&format!("/api/v1/kv/default/{name}")).expect(200).json();
        assert_eq!(entry["version"], count, "{entry}");
        let told: Vec<u64> = feed.seen.iter().filter(|seen| seen.key == name).map(|seen| seen.version).collect();
        assert!(told.into_iter().eq(1..=count), "the feed lacks some of {name}");
        assert!(count > 5, "the race was no race");
    }
}

fn count_by_synap(client: &mut Client, name: &str) -> Option<u64> {
    let answer = client.synap("kv.incr", json!({"key": name}));
    Some(answer["value"].as_u64().unwrap_or_else(|| panic!("{answer}")))
}

fn count_by_unison(client: &mut Client, name: &str, least: u64) -> Option<u64> {
    let target = format!("/api/v1/kv/default/{name}");
    let (_, entry) = client.unison(Request::get(&target));
    let version = entry["version"].as_u64().unwrap_or(0);
    assert!(version >= least, "{name} was at {least} before it was at {version}");
    assert!(version == 0 || number(&entry["value"]) == version, "{entry}");
    let (status, answer) =
        client.unison(Request::put(&target, json!({"value": version + 1, "cas": version}).to_string()));
    won(status, &answer, "version", "currentVersion", version)
}

fn count_by_flo(client: &mut Client, name: &str, least: u64) -> Option<u64> {
    let target = format!("/api/v1/kv/default/{name}");
    let (_, entry) = client.flo("GET", &target, Value::Null);
    let version = entry["version"].as_u64().unwrap_or(0);
    assert!(version >= least, "{name} was at {least} before it was at {version}");
    let value = STANDARD.encode((version + 1).to_string());
    let (status, answer) = client.flo("PUT", &target, json!({"value": value, "cas_version": version}));
    won(status, &answer, "version", "current_version", version)
}

/// Both counters in one batch, or neither.
fn count_both(client: &mut Client, won: &Mutex<HashMap<&'static str, BTreeSet<u64>>>) {
    let mut operations = Vec::new();
    for name in COUNTERS {
        let (_, entry) = client.unison(Request::get(format!("/api/v1/kv/default/{name}")));
        let version = entry["version"].as_u64().unwrap_or(0);
        operations.push(json!({"op":"set","namespace":"default","key":name,"value":version + 1,"cas":version}));
    }
    let body = json!({"operations": operations}).to_string();
    let (status, answer) = client.unison(Request::post("/api/v1/batch?return=results", body));
    if status == 409 {
        assert_eq!(answer["error"], "CAS conflict");
        return;
    }
    assert_eq!(status, 200, "{answer}");
    let mut won = won.lock().unwrap();
    for (name, result) in COUNTERS.into_iter().zip(answer["results"].as_array().expect("results")) {
        let version = number(&result["version"]);
        assert!(won.entry(name).or_default().insert(version), "two came to version {version}");
    }
}

/// The version a write came to, unless another one came before it.
fn won(status: u16, answer: &Value, version: &str, current: &str, from: u64) -> Option<u64> {
    if status == 409 {
        assert_ne!(answer[current], from, "{answer}");
        return None;
    }
    assert_eq!((status, &answer[version]), (200, &(from + 1).into()), "{answer}");
    Some(from + 1)
}

/// A number, also one that Flo wrote, which reads as a text.
fn number(value: &Value) -> u64 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("{value} is no number"))
}

/// Who holds which message, and which are done.
#[derive(Default)]
struct Held {
    now: BTreeMap<u64, u64>,
    attempts: HashMap<u64, u64>,
    acked: BTreeSet<u64>,
    dead: BTreeSet<u64>,
    sent: u64,
}

impl Held {
    fn take(&mut self, sequence: u64, attempt: u64) {
        assert_eq!(self.now.insert(sequence, attempt), None, "message {sequence} is held twice");
        assert!(!self.acked.contains(&sequence), "message {sequence} was acknowledged");
        assert!(!self.dead.contains(&sequence), "message {sequence} is dead");
        let before = self.attempts.insert(sequence, attempt).unwrap_or(0);
        assert_eq!(attempt, before + 1, "message {sequence}");
    }
}

#[test]
fn a_message_is_held_by_one_and_done_once() {
    let server = Server::start();
    let held: Mutex<Held> = Mutex::default();
    race(&server, 6, |number, client| match number {
        0 => {
            let payload = STANDARD.encode("1");
            let (status, answer) = client.flo("POST", "/api/v1/queue/default/q/enqueue", json!({"payload": payload}));
            assert_eq!(status, 200, "{answer}");
            held.lock().unwrap().sent += 1;
        }
        1 => {
            let answer = client.synap("queue.publish", json!({"queue": "q", "message": 1, "priority": 0}));
            assert!(answer["message_id"].is_string(), "{answer}");
            held.lock().unwrap().sent += 1;
        }
        2 | 3 => take_by_flo(client, &held),
        _ => take_by_synap(client, &held),
    });
    let held = held.into_inner().unwrap();
    let mut client = Client::new(&server, Dice::new(0));
    let (_, stats) = client.flo("GET", "/api/v1/queue/default/q/stats", Value::Null);
    let counted = (&stats["total_enqueued"], &stats["total_acked"], &stats["dlq_count"], &stats["leased_count"]);
    let (acked, dead, leased) = (held.acked.len(), held.dead.len(), held.now.len());
    assert_eq!(counted, (&held.sent.into(), &acked.into(), &dead.into(), &leased.into()), "{stats}");
    let told = client.synap("queue.stats", json!({"queue": "q"}));
    assert_eq!((&told["depth"], &told["acked_total"]), (&stats["ready_count"], &stats["total_acked"]), "{told}");
    let delivered: u64 = held.attempts.values().sum();
    assert_eq!(told["consumed_total"], delivered, "{told}");
    assert!(acked > 5, "the race was no race");
}

fn take_by_flo(client: &mut Client, held: &Mutex<Held>) {
    let (_, taken) = client.flo("POST", "/api/v1/queue/default/q/dequeue", json!({"count": 2}));
    for message in taken["messages"].as_array().expect("messages") {
        let sequence = number(&message["sequence"]);
        held.lock().unwrap().take(sequence, number(&message["attempts"]));
        let again = client.dice.percent(30);
        let verb = if again { "nack" } else { "ack" };
        held.lock().unwrap().now.remove(&sequence);
        let (_, done) =
            client.flo("POST", &format!("/api/v1/queue/default/q/{verb}"), json!({"sequences": [sequence]}));
        assert_eq!(done["not_found"], json!([]), "{verb} of {sequence}: {done}");
        let mut held = held.lock().unwrap();
        if !again {
            assert!(held.acked.insert(sequence), "message {sequence} was acknowledged twice");
        } else if done["dead_lettered"] == 1 {
            held.dead.insert(sequence);
        }
    }
}

fn take_by_synap(client: &mut Client, held: &Mutex<Held>) {
    let taken = client.synap("queue.consume", json!({"queue": "q"}));
    let Some(id) = taken["message_id"].as_str() else { return };
    let sequence = u64::from_str_radix(id.trim_start_matches("msg_"), 16).expect("a number");
    held.lock().unwrap().take(sequence, number(&taken["retry_count"]) + 1);
    let again = client.dice.percent(30);
    held.lock().unwrap().now.remove(&sequence);
    let verb = if again { "queue.nack" } else { "queue.ack" };
    let done = client.synap(verb, json!({"queue": "q", "message_id": id}));
    assert_eq!(done["success"], true, "{verb} of {id}: {done}");
    let mut held = held.lock().unwrap();
    if !again {
        assert!(held.acked.insert(sequence), "message {sequence} was acknowledged twice");
    } else if done["action"] == "dead_lettered" {
        held.dead.insert(sequence);
    }
}

#[test]
fn a_record_comes_to_each_group_once_and_to_every_reader_in_one_order() {
    const GROUPS: [&str; 2] = ["g", "h"];
    let server = Server::start();
    let mut socket = Socket::at(server.synap(), "/api/v1/ws");
    socket.call(r#"{"command":"stream.subscribe","payload":{"room":"s"}}"#);
    let given: Mutex<HashMap<&str, BTreeSet<u64>>> = Mutex::default();
    let sent: Mutex<BTreeMap<u64, (usize, u64)>> = Mutex::default();
    let count = AtomicU64::new(0);
    race(&server, 6, |number, client| match number {
        0 => {
            let at = [(); 2].map(|()| count.fetch_add(1, Ordering::SeqCst));
            let records = at.map(|at| json!({"payload": STANDARD.encode(at.to_string())}));
            let (status, done) = client.flo("POST", "/api/v1/stream/default/s/append", json!({"records": records}));
            assert_eq!(status, 200, "{done}");
            let first = self::number(&done["first_offset"]);
            let mut sent = sent.lock().unwrap();
            for (offset, at) in (first..).zip(at) {
                assert_eq!(sent.insert(offset, (number, at)), None, "offset {offset} was given twice");
            }
        }
        1 => {
            let at = count.fetch_add(1, Ordering::SeqCst);
            let done = client.synap("stream.publish", json!({"room": "s", "event_type": "e", "data": at}));
            let offset = self::number(&done["offset"]) - 1;
            assert_eq!(sent.lock().unwrap().insert(offset, (number, at)), None, "offset {offset} was given twice");
        }
        _ => {
            deliver(client, GROUPS[number % 2], &given);
        }
    });
    let sent = sent.into_inner().unwrap();
    assert!(sent.keys().copied().eq(0..sent.len() as u64), "offsets have gaps");
    let mut client = Client::new(&server, Dice::new(0));
    for group in GROUPS {
        while deliver(&mut client, group, &given) > 0 {}
    }
    for (group, offsets) in given.into_inner().unwrap() {
        assert!(offsets.iter().eq(sent.keys()), "group {group} lacks some");
    }
    for (offset, (_, at)) in &sent {
        let event = socket.expect_json();
        assert_eq!((&event["offset"], &event["data"]), (&(offset + 1).into(), &(*at).into()), "{event}");
    }
    for sender in [0, 1] {
        let order: Vec<u64> = sent.values().filter(|(by, _)| *by == sender).map(|(_, at)| *at).collect();
        assert!(order.is_sorted(), "the records of one sender changed places");
    }
    assert!(sent.len() > 5, "the race was no race");
}

/// Reads for a group, and acknowledges; how many.
fn deliver(client: &mut Client, group: &'static str, given: &Mutex<HashMap<&'static str, BTreeSet<u64>>>) -> usize {
    let groups = "/api/v1/stream/default/s/groups";
    let (status, read) = client.flo("POST", &format!("{groups}/{group}/read"), json!({"consumer": "c", "count": 3}));
    if status == 404 {
        // Nobody has written yet.
        return 0;
    }
    let records = read["records"].as_array().unwrap_or_else(|| panic!("{read}"));
    let offsets: Vec<u64> = records.iter().map(|record| number(&record["offset"])).collect();
    for (record, offset) in records.iter().zip(&offsets) {
        assert_eq!(record["deliveries"], 1, "{record}");
        assert!(given.lock().unwrap().entry(group).or_default().insert(*offset), "{group} got {offset} twice");
    }
    let (_, acked) = client.flo("POST", &format!("{groups}/{group}/ack"), json!({"offsets": offsets}));
    assert_eq!(acked["acked"], offsets.len(), "{acked}");
    offsets.len()
}
