//! A daemon with one host, whose pages an origin of the tests plays.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::harness::{Connection, Request, Response, Server, Settings, eventually};

/// Longest time for a job that has all it needs; the machine may be busy.
pub const SOON: Duration = Duration::from_secs(20);
/// The dimension `desktop` of the host.
pub const DESKTOP: u64 = 1;
/// The dimension `mobile`.
pub const MOBILE: u64 = 2;

/// A running daemon.
pub struct Daemon {
    pub server: Server,
}

/// Host 1, `127.0.0.1` and `localhost`, with three dimensions beside the built-in one; ticks are short, and private
/// networks permitted.
pub fn settings() -> Settings {
    let hosts = r#"
        [[hosts]]
        id = 1
        domain = ["127.0.0.1", "localhost"]
        [hosts.dimensions]
        desktop = { id = 1, width = 1920, height = 1080, render_ua = "DesktopBot/1.0" }
        mobile = { id = 2, width = 390, height = 844 }
        bots = { id = 3, action = "block", match_ua = ["*bad*"] }
    "#;
    let hosts: toml::Table = hosts.parse().expect("TOML");
    Settings::fast()
        .set("edgecomet.hosts", hosts["hosts"].clone())
        .set("edgecomet.scheduler.tick_interval", "100ms")
        .set("edgecomet.scheduler.normal_check_interval", "100ms")
        .set("edgecomet.internal_queue.retry_base_delay", "100ms")
        .set("edgecomet.worker.allow_private", true)
}

impl Daemon {
    /// One with these settings.
    pub fn with(settings: Settings) -> Daemon {
        Daemon { server: Server::with(settings) }
    }

    /// One request with the key.
    pub fn ask(&self, request: &Request) -> Response {
        let request = request.clone().key(None).header("X-Internal-Auth", "dev");
        Connection::open(self.server.edgecomet())
            .send(&request)
            .unwrap_or_else(|error| panic!("{request}: {error}\n{}", self.server.log.tail()))
    }

    /// `GET target`.
    pub fn get(&self, target: &str) -> Response {
        self.ask(&Request::get(target))
    }

    /// Queues pages at high priority.
    #[track_caller]
    pub fn recache(&self, urls: &[String], dimensions: &[u64]) {
        let body = json!({"host_id": 1, "urls": urls, "dimension_ids": dimensions, "priority": "high"});
        let answer = self.ask(&Request::post("/internal/cache/recache", body.to_string())).expect(200).json();
        assert_eq!(answer["data"]["entries_enqueued"], json!(urls.len() * dimensions.len()), "{answer}");
    }

    /// Forgets a page in all dimensions; how many records there were.
    pub fn invalidate(&self, url: &str) -> u64 {
        let body = json!({"host_id": 1, "urls": [url], "dimension_ids": []});
        let answer = self.ask(&Request::post("/internal/cache/invalidate", body.to_string())).expect(200).json();
        answer["data"]["entries_invalidated"].as_u64().expect("a number")
    }

    /// A stored page; `more` are further parameters.
    pub fn content(&self, url: &str, more: &str) -> Response {
        let url = utf8_percent_encode(url, NON_ALPHANUMERIC);
        self.get(&format!("/internal/cache/content?host_id=1&url={url}{more}"))
    }

    /// Waits until a page is stored in a dimension, and gives it.
    #[track_caller]
    pub fn stored(&self, url: &str, dimension: u64) -> Response {
        let more = format!("&dimension_id={dimension}");
        eventually(url, SOON, || Some(self.content(url, &more)).filter(|answer| answer.status == 200))
    }

    /// What is known of a page that is stored.
    #[track_caller]
    pub fn known(&self, url: &str, dimension: u64) -> Value {
        let more = format!("&dimension_id={dimension}&format=meta");
        self.content(url, &more).expect(200).json()["data"].clone()
    }

    /// The dead letters, the newest first.
    pub fn dead_letters(&self) -> Vec<Value> {
        let answer = self.get("/internal/cache/failed?host_id=1&limit=100").expect(200).json();
        answer["data"]["items"].as_array().expect("a list").clone()
    }

    /// Waits for the dead letter of a page.
    #[track_caller]
    pub fn dead_letter(&self, url: &str) -> Value {
        eventually(url, SOON, || self.dead_letters().into_iter().find(|letter| letter["url"] == url))
    }

    /// Waits until nothing is queued, waiting or running.
    #[track_caller]
    pub fn wait_idle(&self) {
        eventually("nothing to do", SOON, || {
            let summary = self.get("/internal/cache/queue/summary?host_id=1").expect(200).json();
            (summary["data"] == json!({"pending": 0, "processing": 0})).then_some(())
        });
    }
}
