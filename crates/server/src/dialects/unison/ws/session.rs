//! One socket: a single task reads requests, answers them in order and sends what the subscriptions have to tell.
//!
//! Nothing is queued between reading the feed and sending: while a client does not take what was sent, its task waits,
//! the feed's cursor stands still, and neither writers nor other clients notice. While a request waits for a number of the
//! feed the socket lives on: one more message is taken, and what comes after that stays in the connection.

use std::{sync::Arc, time::Duration};

use manifold_engine as engine;
use tokio::{sync::watch, time::Instant};

use super::{
    super::{
        Unison,
        access::Role,
        call::{self, REACH_TIMEOUT},
        error::Error,
        streams::stopping,
    },
    methods::{self, Get},
    options::{self, Options},
    rpc::{self, Failure, InvalidRequest, Message, Request},
    subscriptions::{Notices, Subscriptions},
};
use crate::{
    http::{
        json::{self, write_bytes_as_str, write_u64},
        ws::{Close, Gone, Incoming, Socket},
    },
    telemetry::StreamKind,
};

/// Serves a socket until it ends or the server stops.
pub(super) async fn run(mut socket: Socket, unison: &Arc<Unison>, role: Role) {
    let _client = unison.metrics.stream(StreamKind::WebSocket);
    let subscriptions = Subscriptions::new(unison.engine.clone(), unison.metrics.clone());
    let shutdown = unison.shutdown.clone();
    let mut session = Session { unison, role, subscriptions, shutdown, underway: Underway::default(), held: None };
    match session.serve(&mut socket).await {
        End::Close(why) => socket.close(why).await,
        End::Gone => {}
    }
}

struct Session<'a> {
    unison: &'a Unison,
    role: Role,
    subscriptions: Subscriptions,
    shutdown: watch::Receiver<bool>,
    underway: Underway,
    /// What happened while that message waited; it comes next.
    held: Option<Result<Incoming, End>>,
}

