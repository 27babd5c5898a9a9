use manifold_server::dialects::edgecomet;

use super::{CHANGES, Dialect, Reader, Row, Way, Writer, compare, samples};
use crate::harness::{Server, Settings};

const KEY: &str = "key-of-the-matrix";

const ROWS: &[Row] = &[
    ("POST /internal/cache/recache", Writer, "", r#"{"host_id":1,"urls":["https://example.com/a"],"priority":"high"}"#),
    ("POST /internal/cache/invalidate", Writer, "", r#"{"host_id":1,"urls":["https://example.com/a"]}"#),
    ("GET /status", Reader, "", ""),
    ("POST /internal/scheduler/pause", Writer, "", ""),
    ("POST /internal/scheduler/resume", Writer, "", ""),
    ("GET /internal/cache/urls", Reader, "?host_id=1", ""),
    ("GET /internal/cache/summary", Reader, "?host_id=1", ""),
    ("GET /internal/cache/queue", Reader, "?host_id=1", ""),
    ("GET /internal/cache/queue/summary", Reader, "?host_id=1", ""),
    ("GET /internal/cache/content", Reader, "?host_id=1&url=https://example.com/a&dimension_id=1", ""),
    ("POST /internal/cache/invalidate-all", Writer, "", r#"{"host_id":1}"#),
    ("POST /internal/cache/invalidate-prefix", Writer, "", r#"{"host_id":1,"prefix":"https://example.com/"}"#),
    ("POST /internal/cache/queue/purge", Writer, "", r#"{"host_id":1,"priority":["high"]}"#),
    ("GET /internal/cache/failed", Reader, "?host_id=1", ""),
    ("POST /internal/cache/failed/retry", Writer, "", r#"{"host_id":1}"#),
    (
        "POST /internal/cache/bot-hit",
        Writer,
        "",
        r#"{"host_id":1,"url":"https://example.com/a","dimension_id":1,"user_agent":"googlebot"}"#,
    ),
];

#[test]
fn edgecomet_asks_for_its_key_on_everything() {
    let routes = edgecomet::routes();
    compare(ROWS, routes.iter().map(|(method, path)| (method.as_str(), *path)));
    let host: toml::Table = "id = 1\ndomain = \"example.com\"\n".parse().expect("a host");
    let settings = Settings::fast()
        .set("edgecomet.internal_auth_key", KEY)
        .set("edgecomet.http_api.scheduler_control_api", true)
        .set("edgecomet.worker.enabled", false)
        .set("edgecomet.hosts", toml::Value::from(vec![host]));
    let server = std::rc::Rc::new(Server::with(settings));
    let looked_at = server.clone();
    let dialect = Dialect {
        address: server.edgecomet(),
        rows: ROWS,
        way: Way { header: "X-Internal-Auth", scheme: "" },
        full: KEY,
        reads: None,
        accepts: |_, _| false,
        state: Box::new(move || samples(&looked_at, &CHANGES)),
    };
    dialect.check();
}
