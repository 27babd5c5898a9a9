//! Walks over a list while it changes.

use std::collections::BTreeMap;

use crate::harness::{Request, Server, Settings};

#[test]
fn the_changes_after_the_first_page_folded_over_a_walk_give_an_exact_copy() {
    let server = Server::with(Settings::fast());
    let mut connection = server.connect();
    let mut put = |key: String, value: u64| {
        let put = Request::put(format!("/api/v1/kv/walk/{key}"), format!(r#"{{"value":{value}}}"#));
        connection.send(&put).expect("an answer").expect(200);
    };
    for n in 0..300 {
        put(format!("k{n:03}"), n);
    }
    let (mut copy, mut cursor, mut head) = (BTreeMap::new(), String::new(), None);
    for round in 0.. {
        let page = server.get(&format!("/api/v1/kv/walk?limit=17&cursor={cursor}")).expect(200);
        let seq = page.header("x-unison-seq").expect("a seq").to_owned();
        assert_eq!(*head.get_or_insert(seq.clone()), seq, "the head of the first page on every page");
        let page = page.json();
        for item in page["items"].as_array().expect("items") {
            let key = item["key"].as_str().expect("a key").to_owned();
            assert_eq!(copy.insert(key, item["value"].clone()), None, "returned twice: {item}");
        }
        // Behind the cursor, at it and before it.
        put(format!("k{:03}", (round * 31) % 300), 1000 + round);
        put(format!("new{round}"), round);
        server.send(&Request::delete(format!("/api/v1/kv/walk/k{:03}", (round * 17 + 3) % 300))).expect(200);
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let mut after = head.expect("a page");
    loop {
        let page = server.get(&format!("/api/v1/changes?after={after}&limit=1000")).expect(200).json();
        let changes = page["changes"].as_array().expect("changes");
        for change in changes {
            let key = change["key"].as_str().expect("a key").to_owned();
            match change["op"].as_str() {
                Some("set") => copy.insert(key, change["value"].clone()),
                _ => copy.remove(&key),
            };
        }
        after = page["lastSeq"].to_string();
        if changes.len() < 1000 {
            break;
        }
    }
    let list = server.get("/api/v1/kv/walk").expect(200).json();
    let truth: BTreeMap<_, _> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| (item["key"].as_str().expect("a key").to_owned(), item["value"].clone()))
        .collect();
    assert_eq!(copy, truth);
}

#[test]
fn a_snapshot_followed_live_is_an_exact_copy() {
    let server = Server::with(Settings::fast());
    let mut connection = server.connect();
    for n in 0..2000 {
        connection
            .send(&Request::put(format!("/api/v1/kv/snap/k{n}"), r#"{"value":0}"#))
            .expect("an answer")
            .expect(200);
    }
    let mut socket = crate::harness::Socket::start(server.unison());
    socket.send(r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":"snap","snapshot":true}}"#);
    for n in 0..500 {
        let put = Request::put(format!("/api/v1/kv/snap/k{}", n * 3), format!(r#"{{"value":{}}}"#, n + 1));
        connection.send(&put).expect("an answer").expect(200);
    }
    connection.send(&Request::put("/api/v1/kv/snap/last", r#"{"value":0}"#)).expect("an answer").expect(200);
    let (mut copy, mut synced, mut seq) = (BTreeMap::new(), None, 0);
    loop {
        let message = socket.expect_json();
        let params = &message["params"];
        match message["method"].as_str() {
            Some("watch/change") => {
                let key = params["key"].as_str().expect("a key").to_owned();
                copy.insert(key.clone(), params["value"].as_u64().expect("a value"));
                if let Some(synced) = synced {
                    assert!(params["seq"].as_u64() > Some(synced), "{message} after synced {synced}");
                    assert!(params["seq"].as_u64() > Some(seq), "{message} after {seq}");
                    seq = params["seq"].as_u64().expect("a seq");
                }
                if key == "last" {
                    break;
                }
            }
            Some("watch/synced") => synced = params["seq"].as_u64(),
            _ => assert_eq!(message["result"]["ok"], true, "{message}"),
        }
    }
    let list = server.get("/api/v1/kv/snap").expect(200).json();
    let truth: BTreeMap<_, _> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| (item["key"].as_str().expect("a key").to_owned(), item["value"].as_u64().expect("a value")))
        .collect();
    assert_eq!(copy.len(), 2001);
    assert!(copy == truth);
}
