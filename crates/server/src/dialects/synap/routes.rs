//! The table of all routes. Each also exists below `/sdk`.

use super::{
    answer::Form,
    config::Compat,
    rest::{Call, table},
    ws,
};
use crate::http::route::{self, Found, Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint {
    Command,
    Health,
    Metrics,
    /// A connection that stays.
    Socket(ws::Kind),
    /// A command as clients before the envelope spell it.
    Old,
    /// A command as its route spells it.
    Rest(Call),
}

impl Endpoint {
    /// How its errors are spelled.
    pub(super) fn errors(&self) -> Form {
        match self {
            Endpoint::Command => Form::Envelope,
            Endpoint::Old => Form::Flat,
            Endpoint::Health | Endpoint::Metrics | Endpoint::Socket(_) | Endpoint::Rest(_) => Form::Bare,
        }
    }

    /// Whether it makes connections that stay, for which browsers cannot set headers.
    pub(super) fn is_socket(&self) -> bool {
        matches!(self, Endpoint::Socket(_))
    }

    /// Whether its requests count for the rate limit.
    pub(super) fn is_limited(&self) -> bool {
        !matches!(self, Endpoint::Health | Endpoint::Metrics)
    }
}

const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// The routes that are no commands.
static ROUTES: &[Route<Endpoint>] = &[
    route("/api/v1/command", &[(Verb::Post, Endpoint::Command)]),
    route("/api/v1/ws", &[(Verb::Get, Endpoint::Socket(ws::Kind::Commands))]),
    route("/pubsub/ws", &[(Verb::Get, Endpoint::Socket(ws::Kind::Topics))]),
    route("/kv/ws", &[(Verb::Get, Endpoint::Socket(ws::Kind::Keys))]),
    route("/health", &[(Verb::Get, Endpoint::Health)]),
    route("/metrics", &[(Verb::Get, Endpoint::Metrics)]),
    route("/api/stream", &[(Verb::Post, Endpoint::Old)]),
];

/// All of them.
pub(super) static TABLES: [&[Route<Endpoint>]; 2] = [ROUTES, table::ROUTES];

/// The route of a raw path. A slash at its end makes it another path, and no route ends in one.
pub(super) fn find(path: &str) -> Option<Found<'_, Endpoint>> {
    if path.ends_with('/') {
        return None;
    }
    TABLES.into_iter().find_map(|routes| route::find(routes, path))
}

/// The path without the prefix of published clients, and the form of answer that the prefix asks for.
pub(super) fn strip_prefix(path: &str) -> (&str, Option<Compat>) {
    match path.strip_prefix("/sdk") {
        Some(rest) if rest.starts_with('/') => (rest, Some(Compat::Sdk)),
        _ => (path, None),
    }
}
