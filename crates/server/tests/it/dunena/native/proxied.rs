//! A server with connectors, asked over HTTP.

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::harness::{Connection, Request, Response, Server, Settings};

/// A running server.
pub struct Proxied {
    pub server: Server,
}

/// The members of an answer that are looked at.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    error: Option<String>,
}

impl Proxied {
    pub fn start() -> Proxied {
        Proxied::with(Settings::default())
    }

    /// With statements that take this long at most, and answers this long.
    pub fn limited(timeout_ms: i64, response_bytes: i64) -> Proxied {
        let limits = Settings::default().set("dunena.proxy_timeout", timeout_ms);
        Proxied::with(limits.set("dunena.proxy_max_response", response_bytes))
    }

    pub fn with(settings: Settings) -> Proxied {
        Proxied { server: Server::with(settings.set("dunena.rate_max", 0)) }
    }

    /// Registers a connector, in place of one of that name.
    pub fn register(&self, name: &str, kind: &str, dsn: &str, read_only: bool) {
        self.post("/db-proxy/unregister", &json!({"name": name}).to_string());
        let connector = json!({"name": name, "type": kind, "connectionString": dsn, "readOnly": read_only});
        let answer = self.post("/db-proxy/register", &connector.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// What a query gives: the JSON text of `data`, or the text of the error. Nothing comes from the cache.
    pub fn ask(&self, name: &str, query: &str, params: &str) -> Result<String, String> {
        let (name, query) = (json!(name), json!(query));
        let body = format!(r#"{{"connector":{name},"query":{query},"params":{params},"skipCache":true}}"#);
        let answer = self.post("/db-proxy/query", &body);
        let text = answer.text();
        let members: Answer<'_> = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no answer: {text}"));
        match (answer.status, members.data, members.error) {
            (200, Some(data), None) => Ok(data.get().to_owned()),
            (502, None, Some(error)) => Err(error),
            _ => panic!("{}: {text}", answer.status),
        }
    }

    pub fn post(&self, target: &str, body: &str) -> Response {
        let request = Request::post(target, body).key(None);
        Connection::open(self.server.dunena()).send(&request).unwrap_or_else(|error| panic!("{target}: {error}"))
    }
}
