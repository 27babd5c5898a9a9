//! Why an operation was refused, on both sides of the socket.

use axum::body::Body;
use hyper::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::http::reply;

/// An operation that was not done, and why: the status says what the caller can do, the sentence what happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    /// 400 and 404: the request; 422: data that cannot be used as it is; 503: not now; 500 and 507: reading or writing
    /// failed.
    pub status: StatusCode,
    /// Lower case, no full stop.
    pub sentence: String,
}

/// The body of an answer that is no success.
#[derive(Serialize, Deserialize)]
struct Wire {
    error: String,
}

impl Refusal {
    /// A refusal with this status.
    pub fn new(status: StatusCode, sentence: impl ToString) -> Refusal {
        Refusal { status, sentence: sentence.to_string() }
    }

    /// As the service sends it.
    pub fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&Wire { error: self.sentence }).expect("a string is always JSON");
        let mut response = reply::json(body);
        *response.status_mut() = self.status;
        response
    }

    /// As the client reads it.
    pub(super) fn parse(status: StatusCode, body: &[u8]) -> Refusal {
        match serde_json::from_slice::<Wire>(body) {
            Ok(wire) => Refusal::new(status, wire.error),
            Err(_) => Refusal::new(status, format!("the process answered {status}")),
        }
    }
}
