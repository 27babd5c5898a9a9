//! Subscribers of one topic that count what they get: WebSockets of Synap, and connections to Redis.

use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::spawn_local,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    Result,
    load::{client::Protocol, resp, server::Server},
};

/// All messages came within this time, or some never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of them. Use it inside a `LocalSet`, which ends them with itself.
#[derive(Debug, Clone, Default)]
pub struct Subscribers(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Messages that all of them together got.
    received: Cell<u64>,
    /// When they have so many, somebody is told.
    awaited: Cell<u64>,
    complete: Notify,
}

impl Subscribers {
    /// Opens one more connection and subscribes it; each message has so many bytes.
    pub async fn open(&self, server: &Server, topic: &str, message_bytes: usize) -> Result<()> {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        match server.protocol {
            Protocol::Http => self.open_web_socket(stream, server.address, topic).await,
            Protocol::Resp => self.open_redis(stream, topic, message_bytes).await,
        }
    }

    async fn open_web_socket(&self, stream: TcpStream, address: SocketAddr, topic: &str) -> Result<()> {
        let (mut socket, _) = client_async(format!("ws://{address}/api/v1/ws"), stream).await?;
        let request = format!(
            "{{\"request_id\":\"s\",\"command\":\"pubsub.subscribe\",\"payload\":{{\"topics\":[\"{topic}\"]}}}}"
        );
        socket.send(Message::text(request)).await?;
        match socket.next().await {
            Some(Ok(Message::Text(answer))) if answer.contains("\"subscribed\":true") => {}
            other => return Err(format!("the subscription was answered with {other:?}").into()),
        }
        spawn_local(self.clone().listen_to_frames(socket));
        Ok(())
    }

    async fn open_redis(&self, mut stream: TcpStream, topic: &str, message_bytes: usize) -> Result<()> {
        stream.write_all(&resp::command(&["SUBSCRIBE", topic])).await?;
        let mut answer = Vec::new();
        while resp::extent(&answer)?.is_none() {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err("the subscription was not answered".into());
            }
        }
        // What arrives has the form of a command.
        let push_bytes = resp::command(&["message", topic, &"v".repeat(message_bytes)]).len();
        spawn_local(self.clone().listen_to_pushes(stream, push_bytes));
        Ok(())
    }

    /// A connection that ends shows as messages that never come.
    async fn listen_to_frames(self, mut socket: WebSocketStream<TcpStream>) {
        while let Some(Ok(frame)) = socket.next().await {
            if frame.is_text() {
                self.count(1);
            }
        }
    }

    async fn listen_to_pushes(self, mut stream: TcpStream, push_bytes: usize) {
        let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            bytes += read;
            self.count((bytes / push_bytes) as u64);
            bytes %= push_bytes;
        }
    }

    fn count(&self, messages: u64) {
        let shared = &self.0;
        let before = shared.received.replace(shared.received.get() + messages);
        if (before..before + messages).contains(&(shared.awaited.get().wrapping_sub(1))) {
            shared.complete.notify_one();
        }
    }

    /// Expects so many more messages; call it before they are sent.
    pub fn expect(&self, more: u64) {
        self.0.awaited.set(self.0.received.get() + more);
    }

    /// Completes when they are all there.
    pub async fn complete(&self) -> Result<()> {
        let shared = &self.0;
        while shared.received.get() < shared.awaited.get() {
            if tokio::time::timeout(PATIENCE, shared.complete.notified()).await.is_err() {
                let (received, awaited) = (shared.received.get(), shared.awaited.get());
                return Err(format!("of {awaited} messages only {received} came").into());
            }
        }
        Ok(())
    }
}
