//! A WebSocket whose every wait ends and whose every buffer has a bound.
//!
//! Sending waits until the client takes what was sent before, so at most one message and a write buffer are held for
//! it; what comes later stays where it is until then. A client that reads but answers no ping is given up soon, one that
//! does not read at all after a long while.

use std::time::Duration;

pub use axum::extract::ws::Utf8Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use crate::net::Account;

mod offered;
mod sockets;

pub use offered::{BEARER_PROTOCOL, offered, offered_bearer, offered_key};
pub use sockets::{Open, Sockets};

/// A send that takes longer has waited for the client.
const STALL_NOTICED: Duration = Duration::from_millis(100);
/// Time for the closing handshake.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// The same for a client that has to take what lies before it first.
const SLOW_CLOSE_WAIT: Duration = Duration::from_secs(10);
/// Longest message that is sent.
pub const MAX_OUTGOING_BYTES: usize = 64 << 20;
const WRITE_BUFFER_BYTES: usize = 128 << 10;
/// Every socket has it from its first byte on, and most of them only listen.
const READ_BUFFER_BYTES: usize = 8 << 10;
/// A client's frame before its content, where that is short: two bytes, and the mask.
const FRAME_HEAD_BYTES: usize = 6;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Time between pings.
    pub ping_every: Duration,
    /// What ends a connection whose client says nothing.
    pub silence: Silence,
    /// Time a client may stall before it takes another message. While it does, no ping reaches it, so this is what ends
    /// the connection of one that is gone without a word.
    pub stall: Duration,
}

/// From when on silence counts, and for how long.
#[derive(Debug, Clone, Copy)]
pub enum Silence {
    /// From the first ping that was not answered.
    AfterPing(Duration),
    /// From the last thing that was heard, if a ping was not answered since.
    AfterWord(Duration),
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// 1001: the server stops.
    GoingAway,
    /// 1002: the client does not speak WebSocket.
    Protocol,
    /// 1003: a binary message.
    Unsupported,
    /// 1007: a text that is not UTF-8.
    NotText,
    /// 1008: what the client came in with is valid no longer.
    Expired,
    /// 1008: messages that nothing keeps came faster than the client took them.
    Slow,
    /// 1009: a message over the limit.
    TooBig,
    /// 1011: the server cannot go on.
    Failed,
    /// 1013: more waits for the client than is kept.
    Behind,
}

impl Close {
    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Close::GoingAway => (1001, "server is stopping"),
            Close::Protocol => (1002, "protocol error"),
            Close::Unsupported => (1003, "only text is understood"),
            Close::NotText => (1007, "the text is not UTF-8"),
            Close::Expired => (1008, "token expired"),
            Close::Slow => (1008, "slow consumer"),
            Close::TooBig => (1009, "message too big"),
            Close::Failed => (1011, "store unavailable"),
            Close::Behind => (1013, "too many undelivered messages"),
        };
        CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
    }

    fn wait(self) -> Duration {
        if matches!(self, Close::Slow | Close::Behind) { SLOW_CLOSE_WAIT } else { CLOSE_WAIT }
    }
}

/// What a client did.
#[derive(Debug)]
pub enum Incoming {
    /// It sent a text.
    Text(Utf8Bytes),
    /// It sent bytes.
    Binary(Bytes),
    /// It did what it must not: the connection should be closed with this.
    Refused(Close),
    /// It is gone, or no longer answers.
    Gone,
}

/// The client is gone, or takes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// Sets the bounds of an upgrade whose client may send messages of `max_message_bytes`.
pub fn bounded(upgrade: WebSocketUpgrade, max_message_bytes: usize) -> WebSocketUpgrade {
    // A frame somewhat over the limit is read to its end, so that the client sees why it is closed. A message in many
    // frames is refused with the one that takes it over the limit.
    upgrade
        .max_message_size(max_message_bytes)
        .max_frame_size(max_message_bytes.saturating_mul(2))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(2 * MAX_OUTGOING_BYTES)
}

/// An upgraded connection.
#[derive(Debug)]
pub struct Socket {
    inner: WebSocket,
    patience: Patience,
    /// Where the bytes of a message are counted until it is complete.
    account: Option<Account>,
    next_ping: Instant,
    /// When the client last said something, or was seen to take something.
    heard: Instant,
    /// When the oldest ping that is not answered yet was sent.
    unanswered_since: Option<Instant>,
}

impl Socket {
    /// Takes over an upgraded connection. The account is among the extensions of the request that was upgraded.
    pub fn new(inner: WebSocket, patience: Patience, account: Option<Account>) -> Self {
        let now = Instant::now();
        let next_ping = now + patience.ping_every;
        Socket { inner, patience, account, next_ping, heard: now, unanswered_since: None }
    }

