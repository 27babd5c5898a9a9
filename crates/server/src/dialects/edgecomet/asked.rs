//! A request as endpoints read it.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, body::Incoming, http::request::Parts};

use super::{EdgeComet, error::Error};
use crate::http::body::{self, BodyTime};

/// One request.
pub(super) struct Asked<'a> {
    pub(super) dialect: &'a EdgeComet,
    pub(super) parts: &'a Parts,
    pub(super) incoming: Incoming,
}

/// What an endpoint comes to.
pub(super) type Answer = Result<Response<Body>, Error>;

impl Asked<'_> {
    /// The whole body.
    pub(super) async fn body(self) -> Result<Bytes, Error> {
        let api = &self.dialect.config.http_api;
        let time: Duration = api.request_timeout.0;
        Ok(body::collect(self.incoming, api.max_body_bytes, BodyTime::Whole(time)).await?)
    }
}
