//! Probes, figures and the snapshot.

use serde_json::json;

use super::operation::{Operation, Tag};

pub(super) fn health() -> Operation {
    Operation::new(Tag::Health, "health", "Health Check")
        .open()
        .about("The status is `degraded` when the database does not answer; the process is up nevertheless.")
        .answers(200, "The process is up.", "Health", json!({ "status": "ok", "uptime": 42.5 }))
}

pub(super) fn live() -> Operation {
    Operation::new(Tag::Health, "live", "Liveness Probe").open().answers(
        200,
        "The process is up.",
        "Alive",
        json!({ "status": "alive" }),
    )
}

pub(super) fn ready() -> Operation {
    let not_ready = json!({ "status": "not_ready", "reason": "SQLite unavailable" });
    Operation::new(Tag::Health, "ready", "Readiness Probe")
        .open()
        .answers(200, "Requests are served.", "Readiness", json!({ "status": "ready" }))
        .answers(503, "The database does not answer, or the server is still starting.", "Readiness", not_ready)
}

pub(super) fn stats() -> Operation {
    let example = json!({
        "cache": {
            "hits": 1245, "misses": 302, "evictions": 10, "puts": 1500, "deletes": 45, "currentSize": 1444,
            "maxSize": 100_000, "hitRate": 0.805, "memoryBytes": 204_800, "casHits": 3, "casMisses": 1,
        },
        "latency": {
            "mean": 0.52, "p50": 0.38, "p95": 1.2, "p99": 2.8, "min": 0.1, "max": 15.3, "stdDev": 0.6, "count": 1547,
        },
    });
    Operation::new(Tag::Introspection, "stats", "Cache Statistics")
        .about("Counters since the start, and the latency of the last 60 seconds in milliseconds.")
        .answers(200, "Counters and latency.", "Stats", example)
}

pub(super) fn history() -> Operation {
    Operation::new(Tag::Introspection, "statsHistory", "Statistics History")
        .about("The 60 most recent snapshots of the statistics, oldest first; one is taken every 60 seconds.")
        .answers(200, "Snapshots, oldest first.", "StatsHistory", json!({ "snapshots": [] }))
}

pub(super) fn info() -> Operation {
    let example = json!({
        "name": "dunena", "version": "0.2.0", "entries": 42, "uptime": 3600.5, "database": true,
        "serverVersion": env!("CARGO_PKG_VERSION"),
    });
    Operation::new(Tag::Introspection, "info", "Server Info").answers(200, "What runs here.", "Info", example)
}

pub(super) fn metrics() -> Operation {
    Operation::new(Tag::Introspection, "metrics", "Prometheus Metrics")
        .about("Needs no token where `DUNENA_METRICS_PUBLIC` is true.")
        .answers_text("Metrics in the Prometheus exposition format.", "text/plain")
}

pub(super) fn snapshot() -> Operation {
    Operation::new(Tag::Introspection, "snapshot", "Save a Snapshot")
        .about(
            "Saves the whole cache to disk now. False when persistence is disabled or the file could not be written.",
        )
        .answers(200, "Whether the snapshot was saved.", "Saved", json!({ "saved": true }))
}
