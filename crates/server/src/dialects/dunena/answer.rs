//! Answers in the form that all of the dialect have.

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;

/// The type of a JSON body.
const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Most answers have as many headers, or fewer.
const HEADERS: usize = 8;

/// With a JSON body.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    typed(status, JSON, body)
}

/// 200 with a JSON body.
pub(super) fn ok(body: impl Into<Bytes>) -> Response<Body> {
    json(StatusCode::OK, body)
}

/// 200 with a value as JSON.
pub(super) fn value(value: &impl Serialize) -> Response<Body> {
    valued(StatusCode::OK, value)
}

/// With a value as JSON.
pub(super) fn valued(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    json(status, serde_json::to_vec(value).expect("writing to memory cannot fail, and no map has keys but strings"))
}

/// 200 with a JSON body known when this was compiled.
pub(super) fn said(body: &'static str) -> Response<Body> {
    ok(Bytes::from_static(body.as_bytes()))
}

/// 200, and an object whose one member is a boolean.
pub(super) fn whether(member: &str, is: bool) -> Response<Body> {
    ok(format!(r#"{{"{member}":{is}}}"#))
}

/// 200, and an object whose one member is a number.
pub(super) fn count(member: &str, number: u64) -> Response<Body> {
    ok(format!(r#"{{"{member}":{number}}}"#))
}

/// With another body.
pub(super) fn typed(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().reserve(HEADERS);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
