//! What a scenario file says; the format is explained in `docs/testing.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_yaml_ng::{Mapping, Value};

/// One scenario: a fresh server and the steps on it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the scenario shows.
    pub name: String,
    /// Further keys of `manifold.toml`, as `section.key: value`.
    #[serde(default)]
    pub server: BTreeMap<String, Value>,
    pub steps: Vec<Step>,
}

/// A listener of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    Unison,
    Flo,
    Synap,
    Dunena,
    EdgeComet,
    Metrics,
}

/// One step; its first key says which kind it is.
#[derive(Debug)]
pub enum Step {
    Request(Box<RequestStep>),
    Restart(Restart),
    SleepMs(u64),
    Socket(SocketStep),
    Events(EventsStep),
}

/// `do`: one request and what its answer must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStep {
    /// Method and raw target.
    #[serde(rename = "do")]
    pub request: String,
    /// The dialect that is asked; without it the one whose folder the file lies in.
    pub on: Option<Dialect>,
    /// A sentence for the failure message.
    pub name: Option<String>,
    /// The key to send, or `none`.
    #[serde(default = "full_key")]
    pub key: String,
    /// `Name: value` lines, sent in order.
    #[serde(default)]
    pub headers: Vec<String>,
    pub body: Option<String>,
    /// A body that is not UTF-8, in hexadecimal.
    pub body_hex: Option<String>,
    /// Sends the request this many times, with `{{i}}` counting from 1; each answer is checked.
    #[serde(default = "once")]
    pub times: usize,
    /// Sends the request again until the answer is as expected, this long at most.
    #[serde(default)]
    pub within_ms: u64,
    /// The answer must take at least and at most this long.
    pub took_ms: Option<[u64; 2]>,
    pub status: Option<u16>,
    /// `Name: template` must be there, `!Name` must not.
    #[serde(default)]
    pub want: Vec<String>,
    /// Template of the whole body.
    pub expect: Option<String>,
    /// The text of an error body: short for `expect: {"error":"<text>"}`.
    pub error: Option<String>,
    /// JSON pointers into the body with the template of the value there, in this order; `/#` at the end is the length
    /// of an array.
    #[serde(default)]
    pub at: Mapping,
}

/// `restart`: how the process ends before it is started again.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// SIGTERM, and exit 0.
    Stop,
    /// SIGKILL.
    Kill,
}

/// `ws`: what happens on one WebSocket, in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketStep {
    /// The name of the socket.
    pub ws: String,
    pub name: Option<String>,
    /// Opens it.
    pub open: Option<OpenSocket>,
    /// Sends a text message.
    pub send: Option<String>,
    pub send_binary_hex: Option<String>,
    /// Templates of the messages that arrive next, in order.
    #[serde(default)]
    pub recv: Vec<String>,
    /// No message comes for this long.
    pub quiet_ms: Option<u64>,
    /// Drops the connection.
    #[serde(default)]
    pub drop: bool,
    /// The server closes with this code.
    pub closed: Option<u16>,
}

/// How a socket is opened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSocket {
    #[serde(default = "full_key")]
    pub key: String,
    pub protocols: Option<String>,
    /// The subprotocol that the server must choose.
    pub chosen: Option<String>,
    /// What is asked for, instead of the dialect's one and only socket.
    pub target: Option<String>,
    #[serde(default)]
    pub headers: Vec<String>,
    /// The status that refuses it.
    pub refused: Option<u16>,
}

/// `sse`: what happens on one event stream, in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsStep {
    /// The name of the stream.
    pub sse: String,
    pub name: Option<String>,
    /// The target that opens it.
    pub open: Option<String>,
    #[serde(default)]
    pub headers: Vec<String>,
    /// Templates `event id data` of the events that arrive next, in order.
    #[serde(default)]
    pub recv: Vec<String>,
    /// Drops the connection.
    #[serde(default)]
    pub drop: bool,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let step = |value: Value| -> Result<Step, serde_yaml_ng::Error> {
            if let Some(how) = value.get("restart") {
                return Ok(Step::Restart(serde_yaml_ng::from_value(how.clone())?));
            }
            if let Some(pause) = value.get("sleep_ms") {
                return Ok(Step::SleepMs(serde_yaml_ng::from_value(pause.clone())?));
            }
            if value.get("ws").is_some() {
                return Ok(Step::Socket(serde_yaml_ng::from_value(value)?));
            }
            if value.get("sse").is_some() {
                return Ok(Step::Events(serde_yaml_ng::from_value(value)?));
            }
            Ok(Step::Request(Box::new(serde_yaml_ng::from_value(value)?)))
        };
        let shown = serde_yaml_ng::to_string(&value).unwrap_or_default();
        step(value).map_err(|error| D::Error::custom(format!("{error} in step\n{shown}")))
    }
}

fn full_key() -> String {
    crate::harness::FULL_KEY.to_owned()
}

fn once() -> usize {
    1
}
