//! One connection, from its first byte to its last.

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body as _, Frame, SizeHint};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, UPGRADE},
    http::uri::Scheme,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Account, AnyService, Hosts, Incoming, Refusal,
    connections::{Admission, Connections, Permit},
    head,
    pulse::{Patience, Pulse},
    receipt::Receipt,
    socket::{Socket, Stream},
    tls::Tls,
};

/// Bytes of a head at most, the request line included; beyond, hyper answers 431.
const HEAD_MAX: usize = 96 << 10;
/// A name, a colon and the end of the line.
const SHORTEST_HEADER: usize = 4;
/// Bytes that are buffered for a connection in each direction before the other side has to wait.
const BUFFER_MAX: usize = 128 << 10;
/// A client at the cap is told so quickly or not at all.
const TURN_AWAY: Patience = Patience { head: Duration::from_secs(2), idle: Duration::from_secs(2) };

/// What the connections of a listener share.
pub(super) struct Shared {
    pub service: Arc<dyn AnyService>,
    pub connections: Arc<Connections>,
    pub patience: Patience,
    /// Most bytes of headers, where a dialect has a limit and an answer of its own for them.
    pub head_bytes: Option<usize>,
    /// Names that requests may be for.
    pub hosts: Hosts,
    /// Where set, connections begin with a handshake.
    pub tls: Option<Arc<Tls>>,
    pub shutdown: watch::Receiver<bool>,
}

/// What is spoken below HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing.
    Plain,
    /// TLS.
    Tls,
    /// Nothing, where it should be TLS: the client is told so.
    PlainForTls,
}

/// Serves one connection until it ends, fails, loses patience, or has finished its request after the shutdown began.
pub(super) async fn serve(io: impl Stream, below: Below, peer: IpAddr, permit: Permit, shared: Arc<Shared>) {
    let admission = permit.admission();
    let patience = patience(admission, below, shared.patience);
    let pulse = Pulse::new(shared.head_bytes);
    let account = Account::open(shared.connections.budget().clone());
    let socket = TokioIo::new(Socket::new(io, pulse.clone(), account.clone(), permit));

    let link = Link { shared: shared.clone(), below, peer, admission, pulse: pulse.clone(), account };
    let link = Arc::new(link);
    let service = service_fn(|request| answer(link.clone(), request));
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_header_size(HEAD_MAX).max_buf_size(BUFFER_MAX);
    if shared.head_bytes.is_some() {
        // Where bytes are counted, lines are not.
        builder.max_headers(HEAD_MAX / SHORTEST_HEADER);
    }
    let connection = builder.serve_connection(socket, service).with_upgrades();

    let mut connection = pin!(connection);
    let down = shared.shutdown.clone();
    let mut shutdown = shared.shutdown.clone();
    let mut shutdown = pin!(shutdown.wait_for(|down| *down).fuse());
    let mut alarm = pin!(sleep_until(Instant::now() + patience.idle));
    // Both wake this task by themselves once they were polled, as its waker never changes: a busy connection asks them
    // for each request only what costs no lock.
    let (mut shutdown_armed, mut alarm_armed) = (false, false);
    std::future::poll_fn(|cx| {
        'polling: loop {
            loop {
                // How it failed is of no use: the client is gone, or was told by hyper.
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if shutdown_armed && !down.has_changed().unwrap_or(true) {
                    break;
                }
                shutdown_armed = true;
                if shutdown.as_mut().poll(cx).is_pending() {
                    break;
                }
                connection.as_mut().graceful_shutdown();
            }
            // The alarm is only ever moved to an earlier time, or when it rings: a busy connection does not touch the timer
            // for each request.
            loop {
                let deadline = pulse.deadline(patience);
                if let Some(sooner) = deadline.filter(|deadline| *deadline < alarm.deadline()) {
                    alarm.as_mut().reset(sooner);
                    alarm_armed = false;
                }
                if alarm_armed && !alarm.is_elapsed() {
                    return Poll::Pending;
                }
                alarm_armed = true;
                if alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                alarm_armed = false;
                let now = Instant::now();
                match deadline {
                    // It is polled once more, to read the end that its head has now.
                    Some(deadline) if deadline <= now && pulse.expire() => continue 'polling,
                    Some(deadline) if deadline <= now => return Poll::Ready(()),
                    Some(deadline) => alarm.as_mut().reset(deadline),
                    None => alarm.as_mut().reset(now + patience.idle),
                }
            }
        }
    })
    .await;
}

