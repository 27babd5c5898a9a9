use manifold_engine::{
    Clock,
    cache::{CacheLimits, CacheSet, Ttl},
};
use prometheus_client::registry::Registry;

use super::{super::exposition, *};

#[test]
fn the_process_page_shows_the_cache_and_what_was_counted() {
    let cache = Cache::new(CacheLimits { entries: 4, ..CacheLimits::default() }, Clock::system());
    cache.set([CacheSet { space: b"n", key: b"key", value: "value".into(), ttl: Ttl::Never }]);
    cache.get(b"n", b"key");
    cache.get(b"n", b"none");
    let metrics = std::sync::Arc::new(DunenaMetrics::default());
    metrics.request("/cache/{key}", &Method::GET, StatusCode::OK, std::time::Duration::from_millis(2));
    metrics.fallen_behind.inc();
    let open = metrics.sockets.open();
    drop(metrics.sockets.open());

    let mut registry = Registry::default();
    registry.register_collector(Box::new(CacheGauges(cache)));
    registry.register_collector(Box::new(metrics.clone()));
    let page = exposition::page(&registry).expect("a page");
    for line in [
        "# TYPE dunena_cache_hits_total counter",
        "dunena_cache_hits_total 1",
        "dunena_cache_misses_total 1",
        "dunena_cache_entries 1",
        "dunena_cache_max_entries 4",
        "# HELP dunena_cache_hit_rate Hit rate (0–1)",
        "dunena_cache_hit_rate 0.5",
        "dunena_cache_memory_bytes 10",
        r#"dunena_http_requests_total{route="/cache/{key}",method="GET",status="200"} 1"#,
        "dunena_websockets_open 1",
        "dunena_websockets_fallen_behind_total 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    drop(open);
}
