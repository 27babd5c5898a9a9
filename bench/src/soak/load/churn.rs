//! Connections that are opened and vanish, many in the middle of a request, some while they wait for an answer.

use std::rc::Rc;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::soak::{process::Ports, world::World};

const LISTENERS: [fn(&Ports) -> u16; 6] = [
    |ports| ports.unison,
    |ports| ports.flo,
    |ports| ports.synap,
    |ports| ports.dunena,
    |ports| ports.edgecomet,
    |ports| ports.metrics,
];
const BEGINNINGS: [&str; 5] = [
    "",
    "GET /metr",
    "POST /api/v1/command HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"command\"",
    "GET /api/v1/changes?after=999999999&wait=60000 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer bench\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\u{0}",
];

/// Thirty a second.
pub async fn work(world: Rc<World>) {
    while world.turn(30.0).await {
        let listener = LISTENERS[world.below(LISTENERS.len() as u64) as usize];
        let beginning = BEGINNINGS[world.below(BEGINNINGS.len() as u64) as usize];
        // A kill may be faster.
        let Ok(mut stream) = TcpStream::connect(world.ports.address(listener)).await else { continue };
        stream.write_all(beginning.as_bytes()).await.ok();
    }
}
