//! The table of all routes. Path and method fit exactly, or there is no such route.

use hyper::Method;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Recache,
    Invalidate,
    Status,
    Pause,
    Resume,
    Urls,
    Summary,
    Queue,
    QueueSummary,
    Content,
    InvalidateAll,
    InvalidatePrefix,
    Purge,
    Failed,
    RetryFailed,
    BotHit,
}

/// The routes.
static ROUTES: [(Method, &str, Endpoint); 16] = [
    (Method::POST, "/internal/cache/recache", Endpoint::Recache),
    (Method::POST, "/internal/cache/invalidate", Endpoint::Invalidate),
    (Method::GET, "/status", Endpoint::Status),
    (Method::POST, "/internal/scheduler/pause", Endpoint::Pause),
    (Method::POST, "/internal/scheduler/resume", Endpoint::Resume),
    (Method::GET, "/internal/cache/urls", Endpoint::Urls),
    (Method::GET, "/internal/cache/summary", Endpoint::Summary),
    (Method::GET, "/internal/cache/queue", Endpoint::Queue),
    (Method::GET, "/internal/cache/queue/summary", Endpoint::QueueSummary),
    (Method::GET, "/internal/cache/content", Endpoint::Content),
    (Method::POST, "/internal/cache/invalidate-all", Endpoint::InvalidateAll),
    (Method::POST, "/internal/cache/invalidate-prefix", Endpoint::InvalidatePrefix),
    (Method::POST, "/internal/cache/queue/purge", Endpoint::Purge),
    (Method::GET, "/internal/cache/failed", Endpoint::Failed),
    (Method::POST, "/internal/cache/failed/retry", Endpoint::RetryFailed),
    (Method::POST, "/internal/cache/bot-hit", Endpoint::BotHit),
];

/// Method and path of every route.
pub(super) fn all() -> impl Iterator<Item = (&'static Method, &'static str)> {
    ROUTES.iter().map(|(method, path, _)| (method, *path))
}

/// The route of a request, with the text it counts under.
pub(super) fn find(method: &Method, path: &str) -> Option<(&'static str, Endpoint)> {
    let fits = |(verb, route, _): &&(Method, &'static str, Endpoint)| verb == method && *route == path;
    ROUTES.iter().find(fits).map(|(_, route, endpoint)| (*route, *endpoint))
}
