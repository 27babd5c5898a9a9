//! Many clients of the cache at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use crate::harness::{Connection, Request, Server, Settings, eventually};

/// Without a limit of requests.
fn server() -> Server {
    Server::with(Settings::default().set("dunena.rate_max", 0))
}

fn connect(server: &Server) -> Connection {
    Connection::open(server.dunena())
}

fn ask(connection: &mut Connection, request: &Request) -> serde_json::Value {
    connection.send(request).expect("an answer").json()
}

/// Sets many keys in one step.
fn mset(entries: impl IntoIterator<Item = (String, String)>) -> Request {
    let entries: Vec<_> =
        entries.into_iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})).collect();
    Request::post("/cache", serde_json::json!({"action": "mset", "entries": entries}).to_string())
}

/// Reads all pages; after each, `meanwhile` may do what it likes. How often each key came.
fn scan(connection: &mut Connection, count: usize, mut meanwhile: impl FnMut(&[String])) -> BTreeMap<String, u32> {
    let (mut cursor, mut seen) = (0, BTreeMap::new());
    for _ in 0..10_000 {
        let page = ask(connection, &Request::get(format!("/keys?count={count}&cursor={cursor}")));
        let keys: Vec<String> = serde_json::from_value(page["keys"].clone()).expect("keys");
        assert!(keys.len() <= count && keys.is_sorted(), "{keys:?}");
        keys.iter().for_each(|key| *seen.entry(key.clone()).or_default() += 1);
        meanwhile(&keys);
        cursor = page["cursor"].as_u64().expect("a cursor");
        if cursor == 0 {
            return seen;
        }
    }
    panic!("the scan does not end");
}

#[test]
fn a_scan_that_deletes_what_it_read_sees_every_other_key_once() {
    let server = server();
    let mut connection = connect(&server);
    let keys: BTreeSet<String> = (0..25).map(|n| format!("k{n:02}")).collect();
    ask(&mut connection, &mset(keys.iter().map(|key| (key.clone(), "v".to_owned()))));
    let mut deleting = connect(&server);
    let seen = scan(&mut connection, 10, |read| {
        for key in read {
            assert_eq!(ask(&mut deleting, &Request::delete(format!("/cache/{key}")))["deleted"], true);
        }
    });
    assert_eq!(seen, keys.into_iter().map(|key| (key, 1)).collect());
    assert_eq!(ask(&mut connection, &Request::get("/keys"))["keys"], serde_json::json!([]));
}

