//! The table of all routes: each resource has its part of it.

use hyper::Method;

use super::{cache, dashboard, health, info, locks, metrics, query_cache, rate_limits, stats, ws};
use crate::http::route::{self, Found, Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The cache.
    Cache(cache::Call),
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
    /// Results of queries.
    QueryCache(query_cache::Call),
    /// Locks.
    Locks(locks::Call),
    /// Limits of namespaces.
    RateLimits(rate_limits::Call),
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

impl Endpoint {
    /// Who may ask.
    pub(super) fn door(self) -> Door {
        match self {
            Endpoint::Cache(_)
            | Endpoint::Stats(_)
            | Endpoint::Info
            | Endpoint::QueryCache(_)
            | Endpoint::Locks(_)
            | Endpoint::RateLimits(_) => Door::Guarded,
            Endpoint::Metrics => Door::Metrics,
            Endpoint::Socket => Door::Socket,
            Endpoint::Health(_) | Endpoint::Dashboard => Door::Open,
        }
    }

    /// Whether it is about what SQLite keeps.
    pub(super) fn needs_database(self) -> bool {
        match self {
            Endpoint::Cache(_)
            | Endpoint::Health(_)
            | Endpoint::Stats(_)
            | Endpoint::Info
            | Endpoint::Metrics
            | Endpoint::Socket
            | Endpoint::Dashboard
            | Endpoint::Locks(_)
            | Endpoint::RateLimits(_) => false,
            Endpoint::QueryCache(_) => true,
        }
    }

    /// Whether it is answered while the log is replayed.
    pub(super) fn answers_early(self) -> bool {
        match self {
            Endpoint::Cache(_)
            | Endpoint::Stats(_)
            | Endpoint::Info
            | Endpoint::Socket
            | Endpoint::QueryCache(_)
            | Endpoint::Locks(_)
            | Endpoint::RateLimits(_) => false,
            Endpoint::Health(_) | Endpoint::Metrics | Endpoint::Dashboard => true,
        }
    }

    /// Whether what it takes is part of the latencies: a page says nothing about them, and a connection that stays even
    /// less.
    pub(super) fn is_timed(self) -> bool {
        !matches!(self, Endpoint::Socket | Endpoint::Dashboard)
    }
}

/// A route without parameters that take everything that is left.
pub(super) const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// What is asked for most comes first.
pub(super) static TABLES: [&[Route<Endpoint>]; 11] = [
    cache::ROUTES,
    query_cache::ROUTES,
    query_cache::ENTRIES,
    health::ROUTES,
    stats::ROUTES,
    info::ROUTES,
    metrics::ROUTES,
    ws::ROUTES,
    dashboard::ROUTES,
    locks::ROUTES,
    rate_limits::ROUTES,
];

/// The route of a path in its plain form, and what the method does there.
pub(super) fn find<'p>(path: &'p str, method: &Method) -> Option<(Found<'p, Endpoint>, Endpoint)> {
    TABLES.into_iter().find_map(|routes| {
        let found = route::find(routes, path)?;
        let endpoint = *found.route.operation(method)?;
        Some((found, endpoint))
    })
}
