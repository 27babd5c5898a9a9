//! What one client may cost, and that everybody else goes on meanwhile. The numbers stand in `docs/operations.md`.

mod bodies;
mod bombs;
mod churn;
mod documented;
mod labels;
mod memory;
mod shapes;
mod slow;
mod sockets;
mod waiters;

use std::net::SocketAddr;

use crate::harness::{Connection, Request, Response, Server};

/// Asks on a connection of its own.
#[track_caller]
fn ask(address: SocketAddr, request: &Request) -> Response {
    Connection::open(address).send(request).unwrap_or_else(|error| panic!("{request}: {error}"))
}

/// A request to EdgeComet.
fn internal(method: &str, target: &str) -> Request {
    Request::new(method, target).key(None).header("X-Internal-Auth", "dev")
}

/// One command of Synap.
fn command(name: &str, payload: &str) -> Request {
    Request::post("/api/v1/command", format!(r#"{{"command":"{name}","payload":{payload}}}"#)).key(None)
}

/// The listeners of the dialects, by name.
fn listeners(server: &Server) -> [(&'static str, SocketAddr); 5] {
    [
        ("unison", server.unison()),
        ("flo", server.flo()),
        ("synap", server.synap()),
        ("dunena", server.dunena()),
        ("edgecomet", server.edgecomet()),
    ]
}

/// A request whose body is of such a length, and that is answered with 2xx if nothing is in its way.
fn write_of(listener: &str, bytes: usize) -> Request {
    let text = "x".repeat(bytes);
    match listener {
        "unison" => Request::put("/api/v1/kv/l/k", format!(r#"{{"value":"{text}"}}"#)),
        "flo" => {
            let payload = "eHh4".repeat(bytes / 4);
            Request::put("/api/v1/kv/l/k", format!(r#"{{"value":"{payload}"}}"#)).key(None)
        }
        "synap" => command("kv.set", &format!(r#"{{"key":"k","value":"{text}"}}"#)),
        "dunena" => Request::post("/cache/k", format!(r#"{{"value":"{text}"}}"#)).key(None),
        _ => internal("POST", "/internal/cache/invalidate")
            .body(format!(r#"{{"host_id":1,"urls":["a.b"],"x":"{text}"}}"#)),
    }
}