/// The message that is being answered.
#[derive(Default)]
struct Underway {
    /// When its requests wait no longer, known from the first that does: they have their time together, or a message with
    /// many of them would take as many times as long.
    until: Option<Instant>,
    /// It subscribed to something: the answer to that comes before the first notification.
    subscribed: bool,
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

impl Session<'_> {
    async fn serve(&mut self, socket: &mut Socket) -> End {
        loop {
            let turn = match self.held.take() {
                Some(held) => held.map(Turn::Incoming),
                None => self.turn(socket).await,
            };
            let done = match turn {
                Ok(Turn::Incoming(Incoming::Text(text))) => {
                    let answer = self.answer(socket, text.as_str()).await;
                    self.send(socket, answer.into_iter().collect()).await
                }
                Ok(Turn::Incoming(Incoming::Binary(_))) => Err(End::Close(Close::Unsupported)),
                Ok(Turn::Incoming(Incoming::Refused(why))) => Err(End::Close(why)),
                Ok(Turn::Incoming(Incoming::Gone)) => Err(End::Gone),
                Ok(Turn::Notices(notices)) => self.tell(socket, notices).await,
                Err(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// What happens next.
    async fn turn(&mut self, socket: &mut Socket) -> Result<Turn, End> {
        tokio::select! {
            () = stopping(&mut self.shutdown) => Err(End::Close(Close::GoingAway)),
            incoming = socket.receive() => Ok(Turn::Incoming(incoming)),
            notices = self.subscriptions.next() => Ok(Turn::Notices(notices)),
        }
    }

    /// Tells what the subscriptions have to tell.
    async fn tell(&mut self, socket: &mut Socket, notices: Result<Notices, engine::Error>) -> Result<(), End> {
        match notices {
            Ok(notices) => self.send(socket, notices).await,
            // The feed ends with the engine, or cannot be read any more: a gap must not look like silence.
            Err(_) => Err(End::Close(Close::Failed)),
        }
    }

    /// Sends at the client's pace; a stopping server does not wait for it.
    async fn send(&mut self, socket: &mut Socket, texts: Notices) -> Result<(), End> {
        let send = async {
            for text in texts {
                socket.queue(text).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            // What the client takes at once it gets also at the end.
            biased;
            sent = send => Ok(sent?),
            () = stopping(&mut self.shutdown) => Err(End::Close(Close::GoingAway)),
        }
    }

    /// The answer to a message, if it asks for one.
    async fn answer(&mut self, socket: &mut Socket, text: &str) -> Option<Vec<u8>> {
        self.underway = Underway::default();
        let mut out = Vec::with_capacity(256);
        match Message::parse(text) {
            Message::Refused(failure) => rpc::write_answer(&mut out, "null", Err(&failure)),
            Message::One(request) => self.request(socket, request, &mut out).await,
            Message::Many(requests) => {
                out.push(b'[');
                for request in requests {
                    self.request(socket, request.get(), &mut out).await;
                    if !out.ends_with(b"[") && !out.ends_with(b",") {
                        out.push(b',');
                    }
                }
                if out.pop() == Some(b',') {
                    out.push(b']');
                }
            }
        }
        (!out.is_empty()).then_some(out)
    }

    /// Runs one request and appends its answer, unless it is a notification.
    async fn request(&mut self, socket: &mut Socket, text: &str, out: &mut Vec<u8>) {
        let request = match Request::parse(text) {
            Ok(request) => request,
            Err(InvalidRequest(id)) => return rpc::write_answer(out, id, Err(&Failure::INVALID_REQUEST)),
        };
        let is_stopping = *self.shutdown.borrow();
        // An array of requests must not make an answer without bounds, nor hold up the end: what comes too late in it is
        // not run.
        let result = if out.len() > methods::MAX_RESULT_BYTES {
            Err(Failure::OVERLOADED)
        } else if is_stopping {
            Err(Error::Unavailable.into())
        } else {
            self.run(socket, &request).await
        };
        if let Some(id) = request.id {
            rpc::write_answer(out, id, result.as_deref());
        }
    }

    async fn run(&mut self, socket: &mut Socket, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        let params = request.params.clone();
        match &*request.method {
            "watch/subscribe" => self.subscribe(params?),
            "watch/unsubscribe" => self.unsubscribe(params?),
            "kv/get" => self.get(socket, params?).await,
            method => methods::run(self.unison, self.role, method, params).await,
        }
    }

    async fn get(&mut self, socket: &mut Socket, params: &str) -> Result<Vec<u8>, Failure> {
        let get = Get::parse(params)?;
        if get.min_seq > 0 {
            self.reach(socket, get.min_seq).await?;
        }
        Ok(get.run(&self.unison.engine)?)
    }

    /// Waits until the feed's head is at least `seq`, for as long as the message still may. Meanwhile pings are answered
    /// and changes are told; the wait ends with the server, and when the client is gone.
    async fn reach(&mut self, socket: &mut Socket, seq: u64) -> Result<(), Error> {
        let unison = self.unison;
        let until = *self.underway.until.get_or_insert_with(|| Instant::now() + REACH_TIMEOUT);
        let reached = call::reach(&unison.engine, seq, until.saturating_duration_since(Instant::now()));
        tokio::pin!(reached);
        while self.goes_on() {
            tokio::select! {
                biased;
                reached = &mut reached => return reached,
                () = stopping(&mut self.shutdown) => break,
                incoming = socket.receive(), if self.held.is_none() => self.held = Some(Ok(incoming)),
                notices = self.subscriptions.next(), if !self.underway.subscribed => {
                    if let Err(end) = self.tell(socket, notices).await {
                        self.held = Some(Err(end));
                    }
                }
            }
        }
        call::reach(&unison.engine, seq, Duration::ZERO).await
    }

    /// Whether the client may still take an answer, as far as is known.
    fn goes_on(&self) -> bool {
        matches!(self.held, None | Some(Ok(Incoming::Text(_))))
    }

    fn subscribe(&mut self, params: &str) -> Result<Vec<u8>, Failure> {
        let options = Options::parse(params)?;
        let tree = options.tree.clone();
        let head = self.subscriptions.subscribe(options)?;
        self.underway.subscribed = true;
        let mut out = b"{\"ok\":true,\"namespace\":".to_vec();
        write_bytes_as_str(&mut out, &tree);
        out.extend_from_slice(b",\"seq\":");
        write_u64(&mut out, head);
        out.push(b'}');
        Ok(out)
    }

    fn unsubscribe(&mut self, params: &str) -> Result<Vec<u8>, Failure> {
        let [namespace] = json::members(params, &["namespace"]).map_err(Error::from)?;
        self.subscriptions.unsubscribe(&options::tree(namespace)?);
        Ok(b"{\"ok\":true}".to_vec())
    }
}

enum Turn {
    Incoming(Incoming),
    Notices(Result<Notices, engine::Error>),
}
