//! Each dialect as a whole: requests come in over a connection, the engine is asked, and the answer is read. Whatever
//! comes, nothing panics, nothing is an internal error, what says it is JSON is, and an error has its dialect's form.

use std::{cell::RefCell, sync::Arc};

use serde_json::Value;
use tokio::sync::Notify;

use super::{
    house::{Ground, Kept, within},
    request::{self, Request, Response},
};
use crate::{
    dialects::{
        dunena::{self, Dunena},
        edgecomet::{self, EdgeComet},
        flo::{self, Flo},
        synap::{self, Synap},
        unison::{self, Unison},
    },
    net::{Service, in_memory},
    telemetry::{DunenaMetrics, EdgeCometMetrics, FloMetrics, SynapMetrics, UnisonMetrics},
};

/// Long values and bodies are no other code, only slower.
const BODY_BYTES: usize = 1 << 20;
/// By its contract Unison has this status for a socket that is asked for without the headers of one.
const NO_UPGRADE: &str = r#"{"error":"WebSocket upgrade failed"}"#;
const KEY: &str = "key";

pub(super) async fn open_unison(ground: Ground<'_>) -> Unison {
    let config = unison::Config { api_key: KEY.into(), max_body_bytes: BODY_BYTES, ..unison::Config::default() };
    Unison::new(config, ground.engine, Arc::new(UnisonMetrics::default()), ground.shutdown)
}

pub(crate) async fn open_flo(ground: Ground<'_>) -> Flo {
    let config = flo::Config::default();
    let bounds = flo::Bounds { value_bytes: BODY_BYTES, body_bytes: BODY_BYTES };
    let metrics = Arc::new(FloMetrics::new(in_memory::no_listener(), config.shards(), 1));
    Flo::new(&config, ground.engine, bounds, metrics, ground.shutdown)
}

pub(super) async fn open_synap(ground: Ground<'_>) -> Synap {
    let mut config = synap::Config::default();
    config.kv_store.allow_flush_commands = true;
    config.rate_limit.requests_per_minute = 0;
    let surroundings = synap::Surroundings {
        engine: ground.engine,
        metrics: Arc::new(SynapMetrics::new(synap::command_names())),
        body_bytes: BODY_BYTES,
        memory_bytes: 0,
        effective: "{}".to_owned(),
        stop: Arc::new(Notify::new()),
        shutdown: ground.shutdown,
    };
    Synap::new(&config, surroundings)
}

pub(super) async fn open_dunena(ground: Ground<'_>) -> Dunena {
    let config = dunena::Config { rate_max: 0, max_entries: 1000, persist: true, ..dunena::Config::default() };
    let surroundings = dunena::Surroundings {
        engine: ground.engine,
        data_dir: ground.folder.0.join("data"),
        level: manifold_engine::Level::Os,
        metrics: Arc::new(DunenaMetrics::default()),
        shutdown: ground.shutdown,
    };
    // Nothing here may talk to whoever an input names.
    Dunena::open(&config, surroundings).await.expect("opens").without_proxy()
}

async fn open_edgecomet(ground: Ground<'_>) -> EdgeComet {
    let text = r#"
        internal_auth_key = "key"
        http_api.scheduler_control_api = true
        hosts = [
            { id = 1, domain = ["example.com", "www.example.com"], dimensions = { desktop = { id = 1, width = 1, height = 1,
              render_ua = "Desk" }, bots = { id = 3, action = "block", match_ua = ["BadBot"] } } },
            { id = 2, domain = "example.org", dimensions = { only = { id = 5, width = 1, height = 1, render_ua = "Only" } } },
        ]"#;
    let config: edgecomet::Config = toml::from_str(text).expect("a configuration");
    let surroundings = edgecomet::Surroundings {
        engine: ground.engine,
        data_dir: ground.folder.0.join("data"),
        metrics: Arc::new(EdgeCometMetrics::default()),
        shutdown: ground.shutdown,
    };
    EdgeComet::open(config, surroundings).await.expect("opens")
}

pub(super) fn unison(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Unison> = const { RefCell::new(None) });
    converse(data, &HOUSE, open_unison, |request, response, body| {
        let known = request.path() != "/api/v1/ready" && response.status >= 400;
        assert!(!known || text(body, "/error").is_some(), "an error without a text");
    });
}

pub(super) fn flo(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Flo> = const { RefCell::new(None) });
    converse(data, &HOUSE, open_flo, |_, response, body| {
        let complete = text(body, "/error").is_some()
            && text(body, "/message").is_some()
            && body.pointer("/details").is_some_and(Value::is_object);
        assert!(response.status < 400 || complete, "an error without a code, a message or details");
    });
}

pub(super) fn synap(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Synap> = const { RefCell::new(None) });
    converse(data, &HOUSE, open_synap, |_, response, body| {
        let told = text(body, "/error").or(text(body, "/error/code")).is_some();
        assert!(told || response.status < 400, "{body}");
    });
}

pub(super) fn dunena(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Dunena> = const { RefCell::new(None) });
    converse(data, &HOUSE, open_dunena, |request, response, body| {
        let told = text(body, "/error").is_some();
        // The probe says what is wrong in a form of its own.
        assert!(told || response.status < 400 || request.path() == "/health/ready", "{body}");
        assert!(response.header("x-request-id").is_some());
    });
}

pub(super) fn edgecomet(data: &[u8]) {
    thread_local!(static HOUSE: Kept<EdgeComet> = const { RefCell::new(None) });
    converse(data, &HOUSE, open_edgecomet, |request, response, body| {
        if request.path().starts_with("/status") && response.status == 200 {
            return;
        }
        let status = body.get("status").is_none_or(|status| (status == "ok") == (response.status == 200));
        assert!(status && (response.status == 200 || text(body, "/message").is_some()), "{body}");
    });
}

fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str)
}

fn converse<S: Service>(
    data: &[u8],
    kept: &'static std::thread::LocalKey<Kept<S>>,
    open: impl AsyncFnOnce(Ground<'_>) -> S,
    check: impl Fn(&Request, &Response, &Value),
) {
    kept.with(|kept| {
        within(kept, open, |house| {
            for request in request::script(data) {
                let request = request.with("authorization", "Bearer key").with("x-internal-auth", KEY);
                let Some(response) = house.ask(&request) else { continue };
                let shown = String::from_utf8_lossy(&response.body);
                let internal = response.status == 500 && shown != NO_UPGRADE;
                assert!(!internal, "{} {}: {shown}", request.method, request.target);
                if let Some(body) = response.json() {
                    check(&request, &response, &body);
                }
            }
        });
    });
}

/// Any bytes instead of requests, to listeners that count bytes of heads and to those that do not.
pub(super) fn connection(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Unison> = const { RefCell::new(None) });
    let Some((head_bytes, sent)) = data.split_first() else { return };
    let head_bytes = (head_bytes % 2 == 1).then_some(16 << 10);
    HOUSE.with(|kept| {
        within(kept, open_unison, |house| {
            let answer = house.exchange(head_bytes, sent);
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
            assert!(!answer.starts_with(b"HTTP/1.1 500"), "{}", String::from_utf8_lossy(&answer));
        });
    });
}
