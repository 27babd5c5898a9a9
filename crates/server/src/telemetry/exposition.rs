//! The metrics listener: `/metrics` and `/health`, nothing else.

use std::{net::IpAddr, sync::Arc};

use axum::body::Body;
use futures_util::future::BoxFuture;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::time::Instant;

use crate::net::{Connections, Incoming, Refusal, Service};

#[cfg(test)]
mod tests;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

/// Brings numbers up to date that cannot be read without waiting.
pub type Look = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Serves the one registry of the process.
pub struct Exposition {
    registry: Registry,
    /// What has to be asked before the registry knows it.
    looks: Vec<Look>,
    shards: u32,
    connections: Vec<Arc<Connections>>,
    started: Instant,
}

impl Service for Exposition {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _: IpAddr) -> Response<Body> {
        if request.uri().path() == "/metrics" {
            for look in &self.looks {
                look().await;
            }
        }
        self.answer(request.method(), request.uri().path())
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        match refusal {
            Refusal::TargetTooLong => error(StatusCode::URI_TOO_LONG, "URI too long"),
            Refusal::BadHost => error(StatusCode::BAD_REQUEST, "Invalid Host"),
            Refusal::ForeignHost => error(StatusCode::MISDIRECTED_REQUEST, "Host not allowed"),
            Refusal::AmbiguousLength => error(StatusCode::BAD_REQUEST, "Ambiguous body length"),
            Refusal::Overloaded => {
                let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "Overloaded");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Refusal::Panicked => error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
        }
    }
}

impl Exposition {
    /// Over `registry`; the probe also tells of so many `shards` and the connections of all listeners.
    pub fn new(registry: Registry, shards: u32, connections: Vec<Arc<Connections>>) -> Self {
        Exposition { registry, looks: Vec::new(), shards, connections, started: Instant::now() }
    }

    /// Runs `look` before each page.
    #[must_use]
    pub fn looking(mut self, looks: Vec<Look>) -> Self {
        self.looks = looks;
        self
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if !matches!(path, "/metrics" | "/health") {
            return error(StatusCode::NOT_FOUND, "Not found");
        }
        if method != Method::GET && method != Method::HEAD {
            let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        if path == "/health" {
            let connections: u64 = self.connections.iter().map(|listener| listener.open()).sum();
            let (shards, uptime) = (self.shards, self.started.elapsed().as_secs());
            let body =
                format!(r#"{{"status":"ok","shards":{shards},"uptime_seconds":{uptime},"connections":{connections}}}"#);
            return reply(StatusCode::OK, JSON, body);
        }
        self::answer(&self.registry)
    }
}

/// All samples of a registry, as an answer.
pub fn answer(registry: &Registry) -> Response<Body> {
    match page(registry) {
        Some(page) => reply(StatusCode::OK, TEXT, page),
        None => error(StatusCode::INTERNAL_SERVER_ERROR, "Metrics could not be written"),
    }
}

/// All samples of a registry in the text format; none when a collector cannot write them.
pub(super) fn page(registry: &Registry) -> Option<String> {
    let mut page = String::new();
    text::encode(&mut page, registry).ok()?;
    Some(classic(&page))
}

/// The page in the older text format, which every scraper reads: there a counter's family has the name of its samples,
/// and nothing says where the page ends.
fn classic(page: &str) -> String {
    let mut text = String::with_capacity(page.len() + page.len() / 16);
    // The help of a family comes before its type, so it is held back until that is known.
    let mut help = None;
    for line in page.lines().filter(|line| *line != "# EOF") {
        if let Some(told) = line.strip_prefix("# HELP ") {
            help = told.split_once(' ');
            continue;
        }
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|told| told.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, words)) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", words, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
            continue;
        }
        text.extend([line, "\n"]);
    }
    text
}

fn error(status: StatusCode, message: &'static str) -> Response<Body> {
    reply(status, JSON, format!(r#"{{"error":"{message}"}}"#))
}

fn reply(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
