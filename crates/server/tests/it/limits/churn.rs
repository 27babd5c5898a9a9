//! Clients that connect and vanish, at every point of a request.

use std::{net::SocketAddr, thread, time::Duration};

use super::{ask, listeners};
use crate::harness::{Connection, Request, Server, Settings, eventually, scale};

const THREADS: usize = 4;
/// Growth that vanished clients may leave behind: the buffers of those who were there at one time.
const FLAT: u64 = 48 << 20;

/// Connects, does something, and is gone.
fn vanish(address: SocketAddr, manner: usize) {
    let Ok(mut connection) = Connection::try_open(address) else { return };
    let bytes: &[u8] = match manner / 2 % 6 {
        0 => b"",
        1 => b"GET /api/v1/heal",
        2 => b"POST /api/v1/command HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{\"comm",
        3 => b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        4 => b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /api/v1/hea",
        _ => {
            b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        }
    };
    // A server that has closed already is what others wait for.
    connection.write_raw(bytes).ok();
    if manner.is_multiple_of(2) {
        connection.reset();
    }
}

/// `MANIFOLD_CHURN` clients: 100,000 in a campaign.
#[test]
fn clients_that_connect_and_vanish_leave_nothing_behind() {
    let clients = scale("MANIFOLD_CHURN", 3000);
    let mut server = Server::with(Settings::fast());
    let addresses: Vec<SocketAddr> =
        listeners(&server).into_iter().map(|(_, address)| address).chain([server.metrics()]).collect();
    let storm = |clients: usize| {
        thread::scope(|scope| {
            for first in 0..THREADS {
                let addresses = &addresses;
                scope.spawn(move || {
                    for n in (first..clients).step_by(THREADS) {
                        // All manners come to all listeners: the numbers of both have no common divisor with this.
                        vanish(addresses[n / 12 % addresses.len()], n);
                    }
                });
            }
        });
    };
    let settled = |server: &Server| {
        eventually("all connections to be gone", Duration::from_secs(30), || {
            // Those of the storm may still have all places of the metrics' own listener. The one that asks is open.
            let mut connection = Connection::try_open(server.metrics()).ok()?;
            let answer = connection.send(&Request::get("/metrics").key(None)).ok().filter(|one| one.status == 200)?;
            drop(connection);
            let text = answer.text();
            let open =
                text.lines().filter_map(|line| line.strip_prefix("manifold_connections_open{")?.rsplit(' ').next());
            let open: u64 = open.map(|count| count.parse::<u64>().expect("a count")).sum();
            (open == 1).then_some(())
        });
    };
    storm(clients / 4);
    settled(&server);
    let (files, bytes) = (server.open_files(), server.resident_bytes());
    let began = std::time::Instant::now();
    storm(clients);
    let took = began.elapsed();
    let answer = ask(server.unison(), &Request::put("/api/v1/kv/a/k", r#"{"value":1}"#));
    assert_eq!(answer.status, 200);
    settled(&server);
    let files_now = eventually("descriptors to be given back", Duration::from_secs(10), || {
        let now = server.open_files();
        (now <= files + 8).then_some(now)
    });
    let grown = server.resident_bytes().saturating_sub(bytes);
    println!("{clients} clients in {took:?}: {files} files before, {files_now} after, {} KiB more", grown >> 10);
    assert!(grown < FLAT, "{} MiB more after {clients} clients", grown >> 20);
    server.assert_alive();
    server.stop();
}
