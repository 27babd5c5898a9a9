//! Pages of other people's sites, asked for byte by byte as the caller says: no target is rewritten, no header is added
//! but `Host`, no redirect is followed, no proxy of the environment is used. Connections are kept for a moment and shared
//! by whoever asks the same host.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::{HeaderMap, Request, Response, Uri, body::Body, body::Incoming};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{
        self,
        connect::{HttpConnector, dns::Name},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{
    net::TcpStream,
    time::{error::Elapsed, timeout},
};
use tower_service::Service;

use super::{Denied, Error, Guard, client::explain_chain, tls_config};

#[cfg(test)]
mod tests;

/// Shorter than what common servers allow a quiet connection, so that hardly a request meets one that is being closed.
const IDLE: Duration = Duration::from_secs(4);
const IDLE_CONNECTIONS_PER_HOST: usize = 32;
/// Longest head of an answer.
const HEAD_BYTES: usize = 64 << 10;
/// Most headers of an answer. While a head is read, 64 bytes are set aside for each of so many.
const HEADERS: usize = 1000;
/// A body's length is trusted for a reservation up to here.
const RESERVE_MAX: u64 = 1 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Later<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Asks for pages. Clones share connections.
#[derive(Debug, Clone)]
pub struct Fetcher(legacy::Client<Connector, Empty<Bytes>>);

impl Fetcher {
    /// One that connects where the guard permits, in this time from the look-up of a name to the end of the TLS
    /// handshake.
    pub fn new(guard: Guard, connect: Duration) -> Fetcher {
        let mut http = HttpConnector::new_with_resolver(Checked(guard.clone()));
        // https is what wraps it.
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = Connector { guard, connect, inner: HttpsConnector::from((http, tls_config())) };
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .http1_max_buf_size(HEAD_BYTES)
            .http1_max_headers(HEADERS)
            // Some sites write heads like that, and browsers read them.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .build(connector);
        Fetcher(client)
    }

    /// The head of the answer to a GET; whoever waits sets the limit of time.
    pub async fn get(&self, uri: Uri, headers: HeaderMap) -> Result<Response<Incoming>, Error> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        self.0.request(request).await.map_err(|error| {
            let timed_out = causes(&error).any(|cause| cause.is::<Elapsed>());
            if timed_out { Error::TimedOut } else { explain_chain(&error, error.is_connect()) }
        })
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// All of a body, at most so many bytes.
pub async fn collect(mut body: Incoming, most: u64) -> Result<Bytes, Error> {
    let declared = body.size_hint().exact().unwrap_or(0);
    if declared > most {
        return Err(Error::TooLarge);
    }
    let mut whole = BytesMut::with_capacity(usize::try_from(declared.min(RESERVE_MAX)).unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| explain_chain(&error, false))?;
        let Ok(piece) = frame.into_data() else { continue };
        if (whole.len() + piece.len()) as u64 > most {
            return Err(Error::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Connects to addresses that were checked.
#[derive(Clone)]
struct Connector {
    guard: Guard,
    connect: Duration,
    inner: HttpsConnector<HttpConnector<Checked>>,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Failure;
    type Future = Later<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Connector { guard, connect, mut inner } = self.clone();
        let connecting = async move {
            check_literal(&guard, &uri).await?;
            poll_fn(|context| inner.poll_ready(context)).await?;
            inner.call(uri).await
        };
        Box::pin(async move { timeout(connect, connecting).await? })
    }
}

/// The resolver is only asked about names.
async fn check_literal(guard: &Guard, uri: &Uri) -> Result<(), Denied> {
    let host = uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if bare.parse::<std::net::IpAddr>().is_err() {
        return Ok(());
    }
    guard.resolve(bare, 0).await.map(drop)
}

/// Looks names up through the guard, so that a connection goes to an address that was checked.
#[derive(Debug, Clone)]
struct Checked(Guard);

impl Service<Name> for Checked {
    type Response = vec::IntoIter<std::net::SocketAddr>;
    type Error = Failure;
    type Future = Later<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.0.clone();
        // The port of the address that is called is put in later.
        Box::pin(async move { Ok(guard.resolve(name.as_str(), 0).await?.into_iter()) })
    }
}
