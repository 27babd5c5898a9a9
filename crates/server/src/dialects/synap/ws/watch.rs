//! Connections on which nothing is asked: what they are told was named when they were opened.

use tokio::sync::watch;

use super::{
    super::{
        Synap,
        access::Caller,
        envelope::{self, Request},
        error::Error,
        object::Object,
        payload,
    },
    outgoing::{End, send, stopping},
    push,
};
use crate::http::{
    query::Query,
    ws::{Close, Incoming, Socket, Utf8Bytes},
};

/// Where the texts come from that a connection is told.
pub(super) trait Source: Send + 'static {
    /// What the connection is told first.
    fn greeting(&self) -> Vec<u8>;

    /// The next texts, at least one, or why none will come. May be dropped and called again without loss.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Vec<u8>>, Close>> + Send;

    /// Completes when more waited than may.
    fn fell_behind(&self) -> impl Future<Output = ()> + Send;
}

/// Serves a connection until it ends or the server stops.
pub(super) async fn run(mut socket: Socket, synap: &Synap, caller: Caller, mut source: impl Source) {
    let mut shutdown = synap.shutdown.clone();
    if let End::Close(why) = serve(&mut socket, synap, caller, &mut source, &mut shutdown).await {
        socket.close(why).await;
    }
}

async fn serve(
    socket: &mut Socket,
    synap: &Synap,
    caller: Caller,
    source: &mut impl Source,
    shutdown: &mut watch::Receiver<bool>,
) -> End {
    let mut texts = vec![source.greeting()];
    loop {
        if let Err(end) = send(socket, texts, source.fell_behind(), shutdown).await {
            return end;
        }
        texts = tokio::select! {
            () = stopping(shutdown) => return End::Close(Close::GoingAway),
            () = synap.expired(caller) => return End::Close(Close::Expired),
            next = source.next() => match next {
                Ok(texts) => texts,
                Err(why) => return End::Close(why),
            },
            incoming = socket.receive() => match incoming {
                Incoming::Text(text) => vec![answer(synap, caller, &text)],
                Incoming::Binary(_) => vec![push::refusal(&Error::BINARY_FRAME)],
                Incoming::Refused(why) => return End::Close(why),
                Incoming::Gone => return End::Gone,
            },
        };
        // Whatever came at that moment.
        if caller.has_expired(synap.engine.now()) {
            return End::Close(Close::Expired);
        }
    }
}

/// The answer to a text: somebody is there, but takes no commands.
fn answer(synap: &Synap, caller: Caller, text: &Utf8Bytes) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let (id, request) = envelope::read(text.as_bytes());
    let asked = synap.count(&caller).1.and(request);
    match asked {
        Ok(Request::Ping) => envelope::write_pong(&mut out, synap.engine.now()),
        Ok(Request::One(_) | Request::Batch(_)) => {
            let error = Error::Request("Commands are taken on /api/v1/ws".into());
            envelope::write_error(&mut out, id.as_ref(), &error);
        }
        Err(error) => envelope::write_error(&mut out, id.as_ref(), &error),
    }
    out
}

/// What a connection is told first.
pub(super) fn connected(subscriber: &str, topics: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    Object::new(&mut out)
        .text("type", "connected")
        .text("subscriber_id", subscriber)
        .names("topics", topics.iter().map(Vec::as_slice))
        .number("subscription_count", topics.len() as u64)
        .close();
    out
}

/// What a parameter lists between commas; it must name something.
pub(super) fn listed<'q>(query: &'q Query<'_>, name: &'static str, most: usize) -> Result<Vec<&'q str>, Error> {
    let given = query.text(name).unwrap_or_default();
    let items: Vec<&str> = given.split(',').filter(|item| !item.is_empty()).collect();
    match items.len() {
        0 => Err(Error::Missing(name.into())),
        count if count > most => Err(payload::too_many(name, most)),
        _ => Ok(items),
    }
}
