//! The memory limit: what grows is refused in each dialect's words, and everything else goes on.

use std::{net::SocketAddr, time::Duration};

use super::{ask, command, internal};
use crate::{
    edgecomet::daemon::Daemon,
    harness::{Connection, Request, Response, Server, Settings, eventually},
};

const LIMIT: i64 = 2 << 20;
const FILLER: usize = 64 << 10;

/// What was written before there was no room.
fn prepare(server: &Server) {
    let (flo, synap) = (server.flo(), server.synap());
    let ok = |address: SocketAddr, request: Request| {
        let answer = ask(address, &request);
        assert!(answer.status < 300, "{request}: {} {}", answer.status, answer.text());
    };
    ok(server.unison(), put("long", 1000));
    ok(server.unison(), put("gone", 10));
    ok(server.unison(), put("brief", 1000));
    ok(flo, Request::put("/api/v1/kv/f/k", r#"{"value":"eA=="}"#));
    for _ in 0..3 {
        ok(flo, Request::post("/api/v1/queue/f/q/enqueue", r#"{"payload":"eA=="}"#));
        ok(flo, Request::post("/api/v1/stream/f/s/append", r#"{"payload":"eA=="}"#));
        ok(synap, command("queue.publish", r#"{"queue":"jobs","message":1}"#));
        ok(synap, command("stream.publish", r#"{"room":"r","event_type":"e","data":1}"#));
        ok(synap, command("list.rpush", r#"{"key":"list","values":["a","b"]}"#));
    }
    ok(flo, Request::post("/api/v1/stream/f/s/groups/g/join", r#"{"consumer":"one"}"#));
    ok(flo, Request::post("/api/v1/ts/f/write", "m v=1 1700000000000000000"));
    ok(synap, command("kv.set", r#"{"key":"short","value":"a text of some length"}"#));
    ok(synap, command("hash.set", r#"{"key":"hash","field":"f","value":"a text of some length"}"#));
    ok(synap, command("set.add", r#"{"key":"set","members":["a","b"]}"#));
    ok(synap, command("sortedset.zadd", r#"{"key":"sorted","member":"a","score":1}"#));
    ok(server.edgecomet(), internal("POST", "/internal/scheduler/pause"));
    ok(server.edgecomet(), recache("a.b/1"));
}

fn put(key: &str, bytes: usize) -> Request {
    Request::put(format!("/api/v1/kv/u/{key}"), format!(r#"{{"value":"{}"}}"#, "x".repeat(bytes)))
}

fn recache(url: &str) -> Request {
    let body = format!(r#"{{"host_id":1,"urls":["{url}"],"dimension_ids":[1],"priority":"normal"}}"#);
    internal("POST", "/internal/cache/recache").body(body)
}

/// Writes large values until there is no room; how many there are.
fn fill(server: &Server) -> usize {
    let mut connection = server.connect();
    let mut stored = |key: &str| connection.send(&put(key, FILLER)).expect("an answer").status == 200;
    (0..1000).find(|n| !stored(&format!("filler{n}"))).expect("memory is never used up")
}

/// Writes small values until there is no room: what works beside the requests may have made some.
fn top_up(server: &Server, scraps: &mut usize) {
    let mut connection = server.connect();
    let mut stored = |key: &str| connection.send(&put(key, 100)).expect("an answer").status == 200;
    *scraps = (*scraps..10_000).find(|n| !stored(&format!("scrap{n}"))).expect("small values are never refused");
}

/// Everything that would make what is kept more, with the answer to it.
fn growth(server: &Server) -> Vec<(SocketAddr, Request, u16, &'static str)> {
    const UNISON: &str = r#"{"error":"Store unavailable"}"#;
    const FLO: &str = r#""message":"Server at capacity, retry later""#;
    const SYNAP: &str = "Memory limit exceeded";
    let batch = r#"{"operations":[{"op":"set","namespace":"u","key":"new","value":1}]}"#;
    let unison = [put("new", 1), put("long", 2000), Request::post("/api/v1/batch", batch)];
    let flo = [
        Request::put("/api/v1/kv/f/new", r#"{"value":"eA=="}"#),
        Request::post("/api/v1/queue/f/q/enqueue", r#"{"payload":"eA=="}"#),
        Request::post("/api/v1/queue/f/new/enqueue", r#"{"payload":"eA=="}"#),
        Request::post("/api/v1/stream/f/s/append", r#"{"payload":"eA=="}"#),
        Request::post("/api/v1/stream/f/s/groups/new/join", r#"{"consumer":"one"}"#),
        Request::post("/api/v1/ts/f/write", "m v=1 1700000001000000000"),
        Request::post("/api/v1/namespaces", r#"{"name":"new"}"#),
    ];
    let synap = [
        command("kv.set", r#"{"key":"new","value":1}"#),
        command("kv.append", r#"{"key":"short","value":"and more"}"#),
        command("kv.incr", r#"{"key":"new"}"#),
        command("list.rpush", r#"{"key":"list","values":["c"]}"#),
        command("hash.set", r#"{"key":"hash","field":"new","value":1}"#),
        command("set.add", r#"{"key":"set","members":["new"]}"#),
        command("sortedset.zadd", r#"{"key":"sorted","member":"new","score":1}"#),
        command("queue.publish", r#"{"queue":"jobs","message":1}"#),
        command("queue.create", r#"{"queue":"new"}"#),
        command("stream.publish", r#"{"room":"r","event_type":"e","data":1}"#),
    ];
    let unison = unison.into_iter().map(|request| (server.unison(), request, 503, UNISON));
    let flo = flo.into_iter().map(|request| (server.flo(), request, 429, FLO));
    let synap = synap.into_iter().map(|request| (server.synap(), request, 507, SYNAP));
    let edgecomet = [(server.edgecomet(), recache("a.b/new"), 503, "unavailable")];
    unison.chain(flo).chain(synap).chain(edgecomet).collect()
}

fn assert_growth_is_refused(server: &Server, scraps: &mut usize) {
    let wrong: Vec<String> = growth(server)
        .into_iter()
        .filter_map(|(address, request, status, text)| {
            top_up(server, scraps);
            let answer = ask(address, &request);
            let expected = answer.status == status && answer.text().contains(text);
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
            (!expected).then(|| format!("{request} {body:.80}: {} {}", answer.status, answer.text()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads, and what leaves no more behind than there was.
fn assert_the_rest_goes_on(server: &Server) {
    let ok = |address: SocketAddr, request: Request| -> Response {
        let answer = ask(address, &request);
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        assert!(answer.status < 300, "{request} {body:.80}: {} {}", answer.status, answer.text());
        answer
    };
    let unison = |request| ok(server.unison(), request);
    unison(Request::get("/api/v1/kv/u/long"));
    unison(Request::get("/api/v1/kv/u?keysOnly=1"));
    unison(Request::get("/api/v1/changes?keysOnly=1"));
    unison(put("long", 900));
    unison(Request::put("/api/v1/kv/u/brief", r#"{"value":1,"ttlMs":300}"#));
    unison(Request::delete("/api/v1/kv/u/gone"));
    unison(Request::post("/api/v1/batch", r#"{"operations":[{"op":"delete","namespace":"u","key":"none"}]}"#));

    let flo = |request| ok(server.flo(), request).json();
    flo(Request::get("/api/v1/kv/f/k"));
    let taken = flo(Request::post("/api/v1/queue/f/q/dequeue", r#"{"count":2}"#));
    assert_eq!(taken["count"], 2, "{taken}");
    assert_eq!(flo(Request::post("/api/v1/queue/f/q/ack", r#"{"sequences":[1]}"#))["acked"], 1);
    assert_eq!(flo(Request::post("/api/v1/queue/f/q/nack", r#"{"sequences":[2]}"#))["nacked"], 1);
    assert_eq!(flo(Request::get("/api/v1/stream/f/s"))["count"], 3);
    let read = flo(Request::post("/api/v1/stream/f/s/groups/g/read", r#"{"consumer":"one","count":2}"#));
    assert_eq!(read["count"], 2, "{read}");
    assert_eq!(flo(Request::post("/api/v1/stream/f/s/groups/g/ack", r#"{"offsets":[0,1]}"#))["acked"], 2);
    flo(Request::post("/api/v1/ts/f/query", r#"{"query":"m[0..1800000000000] | count(1h)"}"#));
    flo(Request::delete("/api/v1/kv/f/k"));

    let synap = |name: &str, payload: &str| ok(server.synap(), command(name, payload)).json();
    synap("kv.get", r#"{"key":"short"}"#);
    synap("kv.set", r#"{"key":"short","value":"shorter"}"#);
    synap("hash.set", r#"{"key":"hash","field":"f","value":"short"}"#);
    synap("set.add", r#"{"key":"set","members":["a"]}"#);
    synap("sortedset.zadd", r#"{"key":"sorted","member":"a","score":2}"#);
    synap("list.lpop", r#"{"key":"list"}"#);
    synap("set.rem", r#"{"key":"set","members":["b"]}"#);
    synap("stream.history", r#"{"room":"r"}"#);
    let message = synap("queue.consume", r#"{"queue":"jobs"}"#);
    let id = message["payload"]["message_id"].as_str().expect("a message").to_owned();
    synap("queue.ack", &format!(r#"{{"queue":"jobs","message_id":"{id}"}}"#));
    synap("pubsub.publish", r#"{"topic":"t","message":1}"#);

    // What the cache and SQLite keep has bounds of its own.
    ok(server.dunena(), Request::post("/cache/k", r#"{"value":"v"}"#).key(None));
    ok(server.dunena(), Request::post("/db/k", r#"{"value":"v"}"#).key(None));
    ok(server.dunena(), Request::post("/locks/k/acquire", r#"{"owner":"o"}"#).key(None));

    ok(server.edgecomet(), internal("GET", "/status"));
    ok(server.edgecomet(), internal("POST", "/internal/cache/invalidate").body(r#"{"host_id":1,"urls":["a.b/1"]}"#));
}

#[test]
fn at_the_memory_limit_growth_is_refused_everywhere_and_the_rest_goes_on() {
    let settings = Daemon::settings().set("limits.memory_bytes", LIMIT);
    let mut server = Server::with(settings);
    prepare(&server);
    let (fillers, mut scraps) = (fill(&server), 0);
    assert_growth_is_refused(&server, &mut scraps);
    server.kill();
    server.start_again();
    ask(server.edgecomet(), &internal("POST", "/internal/scheduler/pause")).expect(200);
    assert_growth_is_refused(&server, &mut scraps);
    assert_the_rest_goes_on(&server);
    eventually("a key expires", Duration::from_secs(30), || {
        (server.metric("unison_expired_total") >= 1.0).then_some(())
    });
    ask(server.unison(), &Request::get("/api/v1/kv/u/brief")).expect(404);
    // Room again.
    for n in 0..fillers {
        ask(server.unison(), &Request::delete(format!("/api/v1/kv/u/filler{n}"))).expect(200);
    }
    for (address, request, ..) in growth(&server) {
        let answer = ask(address, &request);
        assert!(answer.status < 300, "{request}: {} {}", answer.status, answer.text());
    }
    server.stop();
}

#[test]
fn names_count_as_much_as_what_they_name() {
    let settings = Settings::fast().set("synap.kv_store.max_memory_mb", 1).set("limits.memory_bytes", 100 << 20);
    let server = Server::with(settings);
    let mut connection = Connection::open(server.synap());
    let mut add = |n: usize| {
        let member = format!("{n}{}", "x".repeat(16 << 10));
        connection.send(&command("set.add", &format!(r#"{{"key":"s","members":["{member}"]}}"#))).expect("an answer")
    };
    let refused = (0..1000).find(|n| add(*n).status != 200).expect("names of members are never counted");
    // A member is in two rows: by its name, and by its place, for who draws one.
    assert!((30..=32).contains(&refused), "{refused} members of 16 KiB fit into 1 MiB");
    add(0).expect(200);
    add(refused).expect(507);
    assert!(server.metric("synap_memory_bytes") < (1.1 * f64::from(1 << 20)));
}
