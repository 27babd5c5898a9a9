//! What the Unison dialect counts.

use std::{fmt, sync::Arc, time::Duration};

use hyper::{Method, StatusCode};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{
    Counter, Gauge, Requests, names,
    write::{self, Labels},
};

/// Why a request was refused for its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// None was given.
    Missing,
    /// It is none of the configured ones.
    Invalid,
    /// It may read, and wanted to write.
    ReadOnly,
}

impl AuthFailure {
    const ALL: [(AuthFailure, &'static str); 3] =
        [(AuthFailure::Missing, "missing"), (AuthFailure::Invalid, "invalid"), (AuthFailure::ReadOnly, "readonly")];
}

/// How a client follows the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// A WebSocket.
    WebSocket,
    /// Server-sent events.
    Sse,
    /// A request that waits for the next change.
    LongPoll,
}

impl StreamKind {
    const ALL: [(StreamKind, &'static str); 3] =
        [(StreamKind::WebSocket, "ws"), (StreamKind::Sse, "sse"), (StreamKind::LongPoll, "longpoll")];
}

/// Unison's own counters, fed by its handlers.
#[derive(Debug, Default)]
pub struct UnisonMetrics {
    requests: Requests,
    auth_failures: [Counter; 3],
    stream_clients: [Gauge; 3],
    stream_resets: Counter,
    idempotent_replays: Counter,
}

impl UnisonMetrics {
    /// Counts an answer; `route` is the template (`/api/v1/kv/{namespace}/{key}`), never a real path.
    pub fn request(&self, route: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
        self.requests.record(route, method, status, elapsed);
    }
    /// Counts a refused credential.
    pub fn auth_failed(&self, kind: AuthFailure) {
        self.auth_failures[kind as usize].inc();
    }
    /// Counts a client that follows the feed, until the guard is dropped.
    #[must_use]
    pub fn stream(self: &Arc<Self>, kind: StreamKind) -> StreamGuard {
        self.stream_clients[kind as usize].add(1);
        StreamGuard { metrics: self.clone(), kind }
    }
    /// Counts a follower that retention overtook.
    pub fn stream_reset(&self) {
        self.stream_resets.inc();
    }
    /// Counts an answer repeated for a known idempotency key.
    pub fn idempotent_replay(&self) {
        self.idempotent_replays.inc();
    }
}

/// One client that follows the feed.
#[derive(Debug)]
pub struct StreamGuard {
    metrics: Arc<UnisonMetrics>,
    kind: StreamKind,
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.metrics.stream_clients[self.kind as usize].add(-1);
    }
}

impl Collector for UnisonMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.requests.encode(encoder, names::UNISON_REQUESTS, names::UNISON_REQUEST_DURATION)?;

        let kinds = AuthFailure::ALL.map(|(kind, name)| ([("kind", name)], self.auth_failures[kind as usize].get()));
        let samples = kinds.iter().map(|(labels, count)| (&labels[..] as Labels<'_>, *count));
        write::counter(encoder, names::UNISON_AUTH_FAILURES, "Requests refused for their credential", samples)?;

        let kinds = StreamKind::ALL.map(|(kind, name)| ([("kind", name)], self.stream_clients[kind as usize].get()));
        let samples = kinds.iter().map(|(labels, count)| (&labels[..] as Labels<'_>, *count));
        write::gauge(encoder, names::UNISON_STREAM_CLIENTS, "Clients that follow the feed", samples)?;

        let resets = self.stream_resets.get();
        write::counter(encoder, names::UNISON_STREAM_RESETS, "Followers that retention overtook", write::one(resets))?;
        let replays = self.idempotent_replays.get();
        let help = "Answers repeated for a known idempotency key";
        write::counter(encoder, names::UNISON_IDEMPOTENT_REPLAYS, help, write::one(replays))
    }
}
