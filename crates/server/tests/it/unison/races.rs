//! Many clients at once on few keys.

use std::sync::{
    Barrier,
    atomic::{AtomicBool, Ordering},
};

use crate::harness::{Request, Response, Server, Settings};

/// Sends one request per client, all at the same moment, each on its own connection.
fn at_once(server: &Server, requests: Vec<Request>) -> Vec<Response> {
    let start = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let clients: Vec<_> = requests
            .iter()
            .map(|request| {
                let start = &start;
                let mut connection = server.connect();
                scope.spawn(move || {
                    start.wait();
                    connection.send(request).expect("an answer")
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("a client")).collect()
    })
}

#[test]
fn a_hundred_concurrent_puts_get_the_versions_1_to_100() {
    let mut server = Server::start();
    let requests = (0..100).map(|n| Request::put("/api/v1/kv/race/k", format!(r#"{{"value":{n}}}"#))).collect();
    let mut versions: Vec<u64> = at_once(&server, requests)
        .into_iter()
        .map(|response| response.expect(200).json()["version"].as_u64().expect("a version"))
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=100).collect::<Vec<u64>>());
    for _ in 0..2 {
        let page = server.get("/api/v1/changes?limit=1000").expect(200).json();
        let in_feed: Vec<u64> = page["changes"]
            .as_array()
            .expect("changes")
            .iter()
            .map(|c| c["version"].as_u64().expect("a version"))
            .collect();
        assert_eq!(in_feed, versions, "the feed has each version once, in order");
        let entry = server.get("/api/v1/kv/race/k").expect(200).json();
        assert_eq!(entry["value"], page["changes"][99]["value"]);
        server.restart();
    }
}

#[test]
fn of_fifty_writers_with_the_same_condition_exactly_one_succeeds() {
    let server = Server::start();
    for (round, condition) in [(0, 0), (1, 1), (2, 2)] {
        let put = |n: u64| Request::put("/api/v1/kv/race/cas", format!(r#"{{"value":{n},"cas":{condition}}}"#));
        let answers = at_once(&server, (0..50).map(put).collect());
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|response| response.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for response in lost {
            let expected = format!(r#"{{"error":"CAS conflict","currentVersion":{}}}"#, condition + 1);
            assert_eq!((response.status, response.text()), (409, expected));
        }
    }
    // The header forms are decided at the same point.
    let put =
        |n: u64| Request::put("/api/v1/kv/race/header", format!(r#"{{"value":{n}}}"#)).header("If-None-Match", "*");
    let answers = at_once(&server, (0..50).map(put).collect());
    assert_eq!(answers.iter().filter(|response| response.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|response| response.status == 409).count(), 49);
}

#[test]
fn of_fifty_deletes_exactly_one_deletes() {
    let server = Server::start();
    server.put("/api/v1/kv/race/gone", "1").expect(200);
    let answers = at_once(&server, (0..50).map(|_| Request::delete("/api/v1/kv/race/gone")).collect());
    let deleted = answers.into_iter().filter(|r| r.clone().expect(200).text() == r#"{"deleted":true}"#).count();
    assert_eq!(deleted, 1);
    assert_eq!(server.get("/api/v1/changes").json()["lastSeq"], 2);
}

#[test]
fn a_two_key_batch_is_never_seen_half() {
    let server = Server::with(Settings::fast());
    let done = AtomicBool::new(false);
    let batch = |n: usize| {
        let set = |key: &str| format!(r#"{{"op":"set","namespace":"both","key":"{key}","value":{n}}}"#);
        Request::post("/api/v1/batch", format!(r#"{{"operations":[{},{}]}}"#, set("a"), set("z")))
    };
    server.send(&batch(0)).expect(200);
    std::thread::scope(|scope| {
        let lists = scope.spawn(|| {
            let mut connection = server.connect();
            let (mut lists, mut distinct, mut last) = (0, 0, None);
            while !done.load(Ordering::Relaxed) {
                let list = connection.send(&Request::get("/api/v1/kv/both")).expect("a list").expect(200).json();
                assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
                assert_eq!(list["items"][0]["value"], list["items"][1]["value"], "a mixed state: {list}");
                assert_eq!(list["items"][0]["version"], list["items"][1]["version"], "a mixed state: {list}");
                let value = list["items"][0]["value"].as_u64();
                distinct += usize::from(value != last);
                last = value;
                lists += 1;
            }
            (lists, distinct)
        });
        let mut connection = server.connect();
        for n in 1..=2000 {
            connection.send(&batch(n)).expect("an answer").expect(200);
        }
        done.store(true, Ordering::Relaxed);
        let (lists, distinct) = lists.join().expect("the reader");
        assert!(distinct > 20, "{lists} lists saw only {distinct} states: nothing was shown");
    });
}

#[test]
fn who_has_seen_a_change_never_reads_anything_older() {
    let server = Server::start();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (server, done) = (&server, &done);
            scope.spawn(move || {
                let mut connection = server.connect();
                let put = Request::put(format!("/api/v1/kv/seen/k{writer}"), r#"{"value":1}"#);
                while !done.load(Ordering::Relaxed) {
                    connection.send(&put).expect("an answer").expect(200);
                }
            });
        }
        let (mut feed, mut reads) = (server.connect(), server.connect());
        let mut after = 0;
        while after < 600 {
            let page = feed.send(&Request::get(format!("/api/v1/changes?after={after}&wait=5000"))).expect("a page");
            for change in page.expect(200).json()["changes"].as_array().expect("changes") {
                assert_eq!(change["seq"], after + 1, "the feed is dense");
                after += 1;
                let target = format!("/api/v1/kv/seen/{}", change["key"].as_str().expect("a key"));
                let entry = reads.send(&Request::get(target)).expect("an entry").expect(200).json();
                assert!(entry["version"].as_u64() >= change["version"].as_u64(), "{entry} after {change}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_write_to_an_expired_key_records_the_expiry_first() {
    let server = Server::start();
    let mut connection = server.connect();
    for round in 0..40 {
        let target = format!("/api/v1/kv/due/k{round}");
        connection.send(&Request::put(&target, r#"{"value":1,"ttlMs":5}"#)).expect("an answer").expect(200);
        // Whether the write comes before or after the sweep: the deadline has passed, and the order is the same.
        std::thread::sleep(std::time::Duration::from_millis(6));
        if round % 2 == 0 {
            let entry =
                connection.send(&Request::put(&target, r#"{"value":2}"#)).expect("an answer").expect(200).json();
            assert_eq!(entry["version"], 3, "{entry}");
        } else {
            let answer = connection.send(&Request::delete(&target)).expect("an answer").expect(200);
            assert_eq!(answer.text(), r#"{"deleted":false}"#);
        }
    }
    let page = server.get("/api/v1/changes?limit=1000").expect(200).json();
    for round in 0..40 {
        let key = format!("k{round}");
        let story: Vec<_> =
            page["changes"].as_array().expect("changes").iter().filter(|c| c["key"] == key.as_str()).collect();
        assert_eq!(story.len(), if round % 2 == 0 { 3 } else { 2 }, "{story:?}");
        assert_eq!(story[1]["actor"], "system:ttl");
        assert_eq!(story[1]["reason"], "expired");
        assert_eq!(story[1]["version"], 2);
    }
}
