//! A request that was let in: what its handler needs.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use manifold_engine::Engine;

use super::{Flo, error::Error};
use crate::{
    http::{
        body::{self, BodyTime},
        gzip,
        json::{self, RawValue},
        query::Query,
        route::MAX_PARAMETERS,
    },
    net::Incoming,
};

#[cfg(test)]
mod tests;

/// How slowly a body may come.
const BODY_TIME: BodyTime = BodyTime::Paced(Duration::from_secs(30));
/// Longest JSON body.
const JSON_BODY: usize = 32 << 20;
/// Containers inside each other in a JSON body.
const NESTING: usize = 128;

/// One request: its head, the raw text of its path parameters, and the dialect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) flo: &'a Flo,
    pub(super) parts: &'a Parts,
    pub(super) parameters: [&'a str; MAX_PARAMETERS],
}

impl<'a> Call<'a> {
    pub(super) fn engine(&self) -> &'a Engine {
        &self.flo.engine
    }

    /// The decoded query.
    pub(super) fn query(&self) -> Result<Query<'a>, Error> {
        Ok(Query::parse(self.parts.uri.query())?)
    }

    /// The body as text of a query or JSON, read to its end and decoded.
    pub(super) async fn body(&self, incoming: Incoming) -> Result<Body, Error> {
        Ok(Body(self.bytes(incoming, JSON_BODY.min(self.flo.max_body_bytes)).await?))
    }

    /// The body, read to its end and decoded; at most `limit` bytes of it.
    pub(super) async fn bytes(&self, incoming: Incoming, limit: usize) -> Result<Bytes, Error> {
        let account = incoming.account();
        let received = body::collect(incoming, limit, BODY_TIME).await.map_err(|error| Error::of_body(error, limit))?;
        self.flo.metrics.received(received.len());
        let decoded = gzip::decoded(&self.parts.headers, received, limit, account).await;
        decoded.map_err(|error| Error::of_coding(error, limit))
    }
}

/// A request body: an object, or nothing at all.
pub(super) struct Body(Bytes);

impl Body {
    /// All of it as text, or the byte from which it is none.
    pub(super) fn text(&self) -> Result<&str, usize> {
        std::str::from_utf8(&self.0).map_err(|error| error.valid_up_to())
    }

    /// The members called `names`; an empty body has none.
    pub(super) fn members<const N: usize>(&self, names: &[&str; N]) -> Result<[Option<&RawValue>; N], Error> {
        if self.0.is_empty() {
            return Ok([None; N]);
        }
        let text = json::text(&self.0)?;
        let found = json::members(text, names)?;
        check_depth(text, &found, 0)?;
        Ok(found)
    }
}

/// Refuses an object that is nested too deep where nobody looks: `found` are the members that are read, and their
/// readers refuse what is nested. `around` containers lie around it.
pub(super) fn check_depth(text: &str, found: &[Option<&RawValue>], around: usize) -> Result<(), Error> {
    let limit = NESTING - around;
    let read: usize = found.iter().flatten().map(|member| member.get().len()).sum();
    // Few bytes cannot be deep, and a batch of many records need not be followed byte by byte.
    if text.len() - read > limit && json::nested_deeper_than(limit, text) {
        return Err(Error::invalid("Request body is nested too deep"));
    }
    Ok(())
}
