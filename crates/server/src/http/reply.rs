//! Answers that every dialect gives in the same form.

use axum::body::Body;
use hyper::{
    Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};

/// The type of a JSON body.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A 200 with a JSON body.
pub fn json(body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// What the client of this method sees: for HEAD the answer of GET without its body.
pub fn for_method(method: &Method, response: Response<Body>) -> Response<Body> {
    if method != Method::HEAD {
        return response;
    }
    let length = hyper::body::Body::size_hint(response.body()).exact();
    let mut response = response.map(|_| Body::empty());
    let has_none = matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    if let Some(length) = length.filter(|_| !has_none) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}
