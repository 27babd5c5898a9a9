//! The table of all routes: each resource has its part of it.

use hyper::Method;

use super::{cache, explorer};
use crate::http::route::{self, Found, Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The cache.
    Cache(cache::Call),
    /// The explorer and its document.
    Explorer(explorer::Call),
}

/// Who may ask, and what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// With the token, and within the limit.
    Guarded,
    /// With the token, without limit.
    Unlimited,
    /// Anybody, as often as they like.
    Open,
}

impl Endpoint {
    /// Who may ask.
    pub(super) fn door(self) -> Door {
        match self {
            Endpoint::Cache(_) => Door::Guarded,
            Endpoint::Explorer(_) => Door::Open,
        }
    }

    /// Whether it is about what SQLite keeps.
    pub(super) fn needs_database(self) -> bool {
        match self {
            Endpoint::Cache(_) | Endpoint::Explorer(_) => false,
        }
    }

    /// Whether it is answered while the log is replayed.
    pub(super) fn answers_early(self) -> bool {
        match self {
            Endpoint::Cache(_) => false,
            Endpoint::Explorer(_) => true,
        }
    }
}

/// A route without parameters that take everything that is left.
pub(super) const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// What is asked for most comes first.
pub(super) static TABLES: [&[Route<Endpoint>]; 2] = [cache::ROUTES, explorer::ROUTES];

/// The route of a path in its plain form, and what the method does there.
pub(super) fn find<'p>(path: &'p str, method: &Method) -> Option<(Found<'p, Endpoint>, Endpoint)> {
    TABLES.into_iter().find_map(|routes| {
        let found = route::find(routes, path)?;
        let endpoint = *found.route.operation(method)?;
        Some((found, endpoint))
    })
}
