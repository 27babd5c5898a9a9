//! What is done, and how each server is asked for it.

use std::{cell::Cell, rc::Rc};

use crate::{
    dunena,
    flo::http as flo,
    http::{self, Verb},
    load::{
        resp::command as redis,
        script::{Numbered, Round, Scripts, Step, Steps},
        server::Dialect,
        webdis,
    },
    synap::{
        commands::cycle,
        elements::{member, score},
        request::command as synap,
    },
};

/// Keys that are read and written, round and round.
const KEYS: usize = 1000;
/// Bytes of a value or a message without quotes; a multiple of three, so that its base64 needs no padding.
const VALUE_BYTES: usize = 126;
/// Requests that go out together where they do.
const AT_ONCE: usize = 16;

/// Something that is done over and over.
pub struct Work {
    pub title: &'static str,
    /// Whether the durability level matters.
    pub writes: bool,
    pub ways: Vec<Way>,
}

/// How one server is asked for it.
pub struct Way {
    pub name: &'static str,
    pub at: At,
    pub scripts: Scripts,
    pub at_once: usize,
    pub steps: usize,
}

/// Where requests go.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// Redis itself.
    Redis,
    /// Redis through Webdis.
    Webdis,
    /// A dialect.
    Manifold(Dialect),
}

/// What is written before anything is measured.
pub struct Door {
    pub at: At,
    pub requests: Vec<Vec<u8>>,
}

const UNISON: At = At::Manifold(Dialect::Unison);
const FLO: At = At::Manifold(Dialect::Flo);
const SYNAP: At = At::Manifold(Dialect::Synap);
const DUNENA: At = At::Manifold(Dialect::Dunena);
/// Its name where it keeps things in memory only.
const CACHE: &str = "Dunena, in memory";

/// Whether the side is a dialect that keeps what it is given.
pub fn is_dialect(name: &str) -> bool {
    ["Unison", "Flo", "Synap"].contains(&name)
}

/// All of it.
pub fn all() -> Vec<Work> {
    vec![get(1), get(AT_ONCE), set(1), set(AT_ONCE), increment(), push(), add(), queue(), append()]
}

/// A value under every key, and a counter where counters do not begin by themselves.
pub fn preparation() -> Vec<Door> {
    let of = |at, request: fn(usize) -> Vec<u8>| Door { at, requests: (0..KEYS).map(request).collect() };
    vec![
        of(At::Redis, set_redis),
        of(At::Webdis, set_webdis),
        of(UNISON, |n| http::request(Verb::Put, n)),
        of(FLO, set_flo),
        of(SYNAP, set_synap),
        of(DUNENA, set_dunena),
        of(DUNENA, |n| dunena::post(&format!("/cache/{}", counter(n)), "{\"value\":\"0\"}")),
    ]
}

fn get(at_once: usize) -> Work {
    let mut ways = vec![
        keys("Redis", At::Redis, at_once, |n| redis(&["GET", &key(n)])),
        keys("Webdis", At::Webdis, at_once, |n| webdis::get(&format!("GET/{}", key(n)))),
        keys("Unison", UNISON, at_once, |n| http::request(Verb::Get, n)),
        keys("Flo", FLO, at_once, |n| dunena::get(&format!("/api/v1/kv/bench/{}", key(n)))),
        keys("Synap", SYNAP, at_once, |n| synap("kv.get", &format!("{{\"key\":\"{}\"}}", key(n)))),
        keys(CACHE, DUNENA, at_once, |n| dunena::get(&format!("/cache/{}", key(n)))),
    ];
    one_at_a_time(&mut ways, at_once);
    Work { title: if at_once == 1 { "get" } else { "get, 16 at once" }, writes: false, ways }
}

fn set(at_once: usize) -> Work {
    let mut ways = vec![
        keys("Redis", At::Redis, at_once, set_redis),
        keys("Webdis", At::Webdis, at_once, set_webdis),
        keys("Unison", UNISON, at_once, |n| http::request(Verb::Put, n)),
        keys("Flo", FLO, at_once, set_flo),
        keys("Synap", SYNAP, at_once, set_synap),
        keys(CACHE, DUNENA, at_once, set_dunena),
    ];
    one_at_a_time(&mut ways, at_once);
    Work { title: if at_once == 1 { "set" } else { "set, 16 at once" }, writes: true, ways }
}

/// Webdis does not say in which order it answers requests that come at once.
fn one_at_a_time(ways: &mut Vec<Way>, at_once: usize) {
    ways.retain(|way| at_once == 1 || !matches!(way.at, At::Webdis));
}

fn increment() -> Work {
    let ways = vec![
        keys("Redis", At::Redis, 1, |n| redis(&["INCR", &counter(n)])),
        keys("Webdis", At::Webdis, 1, |n| webdis::get(&format!("INCR/{}", counter(n)))),
        keys("Synap", SYNAP, 1, |n| synap("kv.incr", &format!("{{\"key\":\"{}\"}}", counter(n)))),
        keys(CACHE, DUNENA, 1, |n| dunena::post(&format!("/cache/{}/incr", counter(n)), "{}")),
    ];
    Work { title: "increment", writes: true, ways }
}

/// To one list that becomes longer and longer.
fn push() -> Work {
    let ways = vec![
        keys("Redis", At::Redis, 1, |_| redis(&["RPUSH", "list", &value()])),
        keys("Webdis", At::Webdis, 1, |_| webdis::put("RPUSH/list", &value())),
        keys("Synap", SYNAP, 1, |_| synap("list.rpush", &format!("{{\"key\":\"list\",\"values\":[\"{}\"]}}", value()))),
    ];
    Work { title: "list push", writes: true, ways }
}

