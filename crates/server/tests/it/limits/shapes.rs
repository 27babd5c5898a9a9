//! Requests that are well formed and out of all proportion: deep, long, many.

use std::net::SocketAddr;

use super::{ask, command, internal, listeners, write_of};
use crate::{
    edgecomet::daemon::Daemon,
    harness::{Connection, Request, Server},
};

const DEEP: usize = 100_000;

/// What is sent as a body to every listener, around something.
fn with_body(listener: &str, body: String) -> Request {
    let mut request = write_of(listener, 1);
    request.body = Some(body.into_bytes());
    request
}

#[test]
fn deep_json_is_refused_everywhere() {
    let mut server = Server::with(Daemon::settings());
    let (open, close) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let (objects, ends) = (r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    for (name, address) in listeners(&server) {
        let around = |inner: String| match name {
            "synap" => format!(r#"{{"command":"kv.set","payload":{{"key":"k","value":{inner}}}}}"#),
            "edgecomet" => format!(r#"{{"host_id":1,"urls":{inner}}}"#),
            _ => format!(r#"{{"value":{inner}}}"#),
        };
        for body in [
            around(format!("{open}{close}")),
            around(format!("{objects}1{ends}")),
            around(open.clone()),
            format!("{open}{close}"),
            open.clone(),
        ] {
            let answer = ask(address, &with_body(name, body));
            assert_eq!(answer.status, 400, "{name}: {:.200}", answer.text());
        }
    }
    for (address, target) in [(server.flo(), "/api/v1/ts/n/query"), (server.flo(), "/api/v1/timeseries/floql")] {
        let query = format!(r#"{{"query":"m | math({}v{})"}}"#, "(".repeat(30_000), ")".repeat(30_000));
        assert_eq!(ask(address, &Request::post(target, query).key(None)).status, 400, "{target}");
    }
    server.assert_alive();
}

#[test]
fn numbers_without_measure_are_an_answer_and_no_defect() {
    let mut server = Server::with(Daemon::settings());
    let digits = "9".repeat(100_000);
    for number in ["1e999999", "-1e999999", "1e-999999", "99999999999999999999", &digits] {
        let requests: [(SocketAddr, Request); 10] = [
            (server.unison(), Request::put("/api/v1/kv/a/k", format!(r#"{{"value":{number}}}"#))),
            (server.unison(), Request::put("/api/v1/kv/a/k", format!(r#"{{"value":1,"ttlMs":{number}}}"#))),
            (server.unison(), Request::get(format!("/api/v1/changes?after={:.9000}", number))),
            (server.flo(), Request::put("/api/v1/kv/a/f", format!(r#"{{"value":"","ttl_seconds":{number}}}"#))),
            (server.flo(), Request::post("/api/v1/ts/n/write", format!("m v={number} 1"))),
            (server.flo(), Request::post("/api/v1/ts/n/write", format!("m v=1 {number}"))),
            (server.synap(), command("kv.incrby", &format!(r#"{{"key":"n","amount":{number}}}"#))),
            (server.synap(), command("sortedset.zadd", &format!(r#"{{"key":"z","member":"a","score":{number}}}"#))),
            (server.dunena(), Request::post("/cache/k", format!(r#"{{"value":"v","ttl":{number}}}"#)).key(None)),
            (server.edgecomet(), with_body("edgecomet", format!(r#"{{"host_id":{number},"urls":["a.b"]}}"#))),
        ];
        for (address, request) in requests {
            let answer = ask(address, &request);
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
            assert!(answer.status < 500, "{request} {body:.80}: {} {:.200}", answer.status, answer.text());
        }
    }
    server.assert_alive();
}

#[test]
fn too_many_headers_and_too_long_ones_are_refused_by_every_listener() {
    let server = Server::with(Daemon::settings());
    let metrics = ("metrics", server.metrics());
    for (name, address) in listeners(&server).into_iter().chain([metrics]) {
        let target = if name == "edgecomet" { "/status" } else { "/health" };
        let send = |lines: &str| {
            let mut connection = Connection::open(address);
            let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nX-Internal-Auth: dev\r\n{lines}\r\n");
            // The server may stop reading, and say why, before it has everything.
            connection.write_raw(request.as_bytes()).ok();
            connection.read_response("GET").unwrap_or_else(|error| panic!("{name}: {error}")).status
        };
        let many = |count: usize| (0..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
        assert!(send(&many(90)) < 500 && send(&many(90)) != 431, "{name}");
        // EdgeComet counts bytes.
        assert_eq!(send(&many(if name == "edgecomet" { 3000 } else { 101 })), 431, "{name}");
        assert_eq!(send(&format!("X-Long: {}\r\n", "x".repeat(200_000))), 431, "{name}");
    }
}

#[test]
fn many_parameters_are_read_up_to_the_length_of_a_target() {
    let server = Server::with(Daemon::settings());
    let query = |parameters: usize| (0..parameters).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    for (name, address) in listeners(&server) {
        let target = match name {
            "unison" => "/api/v1/kv/a",
            "flo" => "/api/v1/kv/a",
            "synap" => "/health",
            "dunena" => "/cache",
            _ => "/status",
        };
        let send = |parameters: usize| {
            let request = Request::get(format!("{target}?{}", query(parameters))).header("X-Internal-Auth", "dev");
            ask(address, &request).status
        };
        assert!(send(3000) < 500, "{name}: {}", send(3000));
        assert!([414, 431].contains(&send(6000)), "{name}: {}", send(6000));
    }
}

#[test]
fn one_request_names_so_many_things_and_no_more() {
    let server = Server::with(Daemon::settings());
    let list = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(",");
    let set = |n: usize| format!(r#"{{"op":"set","namespace":"n","key":"k{n}","value":1}}"#);
    let batch = |count| Request::post("/api/v1/batch", format!(r#"{{"operations":[{}]}}"#, list(count, &set)));
    let ping = |_: usize| r#"{"command":"kv.get","payload":{"key":"k"}}"#.to_owned();
    let commands = |count| {
        let body = format!(r#"{{"type":"batch","commands":[{}]}}"#, list(count, &ping));
        Request::post("/api/v1/command", body).key(None)
    };
    let name = |n: usize| format!(r#""k{n}""#);
    let keys = |count| command("kv.mget", &format!(r#"{{"keys":[{}]}}"#, list(count, &name)));
    let record = |_: usize| r#"{"payload":""}"#.to_owned();
    let records = |count| {
        let body = format!(r#"{{"records":[{}]}}"#, list(count, &record));
        Request::post("/api/v1/stream/n/s/append", body).key(None)
    };
    let url = |n: usize| format!(r#""a.b/{n}""#);
    let urls = |count| {
        let body = format!(r#"{{"host_id":1,"urls":[{}],"dimension_ids":[1],"priority":"normal"}}"#, list(count, &url));
        internal("POST", "/internal/cache/recache").body(body)
    };
    ask(server.edgecomet(), &internal("POST", "/internal/scheduler/pause")).expect(200);
    type Make<'a> = &'a dyn Fn(usize) -> Request;
    let cases: [(SocketAddr, Make<'_>, usize, &str); 5] = [
        (server.unison(), &batch, 10_000, "Too many operations (max 10000)"),
        (server.flo(), &records, 1000, "1000"),
        (server.synap(), &commands, 1000, "1000"),
        (server.synap(), &keys, 10_000, "10000"),
        (server.edgecomet(), &urls, 10_000, "10000"),
    ];
    for (address, make, most, text) in cases {
        let answer = ask(address, &make(most));
        assert!(answer.status < 300, "{}: {} {:.200}", make(1), answer.status, answer.text());
        let answer = ask(address, &make(most + 1));
        assert!((400..500).contains(&answer.status), "{}: {} {:.200}", make(1), answer.status, answer.text());
        assert!(answer.text().contains(text), "{}: {:.200}", make(1), answer.text());
    }
}
