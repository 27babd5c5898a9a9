//! GET `/stats`, and GET `/stats/history`: what the cache and the requests were like, now and each interval since the start.

use std::collections::VecDeque;

use axum::body::Body;
use hyper::Response;
use manifold_engine::{Timestamp, cache::CacheStats};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Dunena, answer,
    asked::Asked,
    latency::{Latency, Summary, Totals},
    routes::{Endpoint, route},
};
use crate::http::{
    json::Number,
    route::{Route, Verb},
};

#[cfg(test)]
mod tests;

/// Items of the history that are kept.
const KEPT: usize = 60;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Now,
    History,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/stats", &[(Verb::Get, Endpoint::Stats(Call::Now))]),
    route("/stats/history", &[(Verb::Get, Endpoint::Stats(Call::History))]),
];

pub(super) fn answer(call: Call, asked: &Asked<'_>) -> Response<Body> {
    let dunena = asked.dunena;
    match call {
        Call::Now => answer::value(&Now {
            cache: Cache::from(&dunena.cache.stats()),
            latency: Figures::from(dunena.latency.lately(Instant::now())),
        }),
        Call::History => answer::value(&dunena.history.listed()),
    }
}

#[derive(Serialize)]
struct Now {
    cache: Cache,
    latency: Figures,
}

/// The cache's members.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    hits: u64,
    misses: u64,
    evictions: u64,
    puts: u64,
    deletes: u64,
    current_size: u64,
    max_size: u64,
    hit_rate: Number,
    memory_bytes: u64,
    cas_hits: u64,
    cas_misses: u64,
}

impl From<&CacheStats> for Cache {
    fn from(stats: &CacheStats) -> Self {
        Cache {
            hits: stats.hits,
            misses: stats.misses,
            evictions: stats.evictions,
            puts: stats.puts,
            deletes: stats.deletes,
            current_size: stats.entries,
            max_size: stats.max_entries,
            hit_rate: Number(stats.hit_rate()),
            memory_bytes: stats.bytes,
            cas_hits: stats.cas_hits,
            cas_misses: stats.cas_misses,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    mean: Number,
    p50: Number,
    p95: Number,
    p99: Number,
    min: Number,
    max: Number,
    std_dev: Number,
    count: u64,
}

impl From<Summary> for Figures {
    fn from(summary: Summary) -> Self {
        Figures {
            mean: Number(summary.mean),
            p50: Number(summary.p50),
            p95: Number(summary.p95),
            p99: Number(summary.p99),
            min: Number(summary.min),
            max: Number(summary.max),
            std_dev: Number(summary.deviation),
            count: summary.count,
        }
    }
}

/// The newest items, in memory only.
#[derive(Debug)]
pub(super) struct History {
    items: Mutex<VecDeque<Item>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    timestamp: u64,
    stats: Cache,
    requests_per_second: Number,
    avg_latency_ms: Number,
    p99_latency_ms: Number,
}

#[derive(Serialize)]
struct Listed {
    snapshots: VecDeque<Item>,
}

/// Where an interval begins.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    totals: Totals,
}

impl History {
    pub(super) fn new() -> Self {
        History { items: Mutex::new(VecDeque::with_capacity(KEPT)) }
    }

    fn listed(&self) -> Listed {
        Listed { snapshots: self.items.lock().clone() }
    }

    fn push(&self, item: Item) {
        let mut items = self.items.lock();
        if items.len() == KEPT {
            items.pop_front();
        }
        items.push_back(item);
    }
}

impl Mark {
    fn now(latency: &Latency) -> Mark {
        Mark { at: Instant::now(), totals: latency.totals() }
    }

    /// What there is to tell of the time since.
    fn item_until(self, end: Mark, latency: &Latency, cache: &CacheStats, timestamp: Timestamp) -> Item {
        let requests = end.totals.since(self.totals);
        let seconds = (end.at - self.at).as_secs_f64();
        let per_second = if seconds > 0.0 { requests.count as f64 / seconds } else { 0.0 };
        Item {
            timestamp: timestamp.0,
            stats: Cache::from(cache),
            requests_per_second: Number(per_second),
            avg_latency_ms: Number(requests.mean()),
            p99_latency_ms: Number(latency.since(self.at).p99),
        }
    }
}

/// Adds an item to the history each interval. Never completes.
pub(super) async fn keep_history(dunena: &Dunena) {
    let interval = dunena.stats_interval;
    let mut begin = Mark::now(&dunena.latency);
    let mut due = tokio::time::interval_at(begin.at + interval, interval);
    // After a stall the next item covers what was missed: several at once would cover nothing.
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let end = Mark::now(&dunena.latency);
        let item = begin.item_until(end, &dunena.latency, &dunena.cache.stats(), dunena.engine.now());
        dunena.history.push(item);
        begin = end;
    }
}