    /// The next thing the client does; pings it meanwhile. May be dropped and called again without loss.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            let give_up = self.give_up();
            tokio::select! {
                // What has arrived counts before the time does: it may be the answer that is waited for.
                biased;
                message = self.inner.next() => {
                    let goodbye = matches!(message, Some(Ok(Message::Close(_))));
                    if let Some(incoming) = self.judge(message) {
                        if goodbye {
                            self.return_goodbye().await;
                        }
                        return incoming;
                    }
                }
                () = sleep_until(give_up.map_or(self.next_ping, |give_up| give_up.min(self.next_ping))) => {
                    if give_up.is_some_and(|give_up| give_up <= Instant::now()) || self.ping().await.is_err() {
                        return Incoming::Gone;
                    }
                }
            }
        }
    }

    /// Sends a text as soon as the client takes it; it may stay in the write buffer until [`Socket::flush`].
    pub async fn queue(&mut self, text: Vec<u8>) -> Result<(), Gone> {
        // Values are JSON of their writers and so text; one that is not must not end the connection.
        let text =
            String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let started = Instant::now();
        timed(self.patience.stall, self.inner.feed(Message::text(text))).await?;
        self.taken(started);
        Ok(())
    }

    /// Completes when the client's connection has taken everything.
    pub async fn flush(&mut self) -> Result<(), Gone> {
        let started = Instant::now();
        timed(self.patience.stall, self.inner.flush()).await?;
        self.taken(started);
        Ok(())
    }

    /// Says why and waits a little for the client to say goodbye, so that it gets to read the reason.
    pub async fn close(mut self, why: Close) {
        let farewell = async {
            self.inner.send(Message::Close(Some(why.frame()))).await?;
            while let Some(Ok(_)) = self.inner.next().await {}
            Ok(())
        };
        timed(why.wait(), farewell).await.ok();
    }

    /// The client has said goodbye, and is owed one (RFC 6455, 5.5.1): it leaves as what is read next is asked for.
    async fn return_goodbye(&mut self) {
        let left = async {
            while let Some(Ok(_)) = self.inner.next().await {}
            Ok(())
        };
        timed(CLOSE_WAIT, left).await.ok();
    }

    /// When the client is taken for gone, if it owes an answer.
    fn give_up(&self) -> Option<Instant> {
        let since = self.unanswered_since?;
        Some(match self.patience.silence {
            Silence::AfterPing(limit) => since + limit,
            Silence::AfterWord(limit) => self.heard + limit,
        })
    }

    async fn ping(&mut self) -> Result<(), Gone> {
        timed(self.patience.stall, self.inner.send(Message::Ping(Bytes::new()))).await?;
        let now = Instant::now();
        self.next_ping = now + self.patience.ping_every;
        self.unanswered_since.get_or_insert(now);
        Ok(())
    }

    /// The client took something it had let wait: it is alive, and a ping that is under way was behind that.
    fn taken(&mut self, started: Instant) {
        let now = Instant::now();
        if now - started > STALL_NOTICED {
            self.heard = now;
            self.unanswered_since = self.unanswered_since.map(|_| now);
        }
    }

    /// What a message means; `None` when it needs no answer from the application.
    fn judge(&mut self, message: Option<Result<Message, axum::Error>>) -> Option<Incoming> {
        (self.heard, self.unanswered_since) = (Instant::now(), None);
        if let Some(account) = &self.account {
            match &message {
                Some(Ok(Message::Text(_) | Message::Binary(_))) => account.settle(),
                // It may stand between two pieces of a message.
                Some(Ok(Message::Ping(bytes) | Message::Pong(bytes))) => {
                    account.give_back(bytes.len() + FRAME_HEAD_BYTES)
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => {}
            }
        }
        match message {
            Some(Ok(Message::Text(text))) => Some(Incoming::Text(text)),
            Some(Ok(Message::Binary(bytes))) => Some(Incoming::Binary(bytes)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
            Some(Ok(Message::Close(_))) | None => Some(Incoming::Gone),
            Some(Err(error)) => Some(refusal(error)),
        }
    }
}

async fn timed(patience: Duration, sent: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    timeout(patience, sent).await.map_err(|_| Gone)?.map_err(|_| Gone)
}

fn refusal(error: axum::Error) -> Incoming {
    use tungstenite::Error;
    match error.into_inner().downcast::<Error>().map(|error| *error) {
        Ok(Error::Capacity(_)) => Incoming::Refused(Close::TooBig),
        Ok(Error::Utf8(_)) => Incoming::Refused(Close::NotText),
        Ok(Error::Protocol(_)) => Incoming::Refused(Close::Protocol),
        _ => Incoming::Gone,
    }
}
