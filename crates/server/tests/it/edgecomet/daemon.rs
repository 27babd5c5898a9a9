//! A server that recaches one host, and what tests ask it. The host's names are those of this machine, so that pages can
//! come from an `Origin`.

use serde_json::{Value, json};

use crate::harness::{Connection, Request, Response, Server, Settings};

/// The host everything is about.
pub const HOST: i64 = 1;
/// Its only dimension besides the built-in one.
pub const DESKTOP: i64 = 1;
/// What pages of that dimension are asked for with.
pub const USER_AGENT: &str = "Desktop/1.0";
/// Its window.
pub const VIEWPORT: (i64, i64) = (1234, 567);
const KEY: &str = "dev";

/// A server that recaches.
pub struct Daemon {
    pub server: Server,
}

impl Daemon {
    /// Settings of a daemon that is quick and may fetch from this machine.
    pub fn settings() -> Settings {
        let hosts = format!(
            r#"
                [[hosts]]
                id = {HOST}
                domain = ["127.0.0.1", "localhost"]
                [hosts.dimensions.desktop]
                id = {DESKTOP}
                width = {}
                height = {}
                render_ua = "{USER_AGENT}"
            "#,
            VIEWPORT.0, VIEWPORT.1
        );
        let hosts: toml::Table = hosts.parse().expect("TOML");
        Settings::fast()
            .set("edgecomet.hosts", hosts["hosts"].clone())
            .set("edgecomet.scheduler.tick_interval", "100ms")
            .set("edgecomet.scheduler.normal_check_interval", "1s")
            .set("edgecomet.internal_queue.retry_base_delay", "100ms")
            .set("edgecomet.recache.rs_capacity_reserved", 0.0)
            .set("edgecomet.http_api.scheduler_control_api", true)
            .set("edgecomet.worker.allow_private", true)
    }

    /// A daemon with these settings.
    pub fn start(settings: Settings) -> Daemon {
        Daemon { server: Server::with(settings) }
    }

    /// A keep-alive connection for [`on`].
    pub fn connect(&self) -> Connection {
        Connection::open(self.server.edgecomet())
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        let answer = self.connect().send(&request.clone().header("X-Internal-Auth", KEY));
        answer.unwrap_or_else(|error| panic!("{request}: {error}\n{}", self.server.log.tail()))
    }

    /// Recaches pages in [`DESKTOP`] at high priority, all in one call.
    #[track_caller]
    pub fn recache(&self, urls: &[String]) {
        let body = json!({ "host_id": HOST, "urls": urls, "dimension_ids": [DESKTOP], "priority": "high" });
        let answer = self.send(&Request::post("/internal/cache/recache", body.to_string())).expect(200).json();
        assert_eq!(answer["data"]["entries_enqueued"], urls.len());
    }

    /// What the daemon says of itself.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.send(&Request::get("/status")).expect(200).json()
    }

    /// All dead letters.
    #[track_caller]
    pub fn failed(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let target = format!("/internal/cache/failed?host_id={HOST}&limit=100&cursor={cursor}");
            let page = self.send(&Request::get(target)).expect(200).json();
            found.extend(page["data"]["items"].as_array().expect("items").iter().cloned());
            cursor = page["data"]["cursor"].as_str().expect("a cursor").to_owned();
            if page["data"]["has_more"] == false {
                return found;
            }
        }
    }

    /// A stored page, as it is read back.
    #[track_caller]
    pub fn content(&self, url: &str) -> Response {
        self.send(&content(url))
    }
}

/// The request for a stored page.
pub fn content(url: &str) -> Request {
    let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    let target = format!("/internal/cache/content?host_id={HOST}&dimension_id={DESKTOP}&url={url}");
    Request::get(target).header("X-Internal-Auth", KEY)
}
