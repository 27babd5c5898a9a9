//! Sockets: accept, caps, timers, HTTP/1.1 by hyper, drain. Knows no dialect: it serves a [`Service`].
//!
//! `listen` accepts and drains, `local` does so on a Unix socket, `connection` drives one connection, `socket` is the byte
//! stream under hyper, `pulse` what a connection is doing and until when it may, `head` the checks that hyper does not
//! make, `hosts` whom requests may be for, `incoming` the body, `budget` what all listeners may hold together, `receipt` tells
//! a service that its answer was lost, `tls` encrypts.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use axum::body::Body;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

mod budget;
mod connection;
mod connections;
mod head;
mod hosts;
#[cfg(any(test, fuzzing))]
pub(crate) mod in_memory;
mod incoming;
mod listen;
mod local;
mod pulse;
mod receipt;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

pub use budget::{Account, Budget, NoRoom};
pub use connections::Connections;
pub use hosts::{Hosts, is_local, without_port};
pub use incoming::{Broken, Incoming};
pub use listen::{Listener, Options};
pub use local::{LocalListener, connect};
pub use receipt::Receipt;
pub use tls::{Handshake, Identity, Tls, TlsFile, TlsFiles, TlsOptions, TlsVersion, Unusable};

/// What a listener serves: one dialect.
pub trait Service: Send + Sync + 'static {
    /// Answers one request of a client at `peer` whose head passed the listener's checks. One that came over TLS has
    /// [`Scheme::HTTPS`](hyper::http::uri::Scheme) among its extensions.
    fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> impl Future<Output = Response<Body>> + Send;

    /// How the dialect spells an error that was found before it was asked.
    fn refuse(&self, refusal: Refusal) -> Response<Body>;

    /// Headers of a request that [`Service::complete`] looks for. They are kept while the request is answered, for the case
    /// that its handler panics.
    fn repeated(&self) -> &'static [HeaderName] {
        &[]
    }

    /// Adds to an answer that no handler made what all answers to a request with these headers have.
    fn complete(&self, _: &HeaderMap, response: Response<Body>) -> Response<Body> {
        response
    }

    /// How the dialect spells that a head was cut. Asked only where [`Options::head_bytes`] is set.
    fn cut(&self, cut: Cut) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = match cut {
            Cut::TooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Cut::TooSlow => StatusCode::REQUEST_TIMEOUT,
        };
        response
    }

    /// What a client gets that speaks plain HTTP where TLS is spoken.
    fn plaintext(&self) -> Response<Body> {
        let mut response = Response::new(Body::from("this port speaks TLS: https, not http\n"));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

/// A [`Service`] of any kind: what drives connections is compiled for all dialects once, not once for each.
pub trait AnyService: Send + Sync + 'static {
    /// [`Service::call`], boxed: it is the largest by far of the futures that are put together for a request.
    fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Answering;

    /// [`Service::refuse`].
    fn refuse(&self, refusal: Refusal) -> Response<Body>;

    /// [`Service::repeated`].
    fn repeated(&self) -> &'static [HeaderName];

    /// [`Service::complete`].
    fn complete(&self, headers: &HeaderMap, response: Response<Body>) -> Response<Body>;

    /// [`Service::cut`].
    fn cut(&self, cut: Cut) -> Response<Body>;

    /// [`Service::plaintext`].
    fn plaintext(&self) -> Response<Body>;
}

/// A request that is being answered.
pub type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

impl<S: Service> AnyService for S {
    fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Answering {
        Box::pin(Service::call(self, request, peer))
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        Service::refuse(self, refusal)
    }

    fn repeated(&self) -> &'static [HeaderName] {
        Service::repeated(self)
    }

    fn complete(&self, headers: &HeaderMap, response: Response<Body>) -> Response<Body> {
        Service::complete(self, headers, response)
    }

    fn cut(&self, cut: Cut) -> Response<Body> {
        Service::cut(self, cut)
    }

    fn plaintext(&self) -> Response<Body> {
        Service::plaintext(self)
    }
}

/// Why the rest of a head was not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It is longer than any acceptable one: 431.
    TooLong,
    /// It took longer than the listener's patience: 408.
    TooSlow,
}

/// An error found by the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request target is longer than 32 KiB: 414.
    TargetTooLong,
    /// No `Host`, several, or one that is no host: 400.
    BadHost,
    /// A `Host` that the listener does not serve: 421.
    ForeignHost,
    /// Both Content-Length and Transfer-Encoding: 400.
    AmbiguousLength,
    /// The connection cap of the listener, or of all of them together, is reached: 503 with `Retry-After: 1`, then close.
    Overloaded,
    /// A handler panicked: 500.
    Panicked,
}