/// How long a client is waited for that is served, and one that is only told why not.
pub(super) fn patience(admission: Admission, below: Below, served: Patience) -> Patience {
    if admission == Admission::Served && below != Below::PlainForTls { served } else { TURN_AWAY }
}

/// What each request of a connection needs; a reference count of its own keeps the connections of other threads out.
struct Link {
    shared: Arc<Shared>,
    below: Below,
    peer: IpAddr,
    admission: Admission,
    pulse: Pulse,
    /// Of the request that is being answered: there is one at a time.
    account: Account,
}

async fn answer(link: Arc<Link>, mut request: Request<hyper::body::Incoming>) -> Result<Response<Answer>, Infallible> {
    let Link { shared, below, peer, admission, pulse, account } = &*link;
    let checked = pulse.begin(!request.body().is_end_stream(), |raw| match admission {
        Admission::Served => head::check(&request, raw, &shared.hosts),
        Admission::TurnedAway => Err(Refusal::Overloaded),
    });
    let cut = pulse.take_cut();
    let mut close = checked.is_err() || cut.is_some() || *below == Below::PlainForTls;
    if *below == Below::Tls {
        request.extensions_mut().insert(Scheme::HTTPS);
    }
    let mut response = match (cut, checked) {
        _ if *below == Below::PlainForTls => shared.service.complete(request.headers(), shared.service.plaintext()),
        (Some(cut), _) => shared.service.complete(request.headers(), shared.service.cut(cut)),
        (None, Err(refusal)) => shared.service.complete(request.headers(), shared.service.refuse(refusal)),
        (None, Ok(())) => {
            let (service, peer) = (shared.service.clone(), *peer);
            let kept = kept(request.headers(), service.repeated());
            let mut request = request.map(|body| Incoming::new(body, account.clone()));
            if request.headers().contains_key(UPGRADE) {
                request.extensions_mut().insert(account.clone());
            }
            // What a handler shares with others is locked without poisoning and changed in one step, or it belongs to
            // the engine, which commits whole batches: a handler that stops in the middle leaves nothing half done.
            let answered = AssertUnwindSafe(service.call(request, peer)).catch_unwind().await;
            account.settle();
            match answered {
                Ok(response) => response,
                Err(_) => {
                    shared.connections.panicked();
                    close = true;
                    shared.service.complete(&HeaderMap::from_iter(kept), shared.service.refuse(Refusal::Panicked))
                }
            }
        }
    };
    if close {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        pulse.upgrade();
    } else if !is_event_stream(&response) && !response.body().is_end_stream() {
        pulse.answer();
    }
    let receipt = response.extensions_mut().remove::<Receipt>();
    Ok(response.map(|body| Answer { body, pulse: pulse.clone(), receipt }))
}

/// Those headers of a request that have one of these names. Few requests have any: then this takes no memory.
fn kept(headers: &HeaderMap, names: &[HeaderName]) -> Vec<(HeaderName, HeaderValue)> {
    names.iter().filter_map(|name| headers.get(name).map(|value| (name.clone(), value.clone()))).collect()
}

/// A stream that ends when the client wants, and that waits for a client that does not read.
fn is_event_stream(response: &Response<Body>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A response's body that tells when the service is done with it.
struct Answer {
    body: Body,
    pulse: Pulse,
    receipt: Option<Receipt>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.pulse.end(self.receipt.take());
    }
}
