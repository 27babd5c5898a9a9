//! One connection: a single task reads a frame, answers it, and tells what happened to the cache meanwhile.
//!
//! Nothing is queued on the way to the client: while it takes nothing, this task waits, and events wait in the bounded
//! ring that all connections read. A client that leaves too many of them there is closed.

use std::{net::IpAddr, time::Duration};

use manifold_engine::cache::CacheEvent;
use tokio::{sync::watch, time::interval};

use super::{
    event,
    following::{Behind, Following},
    frame::{self, Ground},
    write,
};
use crate::{
    dialects::dunena::Dunena,
    http::{
        uuid,
        windows::Windows,
        ws::{Close, Gone, Incoming, Socket},
    },
};

/// Frames in a second; those beyond are answered with an error and not read.
const FRAMES_PER_SECOND: u64 = 100;
/// Events that are sent before it is looked again what else there is.
const BATCH: usize = 64;
/// A client that takes longer for what it is sent is asked how much it leaves lying.
const STALL_NOTICED: Duration = Duration::from_millis(100);

/// Serves a connection until it ends or the server stops.
pub(super) async fn run(mut socket: Socket, dunena: &Dunena, client: IpAddr) {
    let mut session = Session {
        dunena,
        client,
        following: Following::new(&dunena.cache),
        frames: Windows::new(Duration::from_secs(1)),
        shutdown: dunena.shutdown.clone(),
    };
    if let Err(End::Close(why)) = session.serve(&mut socket).await {
        if why == Close::Behind {
            dunena.metrics.fallen_behind.inc();
        }
        socket.close(why).await;
    }
}

struct Session<'a> {
    dunena: &'a Dunena,
    /// Whom limits of namespaces count for.
    client: IpAddr,
    following: Following,
    frames: Windows<()>,
    shutdown: watch::Receiver<bool>,
}

/// How a session ends.
enum End {
    Close(Close),
    Gone,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        End::Gone
    }
}

impl From<Behind> for End {
    fn from(Behind: Behind) -> Self {
        End::Close(Close::Behind)
    }
}

impl Session<'_> {
    async fn serve(&mut self, socket: &mut Socket) -> Result<(), End> {
        let connected = write::connected(&uuid::random(), self.dunena.engine.now());
        self.send(socket, vec![connected]).await?;
        loop {
            tokio::select! {
                () = stopping(&mut self.shutdown) => return Err(End::Close(Close::GoingAway)),
                event = self.following.next() => {
                    let first = event?;
                    let rest = self.following.take(BATCH - 1)?;
                    self.tell([first].into_iter().chain(rest), socket).await?;
                }
                incoming = socket.receive() => match incoming {
                    Incoming::Text(text) => self.answer(text.as_bytes(), socket).await?,
                    Incoming::Binary(bytes) => self.answer(&bytes, socket).await?,
                    Incoming::Refused(why) => return Err(End::Close(why)),
                    Incoming::Gone => return Err(End::Gone),
                },
            }
        }
    }

    /// Answers a frame. What it did, and what others did before, is told first.
    async fn answer(&mut self, frame: &[u8], socket: &mut Socket) -> Result<(), End> {
        let now = self.dunena.engine.now();
        let answer = match self.frames.count((), FRAMES_PER_SECOND, now).allowed {
            true => {
                let Dunena { cache, namespace_limits, .. } = self.dunena;
                let count_for = |namespace: &str| namespace_limits.admit(namespace, || self.client, || now);
                frame::answer(Ground { cache, count_for: &count_for, now }, &mut self.following, frame)
            }
            false => Some(write::error("Rate limit exceeded", now)),
        };
        let Some(answer) = answer else { return Ok(()) };
        let mut before = self.following.waiting();
        while before > 0 {
            let Ok(events) = self.following.take(before.min(BATCH)) else {
                // Its own step had more events than are kept. It was done, and its sender is told that before it goes.
                self.send(socket, vec![answer]).await?;
                return Err(Behind.into());
            };
            // One piece after the other, so that what others do meanwhile does not put off the answer for ever.
            before = before.saturating_sub(BATCH);
            self.tell(events, socket).await?;
        }
        self.send(socket, vec![answer]).await
    }

    async fn tell(&mut self, events: impl IntoIterator<Item = CacheEvent>, socket: &mut Socket) -> Result<(), End> {
        let now = self.dunena.engine.now();
        let messages = events.into_iter().map(|event| event::message(&event, now)).collect();
        self.send(socket, messages).await
    }

    /// Sends at the client's pace, until it leaves too much lying meanwhile; a stopping server does not wait for it.
    async fn send(&mut self, socket: &mut Socket, messages: Vec<Vec<u8>>) -> Result<(), End> {
        let Session { following, shutdown, .. } = self;
        let send = async {
            for message in messages {
                socket.queue(message).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            biased;
            sent = send => Ok(sent?),
            () = fell_behind(following) => Err(End::Close(Close::Behind)),
            () = stopping(shutdown) => Err(End::Close(Close::GoingAway)),
        }
    }
}

/// Completes when too much waits for a client that has taken nothing for a while.
async fn fell_behind(following: &Following) {
    let mut look = interval(STALL_NOTICED);
    look.tick().await;
    loop {
        look.tick().await;
        if following.is_behind() {
            return;
        }
    }
}

/// Completes when the server begins to stop.
async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone stops nobody any more, and means the same.
    shutdown.wait_for(|stopping| *stopping).await.ok();
}
