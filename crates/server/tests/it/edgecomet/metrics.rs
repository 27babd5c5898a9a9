//! The dialect's own metrics listener, and the same numbers on the process' page.

use std::time::Duration;

use super::{
    daemon::Daemon,
    gateway::{Gateway, failed, job},
    origin::{Answer, Origin},
    redis_server::RedisServer,
};
use crate::harness::{Connection, Request, Response, Settings, eventually, free_port};

const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon with a metrics listener, and its port.
fn listening(settings: Settings) -> (Daemon, u16) {
    let port = free_port();
    let settings =
        settings.set("edgecomet.metrics.enabled", true).set("edgecomet.metrics.listen", format!("127.0.0.1:{port}"));
    (Daemon::start(settings), port)
}

fn get(port: u16, target: &str) -> Response {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    Connection::open(address).send(&Request::get(target).key(None)).expect("an answer")
}

#[track_caller]
fn wait_for(page: impl Fn() -> String, lines: &[&str]) {
    eventually(&format!("{lines:?}"), PATIENCE, || {
        let page = page();
        lines.iter().all(|line| page.lines().any(|found| found == *line)).then_some(())
    });
}

#[test]
fn attempts_and_queues_are_on_both_pages() {
    let origin = Origin::start(|request| match request.path() {
        "/broken" => Answer::status(404, "").header("Content-Type", "text/plain").after(Duration::from_millis(30)),
        "/gone" => Answer::status(410, ""),
        _ => Answer::html("page"),
    });
    let (daemon, port) = listening(Daemon::settings());
    daemon.recache(&[origin.url("/a"), origin.url("/b"), origin.url("/gone")]);
    let body = serde_json::json!({
        "host_id": 1, "urls": [origin.url("/later")], "dimension_ids": [1], "priority": "normal",
        "schedule_at": crate::harness::now_ms() / 1000 + 1000
    });
    daemon.send(&Request::post("/internal/cache/recache", body.to_string())).expect(200);
    let lines = [
        r#"edgecomet_cd_recache_requests_total{status="success",queue_type="high"} 2"#,
        r#"edgecomet_cd_recache_requests_total{status="failed",queue_type="high"} 1"#,
        r#"edgecomet_cd_recache_total{host="127.0.0.1",status="success"} 2"#,
        r#"edgecomet_cd_recache_duration_seconds_count{host="127.0.0.1"} 3"#,
        r#"edgecomet_cd_queue_depth{queue_type="normal"} 1"#,
        r#"edgecomet_cd_queue_depth{queue_type="internal"} 0"#,
        r#"edgecomet_cd_queue_size{host="127.0.0.1",priority="normal"} 1"#,
        r#"edgecomet_cd_queue_due_now{host="127.0.0.1",priority="normal"} 0"#,
        r#"edgecomet_cd_dead_letters{host="127.0.0.1"} 1"#,
        "edgecomet_cd_jobs_in_flight 0",
        "edgecomet_cd_malformed_members_total 0",
    ];
    wait_for(|| get(port, "/metrics").expect(200).text(), &lines);
    wait_for(|| daemon.server.metrics_text(), &lines);
    let page = get(port, "/metrics");
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(!page.text().contains("unison_"), "only this dialect's numbers");
}

#[test]
fn jobs_of_gateways_are_counted_by_gateway() {
    let gateway = Gateway::answering(|received| match job(received).url.as_str() {
        "http://127.0.0.1/bad" => failed("500 Internal Server Error", "host not found"),
        _ => super::gateway::done(),
    });
    let address = gateway.address();
    let (daemon, port) = listening(Daemon::settings().set("edgecomet.gateways", vec![address.clone()]));
    daemon.recache(&["http://127.0.0.1/good".to_owned(), "http://127.0.0.1/bad".to_owned()]);
    let line = |status: &str| format!(r#"edgecomet_cd_eg_requests_total{{eg_id="{address}",status="{status}"}} 1"#);
    wait_for(|| get(port, "/metrics").expect(200).text(), &[&line("success"), &line("error")]);
}

#[test]
fn nobody_is_asked_for_a_key_and_there_is_nothing_else() {
    let settings =
        Daemon::settings().set("edgecomet.metrics.path", "/numbers").set("edgecomet.metrics.namespace", "other");
    let (daemon, port) = listening(settings);
    get(port, "/healthz").expect(200);
    get(port, "/readyz").expect(200);
    let page = get(port, "/numbers").expect(200).text();
    assert!(page.contains("other_cd_jobs_in_flight 0"), "{page}");
    for target in ["/", "/metrics", "/numbers/", "/status", "/healthz/"] {
        let answer = get(port, target).expect(404);
        assert_eq!(answer.text(), r#"{"status":"error","message":"not found"}"#, "{target}");
    }
    // The listener of requests has none of it.
    daemon.send(&Request::get("/healthz")).expect(404);
    daemon.send(&Request::get("/numbers")).expect(404);
}

#[test]
fn a_process_whose_redis_is_gone_is_alive_and_not_ready() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (_daemon, port) = listening(Daemon::settings().set("edgecomet.redis.addr", redis.address()));
    get(port, "/readyz").expect(200);
    wait_for(
        || get(port, "/metrics").expect(200).text(),
        &[r#"edgecomet_cd_redis_operations_total{operation="recover",status="success"} 1"#],
    );
    redis.stop();
    let answer = get(port, "/readyz").expect(503);
    let expected = r#"{"status":"error","message":"the home of the queues does not answer"}"#;
    assert_eq!(answer.text(), expected);
    get(port, "/healthz").expect(200);
    redis.run();
    eventually("it is ready again", PATIENCE, || (get(port, "/readyz").status == 200).then_some(()));
}
