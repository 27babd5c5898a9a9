use prometheus_client::registry::Registry;

use super::{super::exposition, *};

fn page(metrics: &Arc<EdgeCometMetrics>) -> String {
    let mut registry = Registry::default();
    registry.sub_registry_with_prefix("edgecomet_cd").register_collector(Box::new(metrics.clone()));
    exposition::page(&registry).expect("a page")
}

#[track_caller]
fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "{line}\n{page}");
    }
}

#[test]
fn attempts_are_counted_by_queue_and_by_host() {
    let metrics = Arc::<EdgeCometMetrics>::default();
    metrics.ended("example.com", Priority::High, JobEnd::Success, Duration::from_micros(70));
    metrics.ended("example.com", Priority::High, JobEnd::Success, Duration::from_millis(4));
    metrics.ended("example.com", Priority::Normal, JobEnd::Retry, Duration::from_millis(30));
    metrics.ended("other.org", Priority::Autorecache, JobEnd::Failed, Duration::from_secs(20));
    assert_lines(
        &page(&metrics),
        &[
            "# TYPE edgecomet_cd_recache_requests_total counter",
            r#"edgecomet_cd_recache_requests_total{status="success",queue_type="high"} 2"#,
            r#"edgecomet_cd_recache_requests_total{status="retry",queue_type="normal"} 1"#,
            r#"edgecomet_cd_recache_requests_total{status="skipped",queue_type="high"} 0"#,
            r#"edgecomet_cd_recache_total{host="example.com",status="success"} 2"#,
            r#"edgecomet_cd_recache_total{host="other.org",status="failed"} 1"#,
            r#"edgecomet_cd_recache_duration_seconds_bucket{le="0.005",host="example.com"} 2"#,
            r#"edgecomet_cd_recache_duration_seconds_bucket{le="0.05",host="example.com"} 3"#,
            r#"edgecomet_cd_recache_duration_seconds_count{host="example.com"} 3"#,
            r#"edgecomet_cd_recache_duration_seconds_bucket{le="10.0",host="other.org"} 0"#,
            r#"edgecomet_cd_recache_duration_seconds_bucket{le="+Inf",host="other.org"} 1"#,
        ],
    );
    let smaller = page(&metrics).lines().filter(|line| line.contains(r#"le="0.0025""#)).count();
    assert_eq!(smaller, 0);
}

#[tokio::test]
async fn calls_are_counted_by_what_became_of_them() {
    let metrics = Arc::<EdgeCometMetrics>::default();
    let calls = metrics.calls();
    assert_eq!(calls.count("pull", async { Ok::<_, ()>(7) }).await, Ok(7));
    assert_eq!(calls.count("pull", async { Err::<(), _>("gone") }).await, Err("gone"));
    metrics.gateway("eg1", true);
    metrics.gateway("eg1", false);
    assert_lines(
        &page(&metrics),
        &[
            r#"edgecomet_cd_redis_operations_total{operation="pull",status="success"} 1"#,
            r#"edgecomet_cd_redis_operations_total{operation="pull",status="error"} 1"#,
            r#"edgecomet_cd_eg_requests_total{eg_id="eg1",status="success"} 1"#,
            r#"edgecomet_cd_eg_requests_total{eg_id="eg1",status="error"} 1"#,
        ],
    );
}

#[test]
fn how_things_stand_is_what_was_seen_last() {
    let metrics = Arc::<EdgeCometMetrics>::default();
    let depth = |total, due| Depth { total, due };
    let host = |host: &str, queues, dead_letters| HostStanding { host: host.to_owned(), queues, dead_letters };
    let hosts = vec![
        host("example.com", [depth(5, 4), depth(0, 0), depth(9, 1)], 2),
        host("other.org", [depth(1, 1), depth(0, 0), depth(0, 0)], 0),
    ];
    metrics.stand(Standing { internal: 99, ..Standing::default() });
    metrics.stand(Standing { hosts, internal: 3, in_flight: 7, malformed: 1 });
    assert_lines(
        &page(&metrics),
        &[
            "# TYPE edgecomet_cd_queue_depth gauge",
            r#"edgecomet_cd_queue_depth{queue_type="high"} 6"#,
            r#"edgecomet_cd_queue_depth{queue_type="internal"} 3"#,
            r#"edgecomet_cd_queue_size{host="example.com",priority="autorecache"} 9"#,
            r#"edgecomet_cd_queue_due_now{host="example.com",priority="high"} 4"#,
            r#"edgecomet_cd_queue_due_now{host="other.org",priority="normal"} 0"#,
            r#"edgecomet_cd_dead_letters{host="example.com"} 2"#,
            "edgecomet_cd_jobs_in_flight 7",
            "edgecomet_cd_malformed_members_total 1",
        ],
    );
}
