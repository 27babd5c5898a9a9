//! The table of all routes. Each also exists below `/sdk`.

use super::config::Compat;
use crate::http::route::{Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Command,
    Health,
    Metrics,
    Publish,
    Socket,
}

impl Endpoint {
    /// Whether its errors come in the envelope of commands.
    pub(super) fn has_envelope(self) -> bool {
        self == Endpoint::Command
    }

    /// Whether it makes connections that stay, for which browsers cannot set headers.
    pub(super) fn is_socket(self) -> bool {
        self == Endpoint::Socket
    }

    /// Whether its requests count for the rate limit.
    pub(super) fn is_limited(self) -> bool {
        !matches!(self, Endpoint::Health | Endpoint::Metrics)
    }
}

const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// Every route.
pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/api/v1/command", &[(Verb::Post, Endpoint::Command)]),
    route("/api/v1/ws", &[(Verb::Get, Endpoint::Socket)]),
    route("/health", &[(Verb::Get, Endpoint::Health)]),
    route("/metrics", &[(Verb::Get, Endpoint::Metrics)]),
    route("/pubsub/{topic}/publish", &[(Verb::Post, Endpoint::Publish)]),
];

/// The path without the prefix of published clients, and the form of answer that the prefix asks for.
pub(super) fn strip_prefix(path: &str) -> (&str, Option<Compat>) {
    match path.strip_prefix("/sdk") {
        Some(rest) if rest.starts_with('/') => (rest, Some(Compat::Sdk)),
        _ => (path, None),
    }
}
