//! The metrics listener: `/metrics` and `/health`, nothing else.

use std::sync::Arc;

use axum::body::Body;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use prometheus_client::{encoding::text, registry::Registry};

use crate::net::{Refusal, Service};

#[cfg(test)]
mod tests;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";

/// Serves the one registry of the process.
#[derive(Debug)]
pub struct Exposition(pub Registry);

impl Service for Exposition {
    async fn call(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        self.answer(request.method(), request.uri().path())
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        match refusal {
            Refusal::TargetTooLong => error(StatusCode::URI_TOO_LONG, "URI too long"),
            Refusal::BadHost => error(StatusCode::BAD_REQUEST, "Invalid Host"),
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
            return reply(StatusCode::OK, JSON, r#"{"ok":true}"#.to_owned());
        }
        let mut page = String::new();
        match text::encode(&mut page, &self.0) {
            Ok(()) => reply(StatusCode::OK, OPEN_METRICS, page),
            Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "Metrics could not be written"),
        }
    }
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
