use manifold_server::dialects::flo;

use super::{BEARER, CHANGES, Dialect, Public, Reader, Row, Writer, compare, samples};
use crate::harness::{Server, Settings};

const TOKEN: &str = "token-of-the-matrix";

const ROWS: &[Row] = &[
    ("GET /api/v1/kv/{namespace}/{key}", Reader, "", ""),
    ("PUT /api/v1/kv/{namespace}/{key}", Writer, "", r#"{"value":"eA=="}"#),
    ("DELETE /api/v1/kv/{namespace}/{key}", Writer, "", ""),
    ("GET /api/v1/kv/{namespace}", Reader, "", ""),
    ("POST /api/v1/queue/{namespace}/{queue}/enqueue", Writer, "", r#"{"payload":"eA=="}"#),
    ("POST /api/v1/queue/{namespace}/{queue}/dequeue", Writer, "", r#"{"count":1}"#),
    ("POST /api/v1/queue/{namespace}/{queue}/ack", Writer, "", r#"{"seqs":[1]}"#),
    ("POST /api/v1/queue/{namespace}/{queue}/nack", Writer, "", r#"{"seqs":[1]}"#),
    ("POST /api/v1/queue/{namespace}/{queue}/extend", Writer, "", r#"{"seqs":[1]}"#),
    ("POST /api/v1/queue/{namespace}/{queue}/touch", Writer, "", r#"{"seqs":[1]}"#),
    ("GET /api/v1/queue/{namespace}/{queue}/peek", Reader, "", ""),
    ("GET /api/v1/queue/{namespace}/{queue}/stats", Reader, "", ""),
    ("POST /api/v1/queue/{namespace}/{queue}/purge", Writer, "", ""),
    ("GET /api/v1/queue/{namespace}/{queue}/dlq", Reader, "", ""),
    ("DELETE /api/v1/queue/{namespace}/{queue}/dlq", Writer, "", ""),
    ("POST /api/v1/queue/{namespace}/{queue}/dlq/requeue", Writer, "", "{}"),
    ("GET /api/v1/queue/{namespace}", Reader, "", ""),
    ("POST /api/v1/stream/{namespace}/{stream}/append", Writer, "", r#"{"payload":"eA=="}"#),
    ("GET /api/v1/stream/{namespace}/{stream}", Reader, "", ""),
    ("GET /api/v1/stream/{namespace}/{stream}/info", Reader, "", ""),
    ("POST /api/v1/stream/{namespace}/{stream}/trim", Writer, "", r#"{"before_offset":1}"#),
    ("GET /api/v1/stream/{namespace}/{stream}/groups", Reader, "", ""),
    ("GET /api/v1/stream/{namespace}/{stream}/groups/{group}", Reader, "", ""),
    ("DELETE /api/v1/stream/{namespace}/{stream}/groups/{group}", Writer, "", ""),
    ("POST /api/v1/stream/{namespace}/{stream}/groups/{group}/join", Writer, "", r#"{"consumer":"c"}"#),
    ("POST /api/v1/stream/{namespace}/{stream}/groups/{group}/read", Writer, "", r#"{"consumer":"c"}"#),
    ("POST /api/v1/stream/{namespace}/{stream}/groups/{group}/ack", Writer, "", r#"{"consumer":"c","offsets":[0]}"#),
    ("POST /api/v1/stream/{namespace}/{stream}/groups/{group}/nack", Writer, "", r#"{"consumer":"c","offsets":[0]}"#),
    ("GET /api/v1/stream/{namespace}", Reader, "", ""),
    ("POST /api/v1/ts/{namespace}/write", Writer, "", "cpu value=1"),
    ("POST /api/v1/ts/{namespace}/query", Reader, "", r#"{"query":"cpu[1h]"}"#),
    ("POST /api/v1/ts/{namespace}/delete", Writer, "", r#"{"query":"cpu[1h]"}"#),
    ("GET /api/v1/ts/{namespace}", Reader, "", ""),
    ("GET /api/v1/timeseries/floql", Reader, "?namespace=namespace&query=cpu", ""),
    ("POST /api/v1/timeseries/floql", Reader, "?namespace=namespace", "cpu"),
    ("GET /api/v1/status", Reader, "", ""),
    ("GET /api/v1/metrics", Reader, "", ""),
    ("GET /api/v1/cluster/status", Reader, "", ""),
    ("GET /api/v1/cluster/partitions", Reader, "", ""),
    ("GET /api/v1/namespaces", Reader, "", ""),
    ("POST /api/v1/namespaces", Writer, "", r#"{"name":"new"}"#),
    ("POST /write", Writer, "?db=namespace", "cpu value=1"),
    ("POST /api/v2/write", Writer, "?bucket=namespace", "cpu value=1"),
    ("POST /api/v3/write_lp", Writer, "?db=namespace", "cpu value=1"),
    ("GET /query", Writer, "?q=CREATE%20DATABASE%20a", ""),
    ("POST /query", Writer, "?q=CREATE%20DATABASE%20b", ""),
    ("GET /ping", Public, "", ""),
    ("GET /health", Public, "", ""),
];

/// Clients of InfluxDB have ways of their own, on their routes.
fn accepts(credential: &str, path: &str) -> bool {
    let of_influx = ["/write", "/api/v2/write", "/api/v3/write_lp", "/query"].contains(&path);
    credential == "X-API-Key" || of_influx && ["Token", "p", "Basic pair"].contains(&credential)
}

#[test]
fn flo_asks_for_a_token_on_all_that_is_data() {
    compare(ROWS, flo::routes());
    let settings = Settings::fast()
        .set("flo.auth.enabled", true)
        .set("flo.auth.tokens", toml::Value::from(vec![TOKEN]))
        .set("flo.auth.jwt_secret", "signs-tokens");
    let server = std::rc::Rc::new(Server::with(settings));
    let looked_at = server.clone();
    let dialect = Dialect {
        address: server.flo(),
        rows: ROWS,
        way: BEARER,
        full: TOKEN,
        reads: None,
        accepts,
        state: Box::new(move || samples(&looked_at, &CHANGES)),
    };
    dialect.check();
}
