//! A request that was let in: what its handler needs.

use std::time::Duration;

use hyper::http::request::Parts;
use manifold_engine::Engine;

use super::error::Error;
use crate::http::{body::BodyTime, query::Query, route::MAX_PARAMETERS};

/// How slowly a body may come.
pub(super) const BODY_TIME: BodyTime = BodyTime::Paced(Duration::from_secs(10));

/// How long `minSeq` waits for the head.
pub(super) const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// One request: its head, the raw text of its path parameters, and the engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) engine: &'a Engine,
    pub(super) parts: &'a Parts,
    pub(super) parameters: [&'a str; MAX_PARAMETERS],
    pub(super) max_body_bytes: usize,
}

impl<'a> Call<'a> {
    /// The decoded query.
    pub(super) fn query(&self) -> Result<Query<'a>, Error> {
        Ok(Query::parse(self.parts.uri.query())?)
    }

    /// Waits for the head that `minSeq` asks for, if it does.
    pub(super) async fn reach(&self, query: &Query<'_>) -> Result<(), Error> {
        reach(self.engine, min_seq(query)?, REACH_TIMEOUT).await
    }
}

/// The parameter `minSeq`.
pub(super) fn min_seq(query: &Query<'_>) -> Result<u64, Error> {
    Ok(query.integer("minSeq")?.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

/// Waits so long at most until the feed's head is at least `seq`: reads after that see everything up to there.
pub(super) async fn reach(engine: &Engine, seq: u64, within: Duration) -> Result<(), Error> {
    if seq == 0 || engine.reach(seq, within).await? { Ok(()) } else { Err(Error::NotReached) }
}
