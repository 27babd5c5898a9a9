//! One request as an operator sees it: its id, its line in the access log, its place in the metrics.

use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    header::{HeaderName, HeaderValue},
};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// The header of the id, in requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client.
const ID_MAX: usize = 128;

/// A request that is being answered.
#[derive(Debug)]
pub struct Observed {
    started: Instant,
    method: Method,
    target: Uri,
    given_id: Option<HeaderValue>,
    always_named: bool,
}

impl Observed {
    /// Looks at a request before it is handed on.
    pub fn begin<B>(request: &Request<B>) -> Self {
        Observed {
            started: Instant::now(),
            method: request.method().clone(),
            target: request.uri().clone(),
            given_id: given_id(request.headers()),
            always_named: false,
        }
    }

    /// For a dialect whose every answer has an id, and whose ids are letters, digits, `.`, `_` and `-`.
    #[must_use]
    pub fn always_named(mut self) -> Self {
        self.given_id = self.given_id.filter(is_narrow);
        self.always_named = true;
        self
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Counts the answer, logs it and gives it its id. `route` is a template and never a real path. The id is in the answer
    /// when the client sent one, when the log has it, or when all have one.
    pub fn end<B>(
        self,
        dialect: &'static str,
        route: &'static str,
        response: &mut Response<B>,
        count: impl FnOnce(&'static str, &Method, StatusCode, Duration),
    ) {
        let (status, elapsed) = (response.status(), self.started.elapsed());
        count(route, &self.method, status, elapsed);
        // Other 5xx say that the server starts, stops or is full, which lasts, repeats and is logged where it begins.
        let failed = status == StatusCode::INTERNAL_SERVER_ERROR;
        let logged = failed || tracing::enabled!(target: "manifold::access", tracing::Level::DEBUG);
        if !logged && self.given_id.is_none() && !self.always_named {
            return;
        }
        let id = self.given_id.unwrap_or_else(new_id);
        if logged {
            let (method, path, status) = (&self.method, self.target.path(), status.as_u16());
            let (micros, id) = (elapsed.as_micros() as u64, id.to_str().unwrap_or_default());
            if failed {
                tracing::warn!(target: "manifold::access", dialect, %method, path, status, micros, id, "request");
            } else {
                tracing::debug!(target: "manifold::access", dialect, %method, path, status, micros, id, "request");
            }
        }
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

/// The id in an answer that nobody observed, of a dialect whose every answer has one: as [`Observed::always_named`] has it.
pub fn id_of(headers: &HeaderMap) -> HeaderValue {
    given_id(headers).filter(is_narrow).unwrap_or_else(new_id)
}

/// Letters, digits, `.`, `_` and `-`.
fn is_narrow(id: &HeaderValue) -> bool {
    id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// An id is shown in logs: only visible ASCII of a sane length is taken over.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let sane = (1..=ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    sane.then(|| id.clone())
}

/// Unique in this process by its counter, and among processes by a random beginning.
fn new_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = String::with_capacity(28);
    write!(id, "{:012x}-{:x}", *PROCESS >> 16, NEXT.fetch_add(1, Ordering::Relaxed))
        .expect("a string takes everything");
    HeaderValue::from_str(&id).expect("hexadecimal digits are visible ASCII")
}
