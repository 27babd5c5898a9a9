//! Answers over HTTP: compact JSON, and the headers that more than one resource carries.

use axum::body::Body;
use hyper::{
    Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue},
};

use super::error::Error;

/// What every handler gives.
pub(super) type Reply = Result<Response<Body>, Error>;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The feed's number an answer belongs to.
pub(super) const SEQ: HeaderName = HeaderName::from_static("x-unison-seq");
/// Set on a page of changes when older ones than asked for are gone.
pub(super) const TRUNCATED: HeaderName = HeaderName::from_static("x-unison-truncated");
/// Where a walk goes on.
pub(super) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
/// The value of a header that only says yes.
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");

/// A 200 with a JSON body.
pub(super) fn json(body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// A 200 with a JSON body about the state at `seq`.
pub(super) fn json_at(seq: u64, body: impl Into<Body>) -> Response<Body> {
    let mut response = json(body);
    response.headers_mut().insert(SEQ, number(seq));
    response
}

/// A 200 with an entry of this version.
pub(super) fn entry(seq: u64, version: u64, body: Vec<u8>) -> Response<Body> {
    let mut response = json_at(seq, body);
    response.headers_mut().insert(ETAG, etag(version));
    response
}

/// A 304: the client has this version already.
pub(super) fn not_modified(seq: u64, version: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(SEQ, number(seq));
    response.headers_mut().insert(ETAG, etag(version));
    response
}

/// The header value of a number.
pub(super) fn number(number: u64) -> HeaderValue {
    HeaderValue::from(number)
}

/// What the client of this method sees: for HEAD the answer of GET without its body.
pub(super) fn for_method(method: &Method, response: Response<Body>) -> Response<Body> {
    if method != Method::HEAD {
        return response;
    }
    let length = hyper::body::Body::size_hint(response.body()).exact();
    let mut response = response.map(|_| Body::empty());
    if let Some(length) = length.filter(|_| response.status() != StatusCode::NOT_MODIFIED) {
        response.headers_mut().insert(CONTENT_LENGTH, number(length));
    }
    response
}

fn etag(version: u64) -> HeaderValue {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(version).as_bytes();
    let mut tag = Vec::with_capacity(digits.len() + 2);
    tag.push(b'"');
    tag.extend_from_slice(digits);
    tag.push(b'"');
    HeaderValue::from_maybe_shared(bytes::Bytes::from(tag)).expect("digits in quotes are a header value")
}
