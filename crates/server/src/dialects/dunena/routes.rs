//! The table of all routes: each resource has its part of it.

use hyper::Method;

use super::{
    cache, dashboard, db, explorer, health, info, locks, metrics, proxy, query_cache, rate_limits, snapshot, stats, ws,
};
use crate::http::route::{self, Found, Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The cache.
    Cache(cache::Call),
    /// Saving the cache.
    Snapshot,
    /// Documents.
    Db(db::Call),
    /// Results of queries.
    QueryCache(query_cache::Call),
    /// Ways to other databases.
    Proxy(proxy::Call),
    /// Locks.
    Locks(locks::Call),
    /// Limits of namespaces.
    RateLimits(rate_limits::Call),
    /// How things are.
    Health(health::Call),
    /// What was counted.
    Stats(stats::Call),
    /// What server this is.
    Info,
    /// What was counted, for Prometheus.
    Metrics,
    /// A connection that stays.
    Socket,
    /// The page for people.
    Dashboard,
    /// The explorer and its document.
    Explorer(explorer::Call),
}

/// Who may ask, and what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// With the token, and within the limit.
    Guarded,
    /// With the token unless the configuration says otherwise, and within the limit.
    Metrics,
    /// With the token, which may come where a browser can put it, and without limit.
    Socket,
    /// Anybody, as often as they like.
    Open,
}

/// What holds for all requests of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Who may ask.
    pub(super) door: Door,
    /// Whether it is about what SQLite keeps.
    pub(super) needs_database: bool,
    /// Whether it is answered while the log is replayed.
    pub(super) answers_early: bool,
    /// Whether what it takes is part of the latencies: a page says nothing about them, and a connection that stays even
    /// less.
    pub(super) is_timed: bool,
}

impl Manner {
    /// What is kept in memory.
    const MEMORY: Manner = Manner { door: Door::Guarded, needs_database: false, answers_early: false, is_timed: true };
    /// What is kept in SQLite.
    const DATABASE: Manner = Manner { needs_database: true, ..Manner::MEMORY };
    /// Pages for people.
    const PAGE: Manner = Manner { door: Door::Open, needs_database: false, answers_early: true, is_timed: false };
}

impl Endpoint {
    /// What holds for its requests.
    pub(super) fn manner(self) -> Manner {
        match self {
            Endpoint::Cache(_)
            | Endpoint::Snapshot
            | Endpoint::Locks(_)
            | Endpoint::RateLimits(_)
            | Endpoint::Stats(_)
            | Endpoint::Info => Manner::MEMORY,
            Endpoint::Db(_) | Endpoint::QueryCache(_) | Endpoint::Proxy(_) => Manner::DATABASE,
            Endpoint::Health(_) => Manner { is_timed: true, ..Manner::PAGE },
            Endpoint::Metrics => Manner { door: Door::Metrics, is_timed: true, ..Manner::PAGE },
            Endpoint::Socket => Manner { door: Door::Socket, is_timed: false, ..Manner::MEMORY },
            Endpoint::Dashboard | Endpoint::Explorer(_) => Manner::PAGE,
        }
    }
}

/// A route without parameters that take everything that is left.
pub(super) const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// What is asked for most comes first.
pub(super) static TABLES: &[&[Route<Endpoint>]] = &[
    cache::WARM_UP,
    cache::ROUTES,
    query_cache::ROUTES,
    query_cache::ENTRIES,
    db::ROUTES,
    proxy::ROUTES,
    locks::ROUTES,
    rate_limits::ROUTES,
    snapshot::ROUTES,
    health::ROUTES,
    stats::ROUTES,
    info::ROUTES,
    metrics::ROUTES,
    ws::ROUTES,
    dashboard::ROUTES,
    explorer::ROUTES,
];

/// The route of a path in its plain form, and what the method does there.
pub(super) fn find<'p>(path: &'p str, method: &Method) -> Option<(Found<'p, Endpoint>, Endpoint)> {
    TABLES.iter().find_map(|routes| {
        let found = route::find(routes, path)?;
        let endpoint = *found.route.operation(method)?;
        Some((found, endpoint))
    })
}
