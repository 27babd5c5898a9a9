//! The database proxy, in front of upstreams that count what they are asked.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::upstream::{Answer, Received, Upstream};
use crate::harness::{Connection, Request, Response, Server, Settings, eventually};

/// Readers of one query at the same time.
const READERS: usize = 1000;
/// A text that no answer and no line of the log may hold.
const SECRET: &str = "hush-5f3a9c";

/// A server that counts nobody's requests.
fn settings() -> Settings {
    Settings::fast().set("dunena.rate_max", 0)
}

fn post(server: &Server, path: &str, body: &Value) -> Response {
    let request = Request::post(path, body.to_string()).key(None);
    Connection::open(server.dunena()).send(&request).unwrap_or_else(|error| panic!("{request}: {error}"))
}

fn get(server: &Server, path: &str) -> Response {
    let request = Request::get(path).key(None);
    Connection::open(server.dunena()).send(&request).unwrap_or_else(|error| panic!("{request}: {error}"))
}

#[track_caller]
fn register(server: &Server, registration: Value) {
    post(server, "/db-proxy/register", &registration).expect(201);
}

#[track_caller]
fn register_http(server: &Server, upstream: &Upstream) {
    register(server, json!({"name": "c", "type": "http", "connectionString": upstream.url()}));
}

fn ask(server: &Server, question: &Value) -> Response {
    post(server, "/db-proxy/query", question)
}

/// A result, whether it was cached, and under which key.
#[track_caller]
fn found(response: Response) -> (Value, bool, String) {
    let body = response.expect(200).json();
    let cached = body["cached"].as_bool().expect("a boolean");
    let took = body["durationMs"].as_f64().expect("a number");
    assert_eq!(cached, took == 0.0, "{body}");
    (body["data"].clone(), cached, body["cacheKey"].as_str().expect("a key").to_owned())
}

/// An upstream whose answers count up from 1.
fn counting() -> Upstream {
    let answers = AtomicUsize::new(0);
    Upstream::start(move |_| Some(Answer::json((answers.fetch_add(1, Ordering::SeqCst) + 1).to_string())))
}

