//! WebSockets that are subscribed to one topic and count what they get.

use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::Notify};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::Result;

/// All messages came within this time, or some never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// All sockets. Use it inside a `LocalSet`, which ends them with itself.
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
    /// Opens one more socket and subscribes it.
    pub async fn open(&self, address: SocketAddr, topic: &str) -> Result<()> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (mut socket, _) = client_async(format!("ws://{address}/api/v1/ws"), stream).await?;
        let request = format!(
            "{{\"request_id\":\"s\",\"command\":\"pubsub.subscribe\",\"payload\":{{\"topics\":[\"{topic}\"]}}}}"
        );
        socket.send(Message::text(request)).await?;
        match socket.next().await {
            Some(Ok(Message::Text(answer))) if answer.contains("\"subscribed\":true") => {}
            other => return Err(format!("the subscription was answered with {other:?}").into()),
        }
        tokio::task::spawn_local(self.clone().listen(socket));
        Ok(())
    }

    async fn listen(self, mut socket: WebSocketStream<TcpStream>) {
        // A socket that ends shows as messages that never come.
        while let Some(Ok(frame)) = socket.next().await {
            if frame.is_text() {
                let shared = &self.0;
                shared.received.set(shared.received.get() + 1);
                if shared.received.get() == shared.awaited.get() {
                    shared.complete.notify_one();
                }
            }
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
