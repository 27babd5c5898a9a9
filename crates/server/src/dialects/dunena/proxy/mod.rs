//! The database proxy: connectors that are registered once, and queries through them whose results are cached.
//!
//! `register` keeps what leads to a database (`registry`), `query` asks it (`upstream`) at most once at a time for the same
//! thing (`flights`), unless it would change something (`statement`). Why there is no result is a `Failure`; connection
//! strings are in no answer and no line of the log.

use std::{path::Path, sync::Arc};

use axum::body::Body;
use hyper::Response;
use manifold_engine::documents::{Connectors, Documents, QueryCache};

mod cache_key;
mod connector;
mod failure;
mod flights;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod headers;
mod kind;
mod manage;
mod native;
mod query;
mod registration;
mod registry;
mod secrets;
mod statement;
mod upstream;

pub use failure::Failure;
pub use kind::Kind;

use flights::Flights;
use native::Files;
use registry::Registry;
use upstream::Reach;

use super::{
    asked::Asked,
    config::Config,
    error::Error,
    routes::{Endpoint, route},
};
use crate::{
    http::route::{Route, Verb},
    outbound::{Client, Guard},
};

/// What is asked of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Connectors,
    Register,
    Unregister,
    Query,
    Invalidate,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/db-proxy/query", &[(Verb::Post, Endpoint::Proxy(Call::Query))]),
    route("/db-proxy/connectors", &[(Verb::Get, Endpoint::Proxy(Call::Connectors))]),
    route("/db-proxy/register", &[(Verb::Post, Endpoint::Proxy(Call::Register))]),
    route("/db-proxy/unregister", &[(Verb::Post, Endpoint::Proxy(Call::Unregister))]),
    route("/db-proxy/invalidate", &[(Verb::Post, Endpoint::Proxy(Call::Invalidate))]),
];

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Connectors => manage::connectors(asked).await,
        Call::Register => manage::register(asked).await,
        Call::Unregister => manage::unregister(asked).await,
        Call::Query => query::answer(asked).await,
        Call::Invalidate => manage::invalidate(asked).await,
    }
}

/// The proxy, as part of the dialect.
#[derive(Debug)]
pub(super) struct Proxy {
    registry: Arc<Registry>,
    reach: Arc<Reach>,
    cache: QueryCache,
    flights: Flights,
    /// How long results are kept when neither their query nor their connector says; 0 = until they are removed.
    default_ttl_ms: u64,
}

impl Proxy {
    /// The proxy as configured, whose connectors are in `documents` and whose results go to `cache`. Clients may open no
    /// file that belongs to the process, whose place is `data_dir` where nothing else is said.
    pub(super) fn open(config: &Config, documents: Documents, cache: QueryCache, data_dir: &Path) -> Proxy {
        let files = Files {
            data_dir: Some(data_dir.to_owned()),
            own: vec![config.db_path(data_dir), config.snapshot_path(data_dir)],
            allowed_dirs: config.proxy_sqlite_dirs.clone(),
        };
        let guard = Guard::new(config.proxy_allow_list());
        let outbound = config.proxy_limits();
        let reach = Reach {
            client: Client::new(guard.clone(), outbound),
            guard,
            limits: native::Limits { outbound, files: Arc::new(files) },
        };
        let reach = Arc::new(reach);
        Proxy {
            registry: Arc::new(Registry::new(Connectors::new(documents), reach.clone())),
            reach,
            cache,
            flights: Flights::default(),
            default_ttl_ms: config.query_cache_ttl,
        }
    }

    /// Results that are being fetched and will have any of the tags, or this key, are not kept. Said before such results
    /// are removed from the cache, so that none of them comes in between.
    pub(super) fn forget(&self, tags: &[String], key: Option<&str>) {
        self.flights.forget(tags, key);
    }

    /// The same for all results.
    pub(super) fn forget_all(&self) {
        self.flights.forget_all();
    }

    /// Ends what is open, after the last request.
    pub(super) async fn close(&self) {
        self.flights.close().await;
        self.registry.close().await;
    }
}
