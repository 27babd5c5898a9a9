//! WebSockets that do nothing.

use std::{net::SocketAddr, time::Duration};

use crate::harness::{Server, Settings, Socket, SocketOptions, eventually, may_open, scale};

/// What an idle socket may cost: the connection, tungstenite's buffers, the task.
const MOST_BYTES_EACH: u64 = 48 << 10;
/// What the server may open for itself meanwhile: readers of SQLite, a segment.
const OWN_FILES: usize = 24;

fn open(address: SocketAddr, options: &SocketOptions, count: usize) -> Vec<Socket> {
    (0..count).map(|n| Socket::open(address, options).unwrap_or_else(|why| panic!("socket {n}: {why:?}"))).collect()
}

/// `MANIFOLD_SOCKETS` on each of the three: 10,000 in a campaign.
#[test]
fn idle_sockets_cost_little_and_are_given_back() {
    let count = scale("MANIFOLD_SOCKETS", 300);
    if !may_open(count + 500) {
        return;
    }
    let mut server = Server::with(Settings::fast());
    let routes = [
        ("Unison", server.unison(), SocketOptions::default()),
        ("Synap", server.synap(), SocketOptions::to("/api/v1/ws")),
        ("Dunena", server.dunena(), SocketOptions::to("/ws")),
    ];
    let files = server.open_files();
    for (name, address, options) in routes {
        drop(open(address, &options, count / 10));
        wait_for_files(&server, files + OWN_FILES);
        let before = server.resident_bytes();
        let sockets = open(address, &options, count);
        let each = server.resident_bytes().saturating_sub(before) / count as u64;
        println!("{name}: {each} bytes for each of {count} idle sockets");
        assert!(each < MOST_BYTES_EACH, "{name}: {each} bytes for each idle socket");
        // All of them are open on the server's side: what it held at its start may be closed by now and proves nothing.
        assert!(server.open_files() >= count, "{name}: {} descriptors for {count} sockets", server.open_files());
        server.assert_alive();
        drop(sockets);
        wait_for_files(&server, files + OWN_FILES);
        // The second crowd fits into what the first one left.
        let full = before + each * count as u64;
        let second = open(address, &options, count);
        let grown = server.resident_bytes().saturating_sub(full);
        assert!(grown < 16 << 20, "{name}: {} MiB more for as many again", grown >> 20);
        drop(second);
        wait_for_files(&server, files + OWN_FILES);
    }
    server.assert_alive();
    server.stop();
}

fn wait_for_files(server: &Server, most: usize) {
    eventually("descriptors to be given back", Duration::from_secs(30), || (server.open_files() <= most).then_some(()));
}
