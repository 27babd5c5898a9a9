//! The load generator, the servers it talks to, and comparisons of them in turns. Nothing here knows what is asked.

use std::time::Duration;

pub mod bare;
pub mod case;
pub mod client;
pub mod compare;
pub mod resp;
pub mod script;
pub mod server;
pub mod webdis;

use client::Connection;
use server::{API_KEY, Server};

use crate::Result;

/// Waits until Manifold answers a GET of `path` with 200. The key is there for a dialect that wants one for everything.
pub async fn ready(manifold: &Server, path: &str) -> Result<Connection> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-internal-auth: {API_KEY}\r\n\r\n");
    answering(manifold, request.as_bytes()).await
}

/// Waits until a server answers a request; the connection that it did so on.
pub async fn answering(server: &Server, request: &[u8]) -> Result<Connection> {
    const PATIENCE: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(100);
    for _ in 0..PATIENCE {
        if let Ok(mut connection) = Connection::open(server.address, server.protocol).await
            && connection.exchange(request).await.is_ok()
        {
            return Ok(connection);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(format!("{} does not become ready", server.name()).into())
}
