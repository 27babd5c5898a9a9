//! An answer before it is sent.

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY},
};

use super::{
    commands::Done,
    envelope::{self, Id},
    error::Error,
    handed::Handed,
    rate::Counted,
};
use crate::http::{gzip, reply::JSON};

/// Shorter answers are not worth compressing.
const WORTH_BYTES: usize = 1024;
/// Longer ones take longer than a worker should be kept from others.
const LONG_BYTES: usize = 1 << 20;

/// How a route spells an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the envelope of commands.
    Envelope,
    /// Without it.
    Bare,
    /// As a text alone.
    Flat,
}

/// Status, headers, and a body in one piece.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// What is left of the caller's requests, if they are counted.
    pub(super) rate: Option<Counted>,
    /// Messages in it.
    pub(super) handed: Vec<Handed>,
}

impl Answer {
    /// Without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Answer { status, headers: HeaderMap::new(), body: Vec::new(), rate: None, handed: Vec::new() }
    }

    /// One that the body of another protocol follows.
    pub(super) fn switching(response: Response<Body>) -> Self {
        let (parts, _) = response.into_parts();
        Answer { headers: parts.headers, ..Answer::empty(parts.status) }
    }

    /// With a JSON body.
    pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Answer::typed(status, JSON, body)
    }

    /// That of a command that was done.
    pub(super) fn done(done: Done, body: Vec<u8>) -> Self {
        let status = done.status();
        Answer { handed: done.handed().into_iter().collect(), ..Answer::json(status, body) }
    }

    /// With another body.
    pub(super) fn typed(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, content_type);
        Answer { status, headers, body, rate: None, handed: Vec::new() }
    }

    /// An error that nobody has an id for.
    pub(super) fn refused(error: &Error, form: Form) -> Self {
        let mut body = Vec::new();
        match form {
            Form::Envelope => envelope::write_error(&mut body, Some(&Id::fresh()), error),
            Form::Bare => body = envelope::bare_error(error),
            Form::Flat => body = envelope::flat_error(error),
        }
        let mut answer = Answer::json(error.status(), body);
        error.add_headers(&mut answer.headers);
        answer
    }

    /// Compressed, if it is worth it: where blocking is allowed, if it is long.
    pub(super) async fn compressed(mut self) -> Self {
        if self.body.len() <= WORTH_BYTES {
            return self;
        }
        let body = Bytes::from(std::mem::take(&mut self.body));
        let squeezed = match body.len() {
            0..LONG_BYTES => Some(gzip::encode(&body)),
            _ => {
                let body = body.clone();
                tokio::task::spawn_blocking(move || gzip::encode(&body)).await.ok()
            }
        };
        match squeezed {
            Some(squeezed) => {
                self.body = squeezed;
                self.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                self.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
            }
            None => self.body = body.into(),
        }
        self
    }

    /// What is sent.
    pub(super) fn into_response(self) -> Response<Body> {
        let Answer { status, mut headers, body, rate, .. } = self;
        if let Some(rate) = rate {
            rate.add_headers(&mut headers);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}
