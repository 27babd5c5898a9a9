//! A connector that is registered.

use std::{fmt, time::Duration};

use bytes::Bytes;
use manifold_engine::documents;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{
    Failure, Kind,
    cache_key::{self, Identity},
    headers,
    upstream::{InvalidConnectionString, Reach, Source, Upstream},
};
use crate::http::json::RawValue;

#[cfg(test)]
mod tests;

/// Calls of one connector that run at the same time; others wait for their turn. Each may hold an answer of the longest
/// length.
const MAX_CALLS: usize = 64;

/// Leads to one database. Closed when the last who uses it lets go.
pub(super) struct Connector {
    /// Counts registrations, so that they can be listed in their order.
    pub(super) position: u64,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) read_only: bool,
    pub(super) default_tags: Vec<String>,
    /// 0 = no bound.
    max_cache_ttl_ms: u64,
    connection_string: String,
    upstream: Upstream,
    calls: Semaphore,
}

/// What an upstream gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    /// A JSON text.
    pub(super) data: Bytes,
    /// How long the call took.
    pub(super) took: Duration,
}

/// Why a registration leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Its type is not offered.
    Kind,
    /// Its string has another form than its type asks for.
    ConnectionString,
}

impl Connector {
    /// Reads a registration; nothing is contacted.
    pub(super) fn open(position: u64, row: &documents::Connector, reach: &Reach) -> Result<Connector, Unusable> {
        let documents::Connector { name, kind, connection_string, read_only, max_cache_ttl_ms, default_tags, headers } =
            row;
        let kind = Kind::named(kind).ok_or(Unusable::Kind)?;
        let source = Source { kind, connection_string, read_only: *read_only, headers: &headers::to_map(headers) };
        let upstream = Upstream::open(source, reach).map_err(|InvalidConnectionString| Unusable::ConnectionString)?;
        Ok(Connector {
            position,
            name: name.clone(),
            kind,
            read_only: *read_only,
            default_tags: default_tags.clone(),
            max_cache_ttl_ms: max_cache_ttl_ms.unwrap_or(0),
            connection_string: connection_string.clone(),
            upstream,
            calls: Semaphore::new(MAX_CALLS),
        })
    }

    /// Asks the upstream.
    pub(super) async fn fetch(
        &self,
        reach: &Reach,
        query: &str,
        params: Option<&RawValue>,
    ) -> Result<Fetched, Failure> {
        let calling = async {
            let _turn = self.calls.acquire().await.expect("is never closed");
            let begun = Instant::now();
            let data = self.upstream.query(reach, query, params).await?;
            Ok(Fetched { data, took: begun.elapsed() })
        };
        // Waiting for a turn counts too.
        timeout(reach.limits.outbound.whole, calling).await.unwrap_or(Err(Failure::TimedOut))
    }

    /// The key of a query's result when its sender names none.
    pub(super) fn cache_key(&self, query: &str, params: Option<&RawValue>) -> String {
        let Connector { name, kind, connection_string, .. } = self;
        cache_key::derive(Identity { connector: name, kind: kind.as_str(), connection_string, query, params })
    }

    /// How long a result is kept, in milliseconds; 0 = until it is removed.
    pub(super) fn ttl_ms(&self, asked: Option<u64>, default: u64) -> u64 {
        match (asked, self.max_cache_ttl_ms) {
            (asked, 0) => asked.unwrap_or(default),
            (None | Some(0), most) => most,
            (Some(asked), most) => asked.min(most),
        }
    }

    /// Ends the connections that are kept.
    pub(super) async fn close(&self) {
        self.upstream.close().await;
    }
}

/// Without anything that may be secret.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}
