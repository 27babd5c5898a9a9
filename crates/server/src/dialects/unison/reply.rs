//! Answers over HTTP: compact JSON, and the headers that more than one resource carries.

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{ETAG, HeaderName, HeaderValue},
};

use super::error::Error;
use crate::http::etag::etag;
pub(super) use crate::http::reply::{JSON, for_method, json};

/// What every handler gives.
pub(super) type Reply = Result<Response<Body>, Error>;

/// The feed's number an answer belongs to.
pub(super) const SEQ: HeaderName = HeaderName::from_static("x-unison-seq");
/// Set on a page of changes when older ones than asked for are gone.
pub(super) const TRUNCATED: HeaderName = HeaderName::from_static("x-unison-truncated");
/// Where a walk goes on.
pub(super) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
/// The value of a header that only says yes.
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");

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
