//! The envelope of answers, in the form that the configuration wants.

use axum::body::Body;
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::config::ResponseFormat;
use crate::http::{json, reply};

impl ResponseFormat {
    /// Success with data.
    pub(super) fn data(self, data: &impl Serialize) -> Response<Body> {
        let mut body = self.opening(true);
        body.extend_from_slice(br#","data":"#);
        serde_json::to_writer(&mut body, data).expect("writing to memory cannot fail, and no map has keys but strings");
        finished(StatusCode::OK, body)
    }

    /// Success without data.
    pub(super) fn message(self, message: &str) -> Response<Body> {
        self.said(StatusCode::OK, true, message)
    }

    /// An error.
    pub(super) fn error(self, status: StatusCode, message: &str) -> Response<Body> {
        self.said(status, false, message)
    }

    fn said(self, status: StatusCode, success: bool, message: &str) -> Response<Body> {
        let mut body = self.opening(success);
        body.extend_from_slice(br#","message":"#);
        json::write_str(&mut body, message);
        finished(status, body)
    }

    fn opening(self, success: bool) -> Vec<u8> {
        let status = if success { r#""status":"ok""# } else { r#""status":"error""# };
        match self {
            ResponseFormat::Documented => format!("{{{status}"),
            ResponseFormat::Legacy => format!(r#"{{"success":{success}"#),
            ResponseFormat::Both => format!(r#"{{{status},"success":{success}"#),
        }
        .into_bytes()
    }
}

fn finished(status: StatusCode, mut body: Vec<u8>) -> Response<Body> {
    body.push(b'}');
    let mut response = reply::json(body);
    *response.status_mut() = status;
    response
}
