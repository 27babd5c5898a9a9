//! One socket: a single task reads requests, answers them in order and sends what the subscriptions have to tell.
//!
//! Nothing is queued between reading the feed and sending: while a client does not take what was sent, its task waits,
//! the feed's cursor stands still, and neither writers nor other clients notice.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    super::{Unison, access::Role, streams::stopping},
    methods,
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
    let mut session = Session { unison, role, subscriptions, shutdown: unison.shutdown.clone() };
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
            let turn = tokio::select! {
                () = stopping(&mut self.shutdown) => Err(End::Close(Close::GoingAway)),
                incoming = socket.receive() => Ok(Turn::Incoming(incoming)),
                // The feed ends with the engine, or cannot be read any more: a gap must not look like silence.
                notices = self.subscriptions.next() => notices.map(Turn::Notices).map_err(|_| End::Close(Close::Failed)),
            };
            let done = match turn {
                Ok(Turn::Incoming(Incoming::Text(text))) => {
                    let answer = self.answer(text.as_str()).await;
                    self.send(socket, answer.into_iter().collect()).await
                }
                Ok(Turn::Incoming(Incoming::Binary(_))) => Err(End::Close(Close::Unsupported)),
                Ok(Turn::Incoming(Incoming::Refused(why))) => Err(End::Close(why)),
                Ok(Turn::Incoming(Incoming::Gone)) => Err(End::Gone),
                Ok(Turn::Notices(notices)) => self.send(socket, notices).await,
                Err(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
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
            sent = send => Ok(sent?),
            () = stopping(&mut self.shutdown) => Err(End::Close(Close::GoingAway)),
        }
    }

    /// The answer to a message, if it asks for one.
    async fn answer(&mut self, text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(256);
        match Message::parse(text) {
            Message::Refused(failure) => rpc::write_answer(&mut out, "null", Err(&failure)),
            Message::One(request) => self.request(request, &mut out).await,
            Message::Many(requests) => {
                out.push(b'[');
                for request in requests {
                    self.request(request.get(), &mut out).await;
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
    async fn request(&mut self, text: &str, out: &mut Vec<u8>) {
        let request = match Request::parse(text) {
            Ok(request) => request,
            Err(InvalidRequest(id)) => return rpc::write_answer(out, id, Err(&Failure::INVALID_REQUEST)),
        };
        // An array of requests must not make an answer without bounds: what comes too late in it is not run.
        let result =
            if out.len() > methods::MAX_RESULT_BYTES { Err(Failure::OVERLOADED) } else { self.run(&request).await };
        if let Some(id) = request.id {
            rpc::write_answer(out, id, result.as_deref());
        }
    }

    async fn run(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        match &*request.method {
            "watch/subscribe" => self.subscribe(request.params.clone()?),
            "watch/unsubscribe" => self.unsubscribe(request.params.clone()?),
            method => methods::run(&self.unison.engine, self.role, method, request.params.clone()).await,
        }
    }

    fn subscribe(&mut self, params: &str) -> Result<Vec<u8>, Failure> {
        let options = Options::parse(params)?;
        let tree = options.tree.clone();
        let head = self.subscriptions.subscribe(options)?;
        let mut out = b"{\"ok\":true,\"namespace\":".to_vec();
        write_bytes_as_str(&mut out, &tree);
        out.extend_from_slice(b",\"seq\":");
        write_u64(&mut out, head);
        out.push(b'}');
        Ok(out)
    }

    fn unsubscribe(&mut self, params: &str) -> Result<Vec<u8>, Failure> {
        let [namespace] = json::members(params, &["namespace"]).map_err(super::super::error::Error::from)?;
        self.subscriptions.unsubscribe(&options::tree(namespace)?);
        Ok(b"{\"ok\":true}".to_vec())
    }
}

enum Turn {
    Incoming(Incoming),
    Notices(Notices),
}
