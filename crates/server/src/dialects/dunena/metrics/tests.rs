use super::*;

#[test]
fn the_page_has_every_family_in_the_order_of_the_document() {
    let seen = Seen {
        cache: CacheStats {
            hits: 3,
            misses: 1,
            evictions: 2,
            puts: 5,
            deletes: 4,
            cas_hits: 7,
            cas_misses: 6,
            entries: 9,
            max_entries: 10,
            bytes: 1234,
        },
        locks: Some(8),
        latency: Summary { mean: 0.5, p50: 0.25, p95: 1.0, p99: 2.0625, ..Summary::default() },
        totals: Totals { count: 11, nanos: 12_345_678 },
        uptime_seconds: 42.06,
    };
    assert_eq!(
        seen.page(),
        "\
# HELP dunena_cache_hits_total Total cache hits
# TYPE dunena_cache_hits_total counter
dunena_cache_hits_total 3
# HELP dunena_cache_misses_total Total cache misses
# TYPE dunena_cache_misses_total counter
dunena_cache_misses_total 1
# HELP dunena_cache_evictions_total Total LRU evictions
# TYPE dunena_cache_evictions_total counter
dunena_cache_evictions_total 2
# HELP dunena_cache_puts_total Total writes
# TYPE dunena_cache_puts_total counter
dunena_cache_puts_total 5
# HELP dunena_cache_deletes_total Total deletes
# TYPE dunena_cache_deletes_total counter
dunena_cache_deletes_total 4
# HELP dunena_cache_entries Current entry count
# TYPE dunena_cache_entries gauge
dunena_cache_entries 9
# HELP dunena_cache_max_entries Maximum capacity
# TYPE dunena_cache_max_entries gauge
dunena_cache_max_entries 10
# HELP dunena_cache_hit_rate Hit rate (0–1)
# TYPE dunena_cache_hit_rate gauge
dunena_cache_hit_rate 0.75
# HELP dunena_cache_memory_bytes Bytes of live keys, values and namespace names
# TYPE dunena_cache_memory_bytes gauge
dunena_cache_memory_bytes 1234
# HELP dunena_cache_cas_hits_total Total compare-and-set writes that held
# TYPE dunena_cache_cas_hits_total counter
dunena_cache_cas_hits_total 7
# HELP dunena_cache_cas_misses_total Total compare-and-set version mismatches
# TYPE dunena_cache_cas_misses_total counter
dunena_cache_cas_misses_total 6
# HELP dunena_locks_active Locks held
# TYPE dunena_locks_active gauge
dunena_locks_active 8
# HELP dunena_request_latency_ms Latency quantiles (avg, p50, p95, p99)
# TYPE dunena_request_latency_ms gauge
dunena_request_latency_ms{quantile=\"avg\"} 0.500
dunena_request_latency_ms{quantile=\"0.5\"} 0.250
dunena_request_latency_ms{quantile=\"0.95\"} 1.000
dunena_request_latency_ms{quantile=\"0.99\"} 2.062
# HELP dunena_request_latency_ms_sum Milliseconds of all requests since the start
# TYPE dunena_request_latency_ms_sum counter
dunena_request_latency_ms_sum 12.346
# HELP dunena_request_latency_ms_count Requests since the start
# TYPE dunena_request_latency_ms_count counter
dunena_request_latency_ms_count 11
# HELP dunena_uptime_seconds Server uptime
# TYPE dunena_uptime_seconds gauge
dunena_uptime_seconds 42.1
"
    );
}
