//! One bounded HTTP call: to a checked address, without redirects, without proxies from the environment, within its time,
//! holding on to no more than was asked for.
//!
//! Nothing that an error says comes from the address that was called or from the one who answered, so it may be shown
//! and logged: an address may hold credentials.

use std::{io, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use hyper::{HeaderMap, Method, StatusCode, header::HeaderValue};
use percent_encoding::percent_decode_str;
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use tokio::time::{Instant, timeout, timeout_at};
use url::{Host, Url};

use super::{Denied, Guard, Limits, tls_config};

/// Shorter than what common servers allow a quiet connection, so that hardly a request meets one that is being closed.
const IDLE: Duration = Duration::from_secs(4);
const IDLE_CONNECTIONS_PER_HOST: usize = 32;
/// What is said of a connection that was there and ended.
const ENDED: [&str; 2] = ["connection ended before the answer", "connection reset"];
/// The status of a refusal does not wait longer for what is said with it.
const REFUSAL: Duration = Duration::from_secs(1);
/// An answer's length is trusted for a reservation up to here.
const RESERVE_MAX: usize = 1 << 20;

/// Makes calls. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    limits: Limits,
}

/// What is asked of an upstream.
#[derive(Debug)]
pub struct Request {
    /// Usually GET or POST.
    pub method: Method,
    /// http or https, without user and password: see [`take_credentials`].
    pub url: Url,
    /// Sent as they are.
    pub headers: HeaderMap,
    /// May be empty.
    pub body: Bytes,
    /// How much is kept of an answer whose status is not 2xx.
    pub refusal_bytes: usize,
    /// Whether it may be sent once more when its connection ended before the answer began: one that was kept from an earlier
    /// call may have been about to be closed.
    pub repeatable: bool,
}

/// What an upstream answered.
#[derive(Debug)]
pub struct Reply {
    /// Any; a redirect is an answer like others.
    pub status: StatusCode,
    /// All of it; of a refusal its beginning.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing there may be connected to.
    #[error("{0}")]
    Denied(Denied),
    /// It took longer than allowed.
    #[error("timed out")]
    TimedOut,
    /// The answer is longer than allowed.
    #[error("the response is too large")]
    TooLarge,
    /// No connection, or one that broke. The reason is one of a few.
    #[error("cannot reach upstream: {0}")]
    Unreachable(&'static str),
}

impl Client {
    /// A client that stays within these bounds.
    pub fn new(guard: Guard, limits: Limits) -> Client {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config())
            .dns_resolver(Checked(guard.clone()))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .user_agent("manifold")
            .connect_timeout(limits.connect)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .build()
            .expect("the TLS configuration is given, and nothing else of a client can fail");
        Client { http, guard, limits }
    }

    /// Asks. The answer is there when all of it has come.
    pub async fn send(&self, request: Request) -> Result<Reply, Error> {
        timeout(self.limits.whole, self.call(request)).await.unwrap_or(Err(Error::TimedOut))
    }

    async fn call(&self, request: Request) -> Result<Reply, Error> {
        self.check_literal(&request.url).await?;
        let mut response = match self.begin(&request).await {
            Err(Error::Unreachable(reason)) if request.repeatable && ENDED.contains(&reason) => {
                self.begin(&request).await
            }
            begun => begun,
        }?;
        let status = response.status();
        let body = if status.is_success() {
            self.whole(&mut response).await?
        } else {
            beginning(&mut response, request.refusal_bytes).await
        };
        Ok(Reply { status, body })
    }

    /// Sends a request; the head of the answer.
    async fn begin(&self, request: &Request) -> Result<reqwest::Response, Error> {
        let Request { method, url, headers, body, .. } = request;
        let sent = self.http.request(method.clone(), url.clone()).headers(headers.clone()).body(body.clone());
        sent.send().await.map_err(|error| explain(&error))
    }

    /// The resolver is only asked about names.
    async fn check_literal(&self, url: &Url) -> Result<(), Error> {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.guard.resolve(&literal, 0).await.map(drop).map_err(Error::Denied)
    }

    async fn whole(&self, response: &mut reqwest::Response) -> Result<Bytes, Error> {
        let most = self.limits.response_bytes;
        let declared = response.content_length().unwrap_or(0);
        if declared > most as u64 {
            return Err(Error::TooLarge);
        }
        let mut body = BytesMut::with_capacity((declared as usize).min(RESERVE_MAX));
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
            if body.len() + chunk.len() > most {
                return Err(Error::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// What came of a refusal, at most so many bytes; a connection that breaks or falls silent meanwhile makes it no other
/// answer.
async fn beginning(response: &mut reqwest::Response, most: usize) -> Bytes {
    let mut body = BytesMut::new();
    // One end for all of it: each piece of a body that comes a byte at a time is quick.
    let end = Instant::now() + REFUSAL;
    while body.len() < most {
        let Ok(Ok(Some(chunk))) = timeout_at(end, response.chunk()).await else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]);
    }
    body.freeze()
}

/// Removes user and password from an address; they come back as what Basic authentication sends for them.
pub fn take_credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = percent_decode_str(url.username()).collect::<Vec<u8>>();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    // An address of http or https always has a host, and only without one do these refuse.
    let removed = url.set_username("").and(url.set_password(None));
    debug_assert!(removed.is_ok(), "an address without a host");
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Looks names up through the guard, so that a connection goes to an address that was checked.
struct Checked(Guard);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            // The port of the address that is called is put in later.
            let found = guard.resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What went wrong with a call, from a closed set of words.
pub fn explain(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut;
    }
    explain_chain(error, error.is_connect())
}

/// What went wrong at the end of a chain of errors, while connecting or later.
pub(super) fn explain_chain(error: &dyn std::error::Error, connecting: bool) -> Error {
    let mut reason = if connecting { "connection failed" } else { "connection broke" };
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(denied) = found.downcast_ref::<Denied>() {
            return Error::Denied(*denied);
        }
        let io = found.downcast_ref::<io::Error>().and_then(io_reason);
        let http = found.downcast_ref::<hyper::Error>().and_then(http_reason);
        reason = io.or(http).unwrap_or(reason);
        cause = found.source();
    }
    Error::Unreachable(reason)
}

/// Why a connection failed or broke, from a closed set of words.
pub fn io_reason(error: &io::Error) -> Option<&'static str> {
    if let Some(inner) = error.get_ref() {
        // One that wraps another error is not its source, and may be wrapped once more.
        return match (inner.downcast_ref::<io::Error>(), inner.downcast_ref::<rustls::Error>()) {
            (Some(inner), _) => io_reason(inner),
            (_, Some(rustls::Error::InvalidCertificate(_))) => Some("certificate not accepted"),
            (_, Some(_)) => Some("TLS handshake failed"),
            (None, None) => None,
        };
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("connection refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Some(ENDED[1]),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no route to host"),
        _ => None,
    }
}

fn http_reason(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse() {
        Some("answer is not HTTP")
    } else if error.is_incomplete_message() {
        Some(ENDED[0])
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
