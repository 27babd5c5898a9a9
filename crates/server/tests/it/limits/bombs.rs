//! Bodies that become many times as long as they came.

use std::{io::Write, net::SocketAddr};

use flate2::{Compression, write::GzEncoder};

use super::ask;
use crate::harness::{Request, Server, Settings};

const BOMB: usize = 40 << 20;
/// Growth that all bombs together may leave behind.
const FLAT: u64 = 64 << 20;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// A route that reads compressed bodies.
struct Route {
    address: SocketAddr,
    target: &'static str,
    /// A body that it takes.
    good: &'static str,
    too_large: &'static str,
    /// What becomes of half a bomb: it may not reach the limit.
    cut_off: u16,
    damaged: &'static str,
    unknown: (u16, &'static str),
}

fn routes(server: &Server) -> Vec<Route> {
    let flo = |target, good, cut_off| Route {
        address: server.flo(),
        target,
        good,
        cut_off,
        too_large: "Request body is larger than ",
        damaged: "Request body is not valid gzip",
        unknown: (415, "Unsupported content encoding"),
    };
    let synap = |target, good| Route {
        address: server.synap(),
        target,
        good,
        cut_off: 413,
        too_large: "Request body exceeds ",
        damaged: "Request body is not valid gzip",
        unknown: (400, "Unsupported content encoding"),
    };
    vec![
        flo("/api/v1/queue/n/q/enqueue", r#"{"payload":"eA=="}"#, 400),
        flo("/api/v1/ts/n/write", "m v=1 1", 413),
        flo("/write?db=n", "m v=1 1", 413),
        synap("/api/v1/command", r#"{"command":"kv.set","payload":{"key":"k","value":1}}"#),
        synap("/kv/set", r#"{"key":"k","value":1}"#),
    ]
}

#[test]
fn bombs_are_refused_on_every_route_that_reads_compressed_bodies() {
    let mut server = Server::with(Settings::fast().set("flo.timeseries.max_body_bytes", 16 << 20));
    let bomb = gzip(&vec![b' '; BOMB]);
    assert!(bomb.len() < 1 << 20);
    let piece = gzip(&vec![b' '; 8 << 20]);
    let cut = &bomb[..bomb.len() / 2];
    let mut before = None;
    for route in routes(&server) {
        let send = |coding: &str, body: &[u8]| {
            let request = Request::post(route.target, body).key(None).header("Content-Encoding", coding);
            ask(route.address, &request)
        };
        let good = gzip(route.good.as_bytes());
        let cases: [(&str, &str, &[u8], u16, &str); 7] = [
            ("a bomb", "gzip", &bomb, 413, route.too_large),
            ("members that are a bomb together", "x-gzip", &piece.repeat(5), 413, route.too_large),
            ("a bomb in a bomb", "gzip", &gzip(&bomb), 400, ""),
            ("a bomb that is cut off", "gzip", cut, route.cut_off, ""),
            ("a body that is cut off", "gzip", &good[..good.len() - 1], 400, route.damaged),
            ("bytes that are not compressed", "gzip", route.good.as_bytes(), 400, route.damaged),
            ("no bytes", "gzip", b"", 400, ""),
        ];
        for (what, coding, body, status, text) in cases {
            let answer = send(coding, body);
            assert_eq!(answer.status, status, "{}: {what}: {}", route.target, answer.text());
            assert!(answer.text().contains(text), "{}: {what}: {}", route.target, answer.text());
        }
        for coding in ["br", "deflate", "zstd", "compress", "snappy", "gzip, gzip", "gzip;q=1"] {
            let answer = send(coding, &bomb);
            let (status, text) = route.unknown;
            assert_eq!(answer.status, status, "{}: {coding}: {}", route.target, answer.text());
            assert!(answer.text().contains(text), "{}: {coding}: {}", route.target, answer.text());
        }
        let answer = send("gzip", &good);
        assert!(answer.status < 300, "{}: {}", route.target, answer.text());
        before.get_or_insert_with(|| server.resident_bytes());
    }
    let grown = server.resident_bytes().saturating_sub(before.unwrap_or_default());
    assert!(grown < FLAT, "{} MiB more", grown >> 20);
    server.assert_alive();
}

/// Elsewhere a compressed body is what it looks like: no JSON.
#[test]
fn dialects_that_read_no_compressed_bodies_decode_none() {
    let server = Server::with(Settings::fast());
    let bomb = gzip(&vec![b' '; BOMB]);
    let send = |address, request: Request| ask(address, &request.header("Content-Encoding", "gzip")).status;
    assert_eq!(send(server.unison(), Request::put("/api/v1/kv/a/k", &bomb[..])), 400);
    assert_eq!(send(server.dunena(), Request::post("/cache/k", &bomb[..]).key(None)), 400);
    let recache = super::internal("POST", "/internal/cache/recache").body(&bomb[..]);
    assert_eq!(send(server.edgecomet(), recache), 400);
}
