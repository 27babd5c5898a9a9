//! GET `/metrics`: the dialect's own page in the text format of Prometheus, as its document lists it.

use std::fmt::{Display, Write};

use axum::body::Body;
use hyper::{Response, StatusCode, header::HeaderValue};
use manifold_engine::cache::CacheStats;
use tokio::time::{Instant, timeout};

use super::{
    answer,
    asked::Asked,
    error::Error,
    health::DATABASE_PATIENCE,
    latency::{Summary, Totals},
    routes::{Endpoint, route},
};
use crate::{
    http::route::{Route, Verb},
    telemetry::{CacheMetric, CacheValue, cache_metrics, names},
};

#[cfg(test)]
mod tests;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) static ROUTES: &[Route<Endpoint>] = &[route("/metrics", &[(Verb::Get, Endpoint::Metrics)])];

pub(super) async fn answer(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let dunena = asked.dunena;
    let seen = Seen {
        cache: dunena.cache.stats(),
        locks: timeout(DATABASE_PATIENCE, dunena.locks.count()).await.ok().and_then(Result::ok),
        latency: dunena.latency.lately(Instant::now()),
        totals: dunena.latency.totals(),
        uptime_seconds: dunena.began.elapsed().as_secs_f64(),
    };
    Ok(answer::typed(StatusCode::OK, TEXT, seen.page()))
}

/// What the page shows, of one moment.
struct Seen {
    cache: CacheStats,
    /// None when the database cannot tell.
    locks: Option<u64>,
    latency: Summary,
    totals: Totals,
    uptime_seconds: f64,
}

impl Seen {
    fn page(&self) -> String {
        let mut page = Page(String::with_capacity(4 << 10));
        for CacheMetric { name, help, value } in cache_metrics(&self.cache) {
            match value {
                CacheValue::Counter(count) => page.family(name, help, "counter").sample(name, count),
                CacheValue::Gauge(number) => page.family(name, help, "gauge").sample(name, number),
                CacheValue::Rate(rate) => page.family(name, help, "gauge").sample(name, rate),
            };
        }
        let locks = page.family(names::DUNENA_LOCKS_ACTIVE, "Locks held", "gauge");
        if let Some(held) = self.locks {
            locks.sample(names::DUNENA_LOCKS_ACTIVE, held);
        }
        self.add_latency(&mut page);
        let uptime = format_args!("{:.1}", self.uptime_seconds);
        page.family(names::DUNENA_UPTIME, "Server uptime", "gauge").sample(names::DUNENA_UPTIME, uptime);
        page.0
    }

    fn add_latency(&self, page: &mut Page) {
        let name = names::DUNENA_REQUEST_LATENCY;
        page.family(name, "Latency quantiles (avg, p50, p95, p99)", "gauge");
        let Summary { mean, p50, p95, p99, .. } = self.latency;
        for (quantile, ms) in [("avg", mean), ("0.5", p50), ("0.95", p95), ("0.99", p99)] {
            page.sample(format_args!("{name}{{quantile=\"{quantile}\"}}"), format_args!("{ms:.3}"));
        }
        let (sum, count) = (names::DUNENA_REQUEST_LATENCY_SUM, names::DUNENA_REQUEST_LATENCY_COUNT);
        page.family(sum, "Milliseconds of all requests since the start", "counter")
            .sample(sum, format_args!("{:.3}", self.totals.millis()));
        page.family(count, "Requests since the start", "counter").sample(count, self.totals.count);
    }
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, help: &str, kind: &str) -> &mut Self {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        self
    }

    fn sample(&mut self, series: impl Display, value: impl Display) {
        self.line(format_args!("{series} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes everything");
    }
}