#[test]
fn scans_among_writers_see_what_stays_exactly_once() {
    let server = server();
    let mut connection = connect(&server);
    let stays: BTreeSet<String> = (0..3000).map(|n| format!("stays{n}")).collect();
    ask(&mut connection, &mset(stays.iter().map(|key| (key.clone(), "v".to_owned()))));
    let (done, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (mut connection, done, rounds) = (connect(&server), &done, &rounds);
            scope.spawn(move || {
                for round in 0_u64.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let comes = (0..20).map(|n| (format!("comes{writer}-{round}-{n}"), "v".to_owned()));
                    // What stays is overwritten, too: that must not move it.
                    let again =
                        (0..20).map(|n| (format!("stays{}", (round * 37 + n * 131) % 3000), "again".to_owned()));
                    ask(&mut connection, &mset(comes.chain(again)));
                    let gone: Vec<_> =
                        (0..20).map(|n| format!("comes{writer}-{}-{n}", round.saturating_sub(3))).collect();
                    let gone = serde_json::json!({"action": "mdelete", "keys": gone}).to_string();
                    ask(&mut connection, &Request::post("/cache", gone));
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for count in [7, 50, 333, 1000] {
            let before = rounds.load(Ordering::Relaxed);
            let written = || rounds.load(Ordering::Relaxed) - before;
            // Goes on behind its first page when a whole round was in between: two may have begun before it.
            let seen = scan(&mut connection, count, |_| {
                eventually("the writers write", Duration::from_secs(30), || (written() > 2).then_some(()));
            });
            let wrong: Vec<_> = stays.iter().filter(|key| seen.get(*key) != Some(&1)).collect();
            assert!(wrong.is_empty(), "pages of {count}: {wrong:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn nobody_sees_half_a_write_and_no_count_is_lost() {
    const ROUNDS: u64 = 300;
    let server = server();
    let keys = ["a", "b", "c"];
    ask(&mut connect(&server), &mset(keys.map(|key| (key.to_owned(), "0".to_owned()))));
    ask(&mut connect(&server), &mset([("n".to_owned(), "0".to_owned()), ("v".to_owned(), "0".to_owned())]));
    std::thread::scope(|scope| {
        for writer in 0..2_u64 {
            let mut connection = connect(&server);
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    let value = (writer * ROUNDS + round).to_string();
                    ask(&mut connection, &mset(keys.map(|key| (key.to_owned(), value.clone()))));
                    ask(&mut connection, &Request::post("/cache/n/incr", ""));
                    // One more on the version that was read, until nobody was in between.
                    loop {
                        let version = ask(&mut connection, &Request::get("/cache/v/version"))["version"].clone();
                        let exchange = serde_json::json!({"value": version.to_string(), "expectedVersion": version});
                        let answer = ask(&mut connection, &Request::put("/cache/v/cas", exchange.to_string()));
                        if answer["ok"] == true {
                            break;
                        }
                        assert_eq!(answer["error"], "Version mismatch");
                    }
                }
            });
        }
        let mut connection = connect(&server);
        scope.spawn(move || {
            for _ in 0..ROUNDS {
                let get = Request::post("/cache", r#"{"action":"mget","keys":["a","b","c"]}"#);
                let result = ask(&mut connection, &get)["result"].clone();
                assert!(result["a"] == result["b"] && result["b"] == result["c"], "{result}");
            }
        });
    });
    let mut connection = connect(&server);
    assert_eq!(ask(&mut connection, &Request::get("/cache/n"))["value"], (2 * ROUNDS).to_string());
    assert_eq!(ask(&mut connection, &Request::get("/cache/v/version"))["version"], 2 * ROUNDS + 1);
}

#[test]
fn what_many_keys_name_is_sent_as_it_is_written() {
    let server = server();
    let mut connection = connect(&server);
    let key = |n: usize| format!("k{n}");
    let values: Vec<String> = (0..30).map(|n| format!("{n}\n\"é").repeat(20_000)).collect();
    for (n, value) in values.iter().enumerate() {
        ask(&mut connection, &mset([(key(n), value.clone())]));
    }
    for (count, length) in [(2, true), (values.len(), false)] {
        let keys: Vec<String> = (0..count).map(key).chain(["none".to_owned()]).collect();
        let get = Request::post("/cache", serde_json::json!({"action": "mget", "keys": keys}).to_string());
        let response = connection.send(&get).expect("an answer").expect(200);
        assert_eq!(response.header("content-length").is_some(), length, "{count}");
        assert_eq!(response.header("content-type"), Some("application/json;charset=utf-8"));
        let found = response.json()["result"].take();
        assert!((0..count).all(|n| found[key(n)] == *values[n]) && found["none"].is_null(), "{count}");
        assert_eq!(found.as_object().map(|found| found.len()), Some(count + 1));
    }
}

/// None of them may keep the others waiting.
#[test]
fn no_pattern_stalls_the_server() {
    let server = server();
    let mut connection = connect(&server);
    for batch in 0..10 {
        let key = |n: u64| format!("{}{:04}", "a".repeat(480), batch * 500 + n);
        ask(&mut connection, &mset((0..500).map(|n| (key(n), "v".to_owned()))));
    }
    std::thread::scope(|scope| {
        for pattern in ["*a*a*a*a*a*a*a*a*a*a*b".to_owned(), format!("*{}b", "a".repeat(250)), "*a".repeat(400) + "b"] {
            let mut connection = connect(&server);
            scope.spawn(move || {
                let page = ask(&mut connection, &Request::get(format!("/keys?pattern={pattern}")));
                assert_eq!(page, serde_json::json!({"cursor": 0, "keys": []}));
            });
        }
        let slowest = (0..50).map(|_| {
            let began = std::time::Instant::now();
            connection.send(&Request::get("/cache/none")).expect("an answer").expect(404);
            began.elapsed()
        });
        let slowest = slowest.max().expect("answers");
        assert!(slowest.as_millis() < 2000, "a read waited {slowest:?}");
    });
}