#[test]
fn the_second_answer_to_a_query_comes_from_the_cache() {
    let (server, upstream) = (Server::with(settings()), counting());
    register_http(&server, &upstream);
    let question = json!({"connector": "c", "query": "SELECT 'a'", "params": [1, "x", null]});
    let (data, cached, key) = found(ask(&server, &question));
    assert_eq!((data, cached), (json!(1), false));
    assert!(key.starts_with("qc_") && key.len() == 35, "{key}");
    let sent = upstream.last();
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/query"));
    assert_eq!(sent.body, r#"{"query":"SELECT 'a'","params":[1,"x",null]}"#);
    assert_eq!(sent.header("content-type"), Some("application/json"));

    let (data, cached, same) = found(ask(&server, &question));
    assert_eq!((data, cached, same == key, upstream.count()), (json!(1), true, true, 1));
    let shown = get(&server, &format!("/query-cache/{key}")).expect(200).json();
    assert_eq!((&shown["data"], &shown["tags"]), (&json!(1), &json!([])));

    let other = json!({"connector": "c", "query": "SELECT 'a'", "params": [1, "x"]});
    assert_eq!(found(ask(&server, &other)).0, json!(2), "other parameters are another query");
    let skipping = json!({"connector": "c", "query": "SELECT 'a'", "params": [1, "x", null], "skipCache": true});
    assert_eq!(found(ask(&server, &skipping)).0, json!(3));
    assert_eq!(found(ask(&server, &question)).0, json!(1), "skipping the cache does not write it either");
}

#[test]
fn no_params_are_sent_when_there_are_none() {
    let (server, upstream) = (Server::with(settings()), counting());
    register_http(&server, &upstream);
    let first = found(ask(&server, &json!({"connector": "c", "query": "SELECT 1"})));
    assert_eq!(upstream.last().body, r#"{"query":"SELECT 1"}"#);
    for same in [json!([]), Value::Null] {
        let again = found(ask(&server, &json!({"connector": "c", "query": "SELECT 1", "params": same})));
        assert_eq!((again.1, &again.2), (true, &first.2));
    }
    for kind in ["postgresql", "mysql", "sqlite"] {
        register(&server, json!({"name": kind, "type": kind, "connectionString": upstream.url()}));
        found(ask(&server, &json!({"connector": kind, "query": "SELECT 1"})));
        assert_eq!(upstream.last().body, format!(r#"{{"type":"{kind}","query":"SELECT 1","params":[]}}"#));
    }
}

#[test]
fn a_thousand_readers_of_one_expired_query_make_one_upstream_query() {
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let wide = rustix::process::Rlimit { current: limits.maximum, maximum: limits.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, wide).expect("raise the limit of open files");
    let (released, answers) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let gate = released.clone();
    let upstream = Upstream::start(move |_| {
        let is_first = answers.fetch_add(1, Ordering::SeqCst) == 0;
        while !is_first && !gate.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        Some(Answer::json(if is_first { "\"old\"" } else { "\"new\"" }))
    });
    let server = Server::with(settings());
    register_http(&server, &upstream);
    let (_, _, key) = found(ask(&server, &json!({"connector": "c", "query": "SELECT 1", "ttl": 100})));
    eventually("the result has expired", Duration::from_secs(10), || {
        (get(&server, &format!("/query-cache/{key}")).status == 404).then_some(())
    });
    let misses = || get(&server, "/query-cache/stats").expect(200).json()["misses"].as_u64().expect("a number");
    let before = misses();

    let question = json!({"connector": "c", "query": "SELECT 1", "ttl": 60_000});
    let request = Request::post("/db-proxy/query", question.to_string()).key(None);
    let mut readers: Vec<Connection> = (0..READERS).map(|_| Connection::open(server.dunena())).collect();
    readers.iter_mut().for_each(|reader| reader.write(&request).expect("takes the request"));
    eventually("all of them found nothing", Duration::from_secs(20), || {
        (misses() == before + READERS as u64).then_some(())
    });
    released.store(true, Ordering::SeqCst);
    for mut reader in readers {
        let (data, _, same) = found(reader.read_response("POST").expect("an answer"));
        assert_eq!((data, &same), (json!("new"), &key));
    }
    assert_eq!(upstream.count(), 2, "one for the first, one for the thousand");
}

#[test]
fn readers_of_a_result_that_lands_at_the_same_moment_ask_nobody_again() {
    let upstream = Upstream::start(|_| Some(Answer::json("[1]")));
    let server = Server::with(settings());
    register_http(&server, &upstream);
    for round in 0..30 {
        let question = json!({"connector": "c", "query": format!("SELECT {round}")}).to_string();
        let request = Request::post("/db-proxy/query", question).key(None);
        let mut readers: Vec<Connection> = (0..16).map(|_| Connection::open(server.dunena())).collect();
        readers.iter_mut().for_each(|reader| reader.write(&request).expect("takes the request"));
        for mut reader in readers {
            found(reader.read_response("POST").expect("an answer"));
        }
        assert_eq!(upstream.count(), round + 1);
    }
}

#[test]
fn who_waits_is_answered_although_the_first_went_away() {
    let upstream = Upstream::start(|_| Some(Answer::json("[1]").after(Duration::from_millis(500))));
    let server = Server::with(settings());
    register_http(&server, &upstream);
    let request =
        Request::post("/db-proxy/query", json!({"connector": "c", "query": "SELECT 1"}).to_string()).key(None);
    let mut leader = Connection::open(server.dunena());
    leader.write(&request).expect("takes the request");
    eventually("the call is on its way", Duration::from_secs(10), || (upstream.count() == 1).then_some(()));
    let mut follower = Connection::open(server.dunena());
    follower.write(&request).expect("takes the request");
    drop(leader);
    assert_eq!(found(follower.read_response("POST").expect("an answer")).0, json!([1]));
    assert!(found(ask(&server, &json!({"connector": "c", "query": "SELECT 1"}))).1, "and it was kept");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_call_whose_client_is_gone_holds_up_no_stop() {
    let upstream = Upstream::start(|_| Some(Answer::json("[1]").after(Duration::from_secs(60))));
    let mut server = Server::with(settings());
    register_http(&server, &upstream);
    let mut leader = Connection::open(server.dunena());
    let question = json!({"connector": "c", "query": "SELECT 1"}).to_string();
    leader.write(&Request::post("/db-proxy/query", question).key(None)).expect("takes the request");
    eventually("the call is on its way", Duration::from_secs(10), || (upstream.count() == 1).then_some(()));
    drop(leader);
    server.stop();
}

#[test]
fn a_connector_makes_so_many_calls_at_a_time_and_the_rest_wait() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let upstream = Upstream::start(move |_| {
        seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(200));
        running.fetch_sub(1, Ordering::SeqCst);
        Some(Answer::json("1"))
    });
    let server = Server::with(settings());
    register_http(&server, &upstream);
    let mut clients: Vec<Connection> = (0..200).map(|_| Connection::open(server.dunena())).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        let question = json!({"connector": "c", "query": format!("SELECT {index}")}).to_string();
        client.write(&Request::post("/db-proxy/query", question).key(None)).expect("takes the request");
    }
    for mut client in clients {
        found(client.read_response("POST").expect("an answer"));
    }
    assert_eq!((most.load(Ordering::SeqCst), upstream.count()), (64, 200));
}

#[test]
fn an_upstream_that_hangs_up_after_each_answer_is_asked_anew() {
    let upstream = Upstream::start(|_| Some(Answer::json("1").hanging_up()));
    let server = Server::with(settings());
    register_http(&server, &upstream);
    for index in 0..50 {
        found(ask(&server, &json!({"connector": "c", "query": format!("SELECT {index}")})));
    }
    assert_eq!(upstream.count(), 50);
}

#[test]
fn what_changes_something_is_done_every_time_and_never_kept() {
    let (server, upstream) = (Server::with(settings()), counting());
    register_http(&server, &upstream);
    let insert = json!({"connector": "c", "query": "/* again */ INSERT INTO t VALUES (1)", "cacheKey": "k"});
    for count in 1..=3 {
        let (data, cached, key) = found(ask(&server, &insert));
        assert_eq!((data, cached, key.as_str()), (json!(count), false, "k"));
    }
    get(&server, "/query-cache/k").expect(404);
    // Nor does it read what is kept under its key.
    let select = json!({"connector": "c", "query": "SELECT 1", "cacheKey": "k"});
    assert_eq!(found(ask(&server, &select)).0, json!(4));
    assert_eq!(found(ask(&server, &insert)).0, json!(5));
    assert_eq!(found(ask(&server, &select)), (json!(4), true, "k".to_owned()));
}

#[test]
fn nothing_that_changes_something_passes_a_connector_that_reads() {
    let (server, upstream) = (Server::with(settings()), counting());
    for kind in ["http", "postgresql", "mysql", "sqlite"] {
        register(&server, json!({"name": kind, "type": kind, "connectionString": upstream.url(), "readOnly": true}));
        for query in [
            "INSERT INTO t VALUES (1)",
            "/*c*/ DELETE FROM t",
            "-- c\n(DELETE FROM t)",
            "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
            "SELECT 1; DROP TABLE t",
            "SELECT * INTO copy FROM t",
            "/*!50000 DELETE FROM t */",
        ] {
            // A comment of MySQL is one of the others too, where nothing is left to do.
            if query.starts_with("/*!") && matches!(kind, "postgresql" | "sqlite") {
                continue;
            }
            for skip in [false, true] {
                let refused = ask(&server, &json!({"connector": kind, "query": query, "skipCache": skip})).expect(502);
                assert_eq!(refused.json(), json!({"error": format!("Connector \"{kind}\" is read-only")}), "{query}");
            }
        }
    }
    assert_eq!(upstream.count(), 0);
    found(ask(&server, &json!({"connector": "sqlite", "query": "SELECT 1"})));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn every_failure_of_an_upstream_has_its_text_and_is_not_kept() {
    let answer = |request: &Received| {
        let asked = request.json()["query"].as_str().map(str::to_owned).expect("a query");
        Some(match asked.as_str() {
            "broken" => Answer::status("500 Oops", &[], "it broke"),
            "long" => Answer::status("404 No", &[], "é".repeat(1000)),
            "moved" => Answer::status("302 Found", &["Location: /elsewhere"], ""),
            "same" => Answer::status("304 Not Modified", &[], ""),
            "html" => Answer::json("<html>"),
            "empty" => Answer::json(""),
            "two" => Answer::json("1 2"),
            "text" => Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\"\xff\"".to_vec()),
            "huge" => Answer::json(format!("\"{}\"", "x".repeat(9_999))),
            "endless" => Answer::raw("HTTP/1.1 200 OK\r\n\r\n").dripping(&[b' '; 1000], Duration::ZERO),
            "slow" => Answer::json("1").after(Duration::from_secs(3)),
            "drip" => Answer::raw("HTTP/1.1 200 OK\r\n\r\n").dripping(b" ", Duration::from_millis(20)),
            "other" => Answer::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            "whole" => Answer::json(format!("\"{}\"", "x".repeat(9_998))),
            _ => return None,
        })
    };
    let upstream = Upstream::start(answer);
    let server = Server::with(settings().set("dunena.proxy_timeout", 800).set("dunena.proxy_max_response", 10_000));
    register_http(&server, &upstream);
    register(&server, json!({"name": "b", "type": "mysql", "connectionString": upstream.url()}));
    register(&server, json!({"name": "e", "type": "elasticsearch", "connectionString": upstream.url_of("", "/")}));
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    register(&server, json!({"name": "x", "type": "http", "connectionString": format!("http://{closed}")}));
    let host = "http://no-such-host.invalid/";
    register(&server, json!({"name": "dns", "type": "http", "connectionString": host}));

    let failed = |body: &str| format!("HTTP database query failed ({body}");
    for (connector, query, text) in [
        ("c", "broken", failed("500): it broke")),
        ("c", "long", failed(&format!("404): {}", "é".repeat(512)))),
        ("c", "moved", failed("302): ")),
        ("c", "same", failed("304): ")),
        ("b", "broken", "mysql query failed (500): it broke".to_owned()),
        ("c", "html", "Upstream did not return JSON".to_owned()),
        ("c", "empty", "Upstream did not return JSON".to_owned()),
        ("c", "two", "Upstream did not return JSON".to_owned()),
        ("c", "text", "Upstream did not return JSON".to_owned()),
        ("c", "huge", "Upstream response too large".to_owned()),
        ("c", "endless", "Upstream response too large".to_owned()),
        ("c", "slow", "Upstream timed out".to_owned()),
        ("c", "drip", "Upstream timed out".to_owned()),
        ("c", "other", "Cannot reach upstream: answer is not HTTP".to_owned()),
        ("c", "hang up", "Cannot reach upstream: connection ended before the answer".to_owned()),
        ("x", "SELECT 1", "Cannot reach upstream: connection refused".to_owned()),
        ("dns", "SELECT 1", "Cannot reach upstream: host not found".to_owned()),
        ("nope", "SELECT 1", "Unknown connector: \"nope\"".to_owned()),
    ] {
        for skip in [false, true] {
            let before = upstream.count();
            let question = json!({"connector": connector, "query": query, "skipCache": skip, "cacheKey": "k"});
            let refused = ask(&server, &question).expect(502);
            assert_eq!(refused.json(), json!({"error": text}), "{connector} {query}");
            let asked = upstream.count() - before;
            let reached = !matches!(connector, "x" | "dns" | "nope");
            // SQL types take what they do not know for a change, so it is done each time; it is asked once all the same.
            // What only reads is asked once more when its connection ends: it may have been an old one.
            let again = query == "hang up";
            assert_eq!(asked, usize::from(reached) + usize::from(again), "{connector} {query}");
        }
    }
    get(&server, "/query-cache/k").expect(404);
    let whole = found(ask(&server, &json!({"connector": "c", "query": "whole"}))).0;
    assert_eq!(whole.as_str().map(str::len), Some(9_998), "exactly the limit passes");
    let refused = ask(&server, &json!({"connector": "e", "query": "{\"query\":\"broken\"}"})).expect(502);
    assert_eq!(refused.json(), json!({"error": "Elasticsearch query failed (500): it broke"}));
}

#[test]
fn elasticsearch_is_searched_with_an_object_and_asked_for_a_path() {
    let (server, upstream) = (Server::with(settings()), counting());
    register(&server, json!({"name": "e", "type": "elasticsearch", "connectionString": upstream.url_of("", "/es/")}));
    for (query, method, target) in [
        (" {\"query\": {\"match_all\":{}} }", "POST", "/es/_search"),
        ("_cat/indices?v", "GET", "/es/_cat/indices?v"),
        ("/users/_doc/1 2", "GET", "/es/users/_doc/1%202"),
        ("DELETE FROM t", "GET", "/es/DELETE%20FROM%20t"),
        ("{\"unfinished\":", "GET", "/es/%7B%22unfinished%22:"),
    ] {
        let first = found(ask(&server, &json!({"connector": "e", "query": query, "params": [1]})));
        let sent = upstream.last();
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (method, target), "{query}");
        assert_eq!(sent.body, if method == "POST" { query } else { "" });
        let second = found(ask(&server, &json!({"connector": "e", "query": query, "params": [1]})));
        assert_eq!((second.0, second.1), (first.0, true));
    }
}

#[test]
fn tags_and_keys_invalidate_results_of_the_proxy() {
    let (server, upstream) = (Server::with(settings()), counting());
    let url = upstream.url();
    register(&server, json!({"name": "c", "type": "http", "connectionString": url, "defaultTags": ["db", "all"]}));
    let question = json!({"connector": "c", "query": "SELECT 1", "tags": ["users", "db"], "cacheKey": "mine"});
    let result = |count: usize, cached| (json!(count), cached, "mine".to_owned());
    assert_eq!(found(ask(&server, &question)), result(1, false));
    assert_eq!(get(&server, "/query-cache/mine").expect(200).json()["tags"], json!(["db", "all", "users"]));
    let mut count = 1;
    for (path, doomed) in [
        ("/db-proxy/invalidate", json!({"tags": ["users"]})),
        ("/db-proxy/invalidate", json!({"tags": ["nothing", "all"]})),
        ("/query-cache/invalidate", json!({"tags": ["db"]})),
        ("/query-cache/invalidate", json!({"key": "mine"})),
    ] {
        assert_eq!(found(ask(&server, &question)), result(count, true));
        assert_eq!(post(&server, path, &doomed).expect(200).json(), json!({"invalidated": 1}));
        assert_eq!(post(&server, path, &doomed).expect(200).json(), json!({"invalidated": 0}));
        count += 1;
        assert_eq!(found(ask(&server, &question)), result(count, false));
    }
    post(&server, "/query-cache/clear", &json!({})).expect(200);
    assert_eq!(found(ask(&server, &question)), result(count + 1, false));
    let other = json!({"connector": "c", "query": "SELECT 2", "cacheKey": "mine"});
    assert_eq!(found(ask(&server, &other)), result(count + 1, true), "a given key is shared by all who use it");
}

#[test]
fn a_result_from_before_an_invalidation_is_not_kept_after_it() {
    for (path, doomed) in [
        ("/db-proxy/invalidate", json!({"tags": ["t"]})),
        ("/query-cache/invalidate", json!({"key": "k"})),
        ("/query-cache/clear", json!({})),
    ] {
        let released = Arc::new(AtomicBool::new(false));
        let answers = AtomicUsize::new(0);
        let gate = released.clone();
        let upstream = Upstream::start(move |_| {
            let number = answers.fetch_add(1, Ordering::SeqCst);
            while number == 0 && !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            Some(Answer::json(if number == 0 { "\"old\"" } else { "\"new\"" }))
        });
        let server = Server::with(settings());
        register_http(&server, &upstream);
        let question = json!({"connector": "c", "query": "SELECT 1", "tags": ["t"], "cacheKey": "k"});
        let request = Request::post("/db-proxy/query", question.to_string()).key(None);
        let mut early = Connection::open(server.dunena());
        early.write(&request).expect("takes the request");
        eventually("the call is on its way", Duration::from_secs(10), || (upstream.count() == 1).then_some(()));
        post(&server, path, &doomed).expect(200);
        assert_eq!(found(ask(&server, &question)).0, json!("new"), "nobody joins the old call after {path}");
        released.store(true, Ordering::SeqCst);
        assert_eq!(found(early.read_response("POST").expect("an answer")).0, json!("old"));
        assert_eq!(found(ask(&server, &question)), (json!("new"), true, "k".to_owned()));
    }
}

#[test]
fn the_bound_of_a_connector_ends_results() {
    let (server, upstream) = (Server::with(settings()), counting());
    register(&server, json!({"name": "c", "type": "http", "connectionString": upstream.url(), "maxCacheTTL": 300}));
    for (index, ttl) in [json!(0), Value::Null, json!(1_000_000)].into_iter().enumerate() {
        let question = json!({"connector": "c", "query": format!("SELECT {index}"), "ttl": ttl});
        let begun = Instant::now();
        let first = found(ask(&server, &question)).0;
        let again = found(ask(&server, &question));
        assert!(again == (first, true, again.2.clone()) || begun.elapsed() > Duration::from_millis(250), "{again:?}");
        thread::sleep(Duration::from_millis(350));
        assert!(!found(ask(&server, &question)).1, "{question}");
    }
    register(&server, json!({"name": "open", "type": "http", "connectionString": upstream.url()}));
    let question = json!({"connector": "open", "query": "SELECT 1", "ttl": 100});
    found(ask(&server, &question));
    thread::sleep(Duration::from_millis(150));
    assert!(!found(ask(&server, &question)).1, "its own time counts too");
}

#[test]
fn connectors_are_there_after_a_restart_and_their_results_too() {
    let (mut server, upstream) = (Server::with(Settings::default().set("dunena.rate_max", 0)), counting());
    let url = upstream.url_of("u:p@", "/query");
    let headers = json!({"X-Key": "k1"});
    register(
        &server,
        json!({"name": "z", "type": "http", "connectionString": url, "readOnly": true, "headers": headers}),
    );
    register(&server, json!({"name": "gone", "type": "http", "connectionString": url}));
    register(&server, json!({"name": "a", "type": "mysql", "connectionString": "mysql://u:p@localhost/d"}));
    register(&server, json!({"name": "m", "type": "elasticsearch", "connectionString": url, "maxCacheTTL": 60_000}));
    let unregister = |server: &Server| post(server, "/db-proxy/unregister", &json!({"name": "gone"})).expect(200);
    assert_eq!(unregister(&server).json(), json!({"unregistered": true}));
    assert_eq!(unregister(&server).json(), json!({"unregistered": false}));
    let question = json!({"connector": "z", "query": "SELECT 1", "tags": ["t"]});
    let first = found(ask(&server, &question));
    let listed = r#"{"connectors":[{"name":"z","type":"http","readOnly":true},{"name":"a","type":"mysql","readOnly":false},{"name":"m","type":"elasticsearch","readOnly":false}]}"#;
    for kill in [true, false] {
        if kill {
            // What is kept is acknowledged to nobody, so it may take a moment to be durable.
            let database = rusqlite::Connection::open(server.data_dir().join("dunena.db")).expect("the database");
            let rows = "SELECT count(*) FROM kv WHERE namespace = '__qcache__' AND key = ?1";
            eventually("the row of the result", Duration::from_secs(10), || {
                let count: i64 = database.query_row(rows, [&first.2], |row| row.get(0)).expect("a count");
                (count == 1).then_some(())
            });
            drop(database);
            server.kill();
            server.start_again();
        } else {
            server.restart();
        }
        assert_eq!(get(&server, "/db-proxy/connectors").expect(200).text(), listed);
        assert_eq!(found(ask(&server, &question)), (first.0.clone(), true, first.2.clone()));
        let fresh = json!({"connector": "z", "query": format!("SELECT {kill}")});
        assert!(!found(ask(&server, &fresh)).1);
        let sent = upstream.last();
        assert_eq!((sent.header("x-key"), sent.header("authorization")), (Some("k1"), Some("Basic dTpw")));
        let refused = ask(&server, &json!({"connector": "z", "query": "DELETE FROM t"})).expect(502);
        assert_eq!(refused.json(), json!({"error": "Connector \"z\" is read-only"}));
        let taken = json!({"name": "a", "type": "http", "connectionString": url});
        let taken = post(&server, "/db-proxy/register", &taken).expect(409);
        assert_eq!(taken.json(), json!({"error": "Connector \"a\" is already registered"}));
    }
}

#[test]
fn credentials_and_headers_go_upstream_and_nowhere_else() {
    let upstream = Upstream::start(|request| {
        let fine = request.header("x-key") == Some(SECRET);
        Some(if fine { Answer::json("1") } else { Answer::status("401 No", &[], "who are you?") })
    });
    // Says more than is passed on: nothing of a secret may be left where that ends.
    let echo = Upstream::start(|request| {
        let line = format!("Cannot {} {}, {:?}. ", request.method, request.target, request.header("authorization"));
        Some(Answer::status("404 Not Found", &[], line.repeat(40)))
    });
    let mut server = Server::with(settings().set("log.level", "trace"));
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let headers = json!({"X-Key": SECRET, "User-Agent": "mine"});
    let url = upstream.url_of(&format!("{SECRET}:p%40{SECRET}@"), &format!("/{SECRET}?key={SECRET}"));
    let mut seen = String::new();
    for (name, kind, url, headers) in [
        ("good", "http", url.clone(), headers.clone()),
        ("anonymous", "http", url.clone(), Value::Null),
        ("es", "elasticsearch", url, headers.clone()),
        ("echo", "http", echo.url_of(&format!("u:{SECRET}@"), &format!("/q?apikey={SECRET}")), Value::Null),
        ("echo-value", "mysql", echo.url_of("", &format!("/q?a={SECRET}&b=p%40{SECRET}")), Value::Null),
        ("echo-es", "elasticsearch", echo.url_of("", &format!("/q?apikey={SECRET}")), Value::Null),
        ("closed", "http", format!("http://u:{SECRET}@{closed}/?key={SECRET}"), headers.clone()),
        ("nowhere", "http", format!("http://{SECRET}.invalid/"), headers.clone()),
        ("denied", "http", format!("http://u:{SECRET}@169.254.169.254/"), headers.clone()),
        ("pg", "postgresql", format!("postgres://u:{SECRET}@{closed}/{SECRET}?sslmode=disable"), Value::Null),
        ("my", "mysql", format!("mysql://u:{SECRET}@{closed}/{SECRET}"), Value::Null),
        ("lite", "sqlite", format!("sqlite:/tmp/{SECRET}/none.db"), Value::Null),
        ("bad", "http", format!("ftp://u:{SECRET}@h/"), Value::Null),
        ("worse", "postgresql", format!("postgres://u:{SECRET}@h:none/{SECRET}"), Value::Null),
        ("odd", "http", "http://h/".to_owned(), json!({"Host": SECRET})),
        ("good", "http", format!("http://{SECRET}/"), Value::Null),
    ] {
        let registration = json!({"name": name, "type": kind, "connectionString": url, "headers": headers});
        seen.push_str(&post(&server, "/db-proxy/register", &registration).text());
        for query in ["SELECT 1", "INSERT INTO t VALUES (1)"] {
            seen.push_str(&ask(&server, &json!({"connector": name, "query": query})).text());
        }
    }
    let sent = upstream.last();
    assert_eq!(sent.header("user-agent"), Some("mine"));
    seen.push_str(&get(&server, "/db-proxy/connectors").text());
    seen.push_str(&get(&server, "/stats").text());
    seen.push_str(&get(&server, "/metrics").text());
    server.restart();
    seen.push_str(&get(&server, "/db-proxy/connectors").text());
    seen.push_str(&ask(&server, &json!({"connector": "closed", "query": "SELECT 1"})).text());
    server.stop();
    assert!(!seen.contains(&SECRET[..6]), "{seen}");
    assert!(seen.contains("who are you?") && seen.contains("Upstream address not allowed"), "{seen}");
    for said in
        ["Cannot POST /q?***, Some(", "Basic ***", "Cannot POST /q?***, None", "Cannot GET /q/SELECT%201?***, None"]
    {
        assert!(seen.contains(said), "{said} in {seen}");
    }
    let log = server.log.text();
    assert!(!log.contains(SECRET) && log.len() > 1000, "{log}");
}

#[test]
fn only_listed_hosts_are_called_where_there_is_a_list() {
    let (upstream, closed) = (counting(), "http://169.254.169.254/");
    let hosts = toml::Value::Array(vec!["10.0.0.0/8".into(), "LOCALHOST".into()]);
    let server = Server::with(settings().set("dunena.proxy_allow_hosts", hosts));
    let by_name = upstream.url().replace("127.0.0.1", "localhost");
    for (name, url, text) in [
        ("number", upstream.url(), Some("Upstream address not allowed")),
        ("metadata", closed.to_owned(), Some("Upstream address not allowed")),
        ("name", by_name, None),
    ] {
        register(&server, json!({"name": name, "type": "http", "connectionString": url}));
        let answer = ask(&server, &json!({"connector": name, "query": "SELECT 1"}));
        match text {
            Some(text) => assert_eq!(answer.expect(502).json(), json!({"error": text})),
            None => assert_eq!(found(answer).0, json!(1)),
        }
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn one_name_is_registered_once_however_many_try() {
    let server = Server::with(settings());
    let body = json!({"name": "c", "type": "http", "connectionString": "http://localhost/"}).to_string();
    let request = Request::post("/db-proxy/register", body).key(None);
    let mut all: Vec<Connection> = (0..20).map(|_| Connection::open(server.dunena())).collect();
    all.iter_mut().for_each(|connection| connection.write(&request).expect("takes the request"));
    let statuses: Vec<u16> =
        all.iter_mut().map(|connection| connection.read_response("POST").expect("an answer").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
}

#[test]
fn a_client_that_goes_away_while_it_registers_leaves_no_half() {
    let server = Server::with(settings());
    for index in 0..20 {
        let name = format!("c{index}");
        let body = json!({"name": name, "type": "http", "connectionString": "http://localhost/"}).to_string();
        let mut request = Request::post("/db-proxy/register", "").key(None).head();
        let head = String::from_utf8(request)
            .expect("ASCII")
            .replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
        request = [head.into_bytes(), body.clone().into_bytes()].concat();
        let mut stream = TcpStream::connect(server.dunena()).expect("connects");
        stream.write_all(&request).expect("takes the request");
        drop(stream);
        // Whether it came to its end or never began, the list and the rows say the same.
        let again = Connection::open(server.dunena()).send(&Request::post("/db-proxy/register", body).key(None));
        let status = again.expect("an answer").status;
        assert!(matches!(status, 201 | 409), "{status}");
        assert!(get(&server, "/db-proxy/connectors").text().contains(&format!("\"{name}\"")));
        let gone = post(&server, "/db-proxy/unregister", &json!({"name": name})).expect(200);
        assert_eq!(gone.json(), json!({"unregistered": true}));
    }
}

#[test]
fn a_file_of_sqlite_is_asked_with_bound_parameters() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("lite.db");
    let database = rusqlite::Connection::open(&path).expect("a database");
    database
        .execute_batch("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'Alice'), (2, 'O''Hara')")
        .expect("a table");
    let server = Server::with(settings());
    let url = format!("sqlite:{}", path.display());
    register(&server, json!({"name": "lite", "type": "sqlite", "connectionString": url}));
    register(&server, json!({"name": "ro", "type": "sqlite", "connectionString": url, "readOnly": true}));
    let question = json!({"connector": "lite", "query": "SELECT id, name FROM t WHERE id = ?", "params": [1]});
    let answer = ask(&server, &question).expect(200).text();
    let expected = r#"{"data":[{"id":1,"name":"Alice"}],"cached":false,"connector":"lite","durationMs":"#;
    assert!(answer.starts_with(expected), "{answer}");
    let quoted = json!({"connector": "lite", "query": "SELECT id FROM t WHERE name = ?", "params": ["O'Hara"]});
    assert_eq!(found(ask(&server, &quoted)).0, json!([{"id": 2}]));
    let insert = json!({"connector": "lite", "query": "INSERT INTO t VALUES (3, 'x')"});
    for _ in 0..2 {
        assert_eq!(found(ask(&server, &insert)).0, json!({"rowsAffected": 1}));
    }
    let count = json!({"connector": "ro", "query": "SELECT count(*) AS n FROM t WHERE id = 3"});
    assert_eq!(found(ask(&server, &count)).0, json!([{"n": 2}]));
    let refused = ask(&server, &json!({"connector": "ro", "query": "/*c*/ DELETE FROM t"})).expect(502);
    assert_eq!(refused.json(), json!({"error": "Connector \"ro\" is read-only"}));
    post(&server, "/db-proxy/unregister", &json!({"name": "lite"})).expect(200);
    let unknown = ask(&server, &question).expect(502);
    assert_eq!(unknown.json(), json!({"error": "Unknown connector: \"lite\""}));
}
