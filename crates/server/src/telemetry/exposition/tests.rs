use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt;

use super::*;
use crate::telemetry::{AuthFailure, ProcessGauges, StreamKind, UnisonMetrics};

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_shows_what_was_counted() {
    let unison = Arc::new(UnisonMetrics::default());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(unison.clone()));
    registry.register_collector(Box::new(ProcessGauges::default()));
    let exposition = Exposition::new(registry, 2, Vec::new());

    unison.request("/api/v1/kv/{namespace}/{key}", &Method::GET, StatusCode::OK, Duration::from_micros(70));
    unison.auth_failed(AuthFailure::ReadOnly);
    let _watching = unison.stream(StreamKind::Sse);
    drop(unison.stream(StreamKind::WebSocket));
    unison.stream_reset();

    let response = exposition.answer(&Method::GET, "/metrics");
    assert_eq!(response.headers()[CONTENT_TYPE], TEXT);
    let page = text(response).await;
    for line in [
        r#"unison_requests_total{route="/api/v1/kv/{namespace}/{key}",method="GET",status="200"} 1"#,
        r#"unison_request_duration_seconds_bucket{le="0.0001",route="/api/v1/kv/{namespace}/{key}",method="GET"} 1"#,
        r#"unison_request_duration_seconds_count{route="/api/v1/kv/{namespace}/{key}",method="GET"} 1"#,
        r#"unison_auth_failures_total{kind="missing"} 0"#,
        r#"unison_auth_failures_total{kind="readonly"} 1"#,
        r#"unison_stream_clients{kind="ws"} 0"#,
        r#"unison_stream_clients{kind="sse"} 1"#,
        "unison_stream_resets_total 1",
        "unison_idempotent_replays_total 0",
        "# TYPE unison_stream_resets_total counter",
        "# HELP unison_stream_resets_total Followers that retention overtook",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\nis not in\n{page}");
    }
    assert!(page.contains("\nmanifold_uptime_seconds "), "{page}");
    assert!(!page.contains("{}") && !page.contains("# EOF"), "{page}");
}

#[tokio::test]
async fn everything_else_is_refused_as_json() {
    let exposition = Exposition::new(Registry::default(), 2, Vec::new());
    let health = text(exposition.answer(&Method::GET, "/health")).await;
    assert_eq!(health, r#"{"status":"ok","shards":2,"uptime_seconds":0,"connections":0}"#);
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "/metrics/", 404),
        (Method::POST, "/metrics", 405),
        (Method::DELETE, "/nothing", 404),
    ] {
        let response = exposition.answer(&method, path);
        assert_eq!(response.status(), status, "{method} {path}");
        assert!(text(response).await.starts_with(r#"{"error":""#));
    }
}
