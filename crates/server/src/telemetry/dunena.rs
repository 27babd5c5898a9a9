//! What the Dunena dialect counts.

use std::fmt;

use hyper::{Method, StatusCode};
use manifold_engine::cache::{Cache, CacheStats};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{
    Counter, Requests, names,
    write::{self, one},
};
use crate::http::ws::Sockets;

#[cfg(test)]
mod tests;

/// Dunena's own counters, fed by its handlers.
#[derive(Debug, Default)]
pub struct DunenaMetrics {
    requests: Requests,
    /// Open sockets.
    pub sockets: Sockets,
    /// Sockets closed because too much waited for their clients.
    pub fallen_behind: Counter,
}

impl DunenaMetrics {
    /// Counts an answer; `route` is the template, never a real path.
    pub fn request(&self, route: &'static str, method: &Method, status: StatusCode, elapsed: std::time::Duration) {
        self.requests.record(route, method, status, elapsed);
    }
}

impl Collector for DunenaMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.requests.encode(encoder, names::DUNENA_HTTP_REQUESTS, names::DUNENA_HTTP_REQUEST_DURATION)?;
        write::gauge(encoder, names::DUNENA_SOCKETS_OPEN, "Open WebSockets", one(self.sockets.count() as u64))?;
        let help = "WebSockets closed because too much waited for their clients";
        write::counter(encoder, names::DUNENA_SOCKETS_BEHIND, help, one(self.fallen_behind.get()))
    }
}

/// A metric of the cache, which several pages show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CacheMetric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What it was.
    pub value: CacheValue,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CacheValue {
    /// A count that only grows.
    Counter(u64),
    /// A number that goes up and down.
    Gauge(u64),
    /// A part of a whole, 0 to 1.
    Rate(f64),
}

/// What there is to tell of a cache, in the order that Dunena's document has.
pub fn cache_metrics(stats: &CacheStats) -> [CacheMetric; 11] {
    use CacheValue::{Counter, Gauge, Rate};
    let metric = |name, help, value| CacheMetric { name, help, value };
    [
        metric(names::DUNENA_CACHE_HITS, "Total cache hits", Counter(stats.hits)),
        metric(names::DUNENA_CACHE_MISSES, "Total cache misses", Counter(stats.misses)),
        metric(names::DUNENA_CACHE_EVICTIONS, "Total LRU evictions", Counter(stats.evictions)),
        metric(names::DUNENA_CACHE_PUTS, "Total writes", Counter(stats.puts)),
        metric(names::DUNENA_CACHE_DELETES, "Total deletes", Counter(stats.deletes)),
        metric(names::DUNENA_CACHE_ENTRIES, "Current entry count", Gauge(stats.entries)),
        metric(names::DUNENA_CACHE_MAX_ENTRIES, "Maximum capacity", Gauge(stats.max_entries)),
        metric(names::DUNENA_CACHE_HIT_RATE, "Hit rate (0–1)", Rate(stats.hit_rate())),
        metric(names::DUNENA_CACHE_MEMORY, "Bytes of live keys, values and namespace names", Gauge(stats.bytes)),
        metric(names::DUNENA_CACHE_CAS_HITS, "Total compare-and-set writes that held", Counter(stats.cas_hits)),
        metric(names::DUNENA_CACHE_CAS_MISSES, "Total compare-and-set version mismatches", Counter(stats.cas_misses)),
    ]
}

/// A cache as it is when somebody asks.
#[derive(Debug)]
pub struct CacheGauges(pub Cache);

impl Collector for CacheGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for CacheMetric { name, help, value } in cache_metrics(&self.0.stats()) {
            match value {
                CacheValue::Counter(count) => write::counter(&mut encoder, name, help, one(count))?,
                CacheValue::Gauge(number) => write::gauge(&mut encoder, name, help, one(number))?,
                CacheValue::Rate(rate) => write::gauge(&mut encoder, name, help, one(rate))?,
            }
        }
        Ok(())
    }
}