/// To one sorted set, a new member each time.
fn add() -> Work {
    let ways = vec![
        fresh("Redis", At::Redis, |n| redis(&["ZADD", "set", &score(n).to_string(), &member(n)])),
        fresh("Webdis", At::Webdis, |n| webdis::get(&format!("ZADD/set/{}/{}", score(n), member(n)))),
        fresh("Synap", SYNAP, |n| {
            let member = format!("{{\"member\":\"{}\",\"score\":{}}}", member(n), score(n));
            synap("sortedset.zadd", &format!("{{\"key\":\"set\",\"members\":[{member}]}}"))
        }),
    ];
    Work { title: "sorted set add", writes: true, ways }
}

/// A message in, out, and acknowledged. What Redis takes out with one command is gone if the taker dies; with two, it
/// waits in another list until it is removed there.
fn queue() -> Work {
    let ways = vec![
        steps(
            "Redis",
            At::Redis,
            fixed(vec![
                redis(&["LPUSH", "queue", &value()]),
                redis(&["RPOPLPUSH", "queue", "work"]),
                redis(&["LREM", "work", "-1", &value()]),
            ]),
        ),
        steps(
            "Redis, BRPOP alone",
            At::Redis,
            fixed(vec![redis(&["LPUSH", "gone", &value()]), redis(&["BRPOP", "gone", "0"])]),
        ),
        steps(
            "Webdis",
            At::Webdis,
            fixed(vec![
                webdis::put("LPUSH/queue", &value()),
                webdis::get("RPOPLPUSH/queue/work"),
                webdis::put("LREM/work/-1", &value()),
            ]),
        ),
        steps("Flo", FLO, flo_cycle()),
        steps("Synap", SYNAP, cycle("queue")),
    ];
    Work { title: "message in, out, acknowledged", writes: true, ways }
}

fn append() -> Work {
    let ways = vec![
        keys("Redis", At::Redis, 1, |_| redis(&["XADD", "stream", "*", "p", &value()])),
        keys("Webdis", At::Webdis, 1, |_| webdis::put("XADD/stream/*/p", &value())),
        keys("Flo", FLO, 1, |_| flo::post("stream/bench/s/append", &format!("{{\"payload\":\"{}\"}}", base64()))),
        keys("Synap", SYNAP, 1, |_| {
            let event = format!("{{\"room\":\"s\",\"event_type\":\"e\",\"data\":\"{}\"}}", value());
            synap("stream.publish", &event)
        }),
    ];
    Work { title: "stream append", writes: true, ways }
}

fn flo_cycle() -> Vec<Step> {
    let enqueue = flo::post("queue/bench/q/enqueue", &format!("{{\"payload\":\"{}\"}}", base64()));
    let dequeue = flo::post("queue/bench/q/dequeue", "{\"count\":1}");
    let ack = |answer: &[u8]| {
        let sequence = flo::numbers(answer, "\"sequence\":").next();
        let sequence = sequence.ok_or("a queue with a message in it gave none")?;
        Ok(flo::post("queue/bench/q/ack", &format!("{{\"sequences\":[{sequence}]}}")))
    };
    vec![Rc::new(move |_| Ok(enqueue.clone())), Rc::new(move |_| Ok(dequeue.clone())), Rc::new(ack)]
}

fn set_redis(n: usize) -> Vec<u8> {
    redis(&["SET", &key(n), &value()])
}

fn set_webdis(n: usize) -> Vec<u8> {
    webdis::put(&format!("SET/{}", key(n)), &value())
}

fn set_flo(n: usize) -> Vec<u8> {
    let body = format!("{{\"value\":\"{}\"}}", base64());
    let target = format!("/api/v1/kv/bench/{}", key(n));
    format!("PUT {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn set_synap(n: usize) -> Vec<u8> {
    synap("kv.set", &format!("{{\"key\":\"{}\",\"value\":\"{}\"}}", key(n), value()))
}

fn set_dunena(n: usize) -> Vec<u8> {
    dunena::post(&format!("/cache/{}", key(n)), &format!("{{\"value\":\"{}\"}}", value()))
}

/// A request for each key, round and round, so many of them at once.
fn keys(name: &'static str, at: At, at_once: usize, request: impl Fn(usize) -> Vec<u8>) -> Way {
    let requests: Vec<Vec<u8>> = (0..KEYS).map(request).collect();
    let together = requests.chunks_exact(at_once).map(|chunk| chunk.concat()).collect();
    Way { name, at, scripts: Round::scripts(together), at_once, steps: 1 }
}

/// A request of a number that no other has.
fn fresh(name: &'static str, at: At, request: impl Fn(u64) -> Vec<u8> + 'static) -> Way {
    Way { name, at, scripts: Numbered::scripts(Rc::new(Cell::new(0)), request), at_once: 1, steps: 1 }
}

fn steps(name: &'static str, at: At, steps: Vec<Step>) -> Way {
    let count = steps.len();
    Way { name, at, scripts: Steps::scripts(steps), at_once: 1, steps: count }
}

/// Requests that are the same each time.
fn fixed(requests: Vec<Vec<u8>>) -> Vec<Step> {
    requests.into_iter().map(|request| Rc::new(move |_: &[u8]| Ok(request.clone())) as Step).collect()
}

fn key(n: usize) -> String {
    format!("key-{n:04}")
}

fn counter(n: usize) -> String {
    format!("counter-{n:04}")
}

fn value() -> String {
    "v".repeat(VALUE_BYTES)
}

/// The same: `dnZ2` is `vvv`.
fn base64() -> String {
    "dnZ2".repeat(VALUE_BYTES / 3)
}
