//! A server that recaches one host, and what tests ask it. The host's names are those of this machine, so that pages can
//! come from an `Origin`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Connection, Request, Response, Server, Settings, eventually};

/// The host everything is about.
pub const HOST: i64 = 1;
/// Its first dimension besides the built-in one.
pub const DESKTOP: i64 = 1;
/// Its second one, which asks for pages with the user agent of the product; the third, `bots`, blocks.
pub const MOBILE: i64 = 2;
/// What pages of the first dimension are asked for with.
pub const USER_AGENT: &str = "Desktop/1.0";
/// Its window.
pub const VIEWPORT: (i64, i64) = (1234, 567);
/// Longest time for a job that has all it needs; the machine may be busy.
pub const SOON: Duration = Duration::from_secs(20);
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
                [hosts.dimensions.mobile]
                id = {MOBILE}
                [hosts.dimensions.bots]
                id = 3
                action = "block"
                match_ua = ["*bad*"]
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
        self.recache_in(urls, &[DESKTOP]);
    }

    /// Recaches pages in these dimensions at high priority, all in one call.
    #[track_caller]
    pub fn recache_in(&self, urls: &[String], dimensions: &[i64]) {
        let body = json!({ "host_id": HOST, "urls": urls, "dimension_ids": dimensions, "priority": "high" });
        let answer = self.send(&Request::post("/internal/cache/recache", body.to_string())).expect(200).json();
        assert_eq!(answer["data"]["entries_enqueued"], urls.len() * dimensions.len());
    }

    /// Forgets a page in all dimensions; how many records there were.
    #[track_caller]
    pub fn invalidate(&self, url: &str) -> u64 {
        let body = json!({ "host_id": HOST, "urls": [url] });
        let answer = self.send(&Request::post("/internal/cache/invalidate", body.to_string())).expect(200).json();
        answer["data"]["entries_invalidated"].as_u64().expect("a number")
    }

    /// Waits until nothing is queued, waiting or running.
    #[track_caller]
    pub fn wait_idle(&self) {
        eventually("nothing to do", SOON, || {
            let summary = Request::get(format!("/internal/cache/queue/summary?host_id={HOST}"));
            let summary = self.send(&summary).expect(200).json();
            (summary["data"] == json!({ "pending": 0, "processing": 0 })).then_some(())
        });
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

    /// Waits for the dead letter of a page.
    #[track_caller]
    pub fn dead_letter(&self, url: &str) -> Value {
        eventually(url, SOON, || self.failed().into_iter().find(|letter| letter["url"] == url))
    }

    /// A stored page, as it is read back.
    #[track_caller]
    pub fn content(&self, url: &str) -> Response {
        self.send(&content(url))
    }

    /// The same with other parameters than the dimension.
    #[track_caller]
    pub fn content_with(&self, url: &str, parameters: &str) -> Response {
        self.send(&content_of(url, parameters))
    }

    /// Waits until a page is stored, and gives it.
    #[track_caller]
    pub fn stored(&self, url: &str) -> Response {
        eventually(url, SOON, || Some(self.content(url)).filter(|answer| answer.status == 200))
    }

    /// What is known of a page that is stored.
    #[track_caller]
    pub fn known(&self, url: &str) -> Value {
        self.content_with(url, &format!("&dimension_id={DESKTOP}&format=meta")).expect(200).json()["data"].clone()
    }
}

/// The request for a stored page.
pub fn content(url: &str) -> Request {
    content_of(url, &format!("&dimension_id={DESKTOP}"))
}

fn content_of(url: &str, parameters: &str) -> Request {
    let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    let target = format!("/internal/cache/content?host_id={HOST}&url={url}{parameters}");
    Request::get(target).header("X-Internal-Auth", KEY)
}
