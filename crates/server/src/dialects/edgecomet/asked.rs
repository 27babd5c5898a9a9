//! A request as endpoints read it.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, http::request::Parts};

pub(super) mod fields;
pub(super) mod parameters;
pub(super) mod subject;

use super::{EdgeComet, error::Error};
use crate::{
    http::body::{self, BodyTime},
    net::Incoming,
};
use parameters::Parameters;

/// One request.
pub(super) struct Asked<'a> {
    pub(super) dialect: &'a EdgeComet,
    pub(super) parts: &'a Parts,
    pub(super) incoming: Incoming,
}

/// What an endpoint comes to.
pub(super) type Answer = Result<Response<Body>, Error>;

impl<'a> Asked<'a> {
    /// The whole body.
    pub(super) async fn body(self) -> Result<Bytes, Error> {
        let api = &self.dialect.config.http_api;
        let time: Duration = api.request_timeout.0;
        Ok(body::collect(self.incoming, api.max_body_bytes, BodyTime::Whole(time)).await?)
    }

    /// What stands behind the question mark.
    pub(super) fn parameters(&self) -> Parameters<'a> {
        Parameters::parse(self.parts.uri.query().unwrap_or_default())
    }
}
