//! The section `[synap]` of the configuration.

use std::{net::SocketAddr, time::Duration};

use manifold_engine::{queue, stream::StreamRetention};
use serde::{Deserialize, Serialize};

use super::access::Role;
use crate::{
    http::{auth::Secret, browser::Trust},
    net::{Hosts, TlsOptions},
};

#[cfg(test)]
mod tests;

/// Everything an operator can say about this dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Open this listener.
    pub enabled: bool,
    /// The listener's address; the top-level `host` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The listener's port.
    pub port: u16,
    /// TLS of this listener; what is absent is as in the top-level `tls`.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
    /// Longest request body and WebSocket message in MiB.
    pub max_request_size_mb: u32,
    /// Send answers of more than 1 KiB with gzip to those who accept it.
    pub compression: bool,
    /// Origins whose pages may use the API.
    pub cors_origins: Vec<String>,
    /// How `kv.get` answers who does not say: as documented, or as published clients read it.
    pub compat: Compat,
    /// Who may come in.
    pub auth: Auth,
    /// How often.
    pub rate_limit: RateLimit,
    /// Answer `/metrics` without credentials.
    pub metrics_public: bool,
    /// Keys.
    pub kv_store: KvStore,
    /// Queues.
    pub queue: Queue,
    /// Rooms.
    pub event_stream: EventStream,
    /// Publish and subscribe.
    pub pubsub: PubSub,
    /// Connections that watch keys.
    pub watch: Watch,
}

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compat {
    /// As documented.
    Document,
    /// As published clients read them.
    Sdk,
}

/// `[synap.auth]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// Keys that may come in.
    pub api_keys: Vec<ApiKey>,
    /// Signed tokens.
    pub jwt: Jwt,
    /// Users with a password.
    pub users: Vec<User>,
    /// Serve an address that is not loopback without any credential.
    pub allow_anonymous: bool,
    /// Refuse to start without any credential.
    pub required: bool,
}

/// An entry of `auth.api_keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The key.
    pub key: Secret,
    /// Whose it is.
    #[serde(default)]
    pub name: String,
    /// What it is good for; absent: everything, as `admin`.
    #[serde(default)]
    pub role: Role,
    /// Requests per minute; those of everybody when absent, 0 = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
}

/// `[synap.auth.jwt]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jwt {
    /// The secret that accepted HS256 tokens are signed with.
    pub secret: Secret,
}

/// An entry of `auth.users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// `[synap.rate_limit]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateLimit {
    /// Requests per minute and caller; 0 = no limit.
    pub requests_per_minute: u32,
}

/// `[synap.kv_store]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KvStore {
    /// What clients may keep in the whole process, in MiB, before growth is refused. Of this and `limits.memory_bytes` the
    /// smaller one counts; 0 = no limit.
    pub max_memory_mb: u64,
    /// Allow commands that remove all keys.
    pub allow_flush_commands: bool,
}

/// `[synap.queue]`: what queues have that nobody gave other settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Ready messages of a queue at which more are refused, unless it was created with another number.
    pub default_max_depth: u64,
    /// Seconds a consumer may take, likewise.
    pub default_ack_deadline_secs: u64,
    /// Deliveries after the first one, likewise.
    pub default_max_retries: u32,
    /// The priority of a message that names none.
    pub default_priority: u32,
    /// Dead letters kept; 0 = all.
    pub dlq_max_size: u64,
}

/// `[synap.event_stream]`: what rooms keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventStream {
    /// Events kept of a room that was made through Synap; 0 = all.
    pub max_events_per_room: u64,
    /// Hours that events of such a room are kept; 0 = for ever.
    pub retention_hours: u64,
}

/// `[synap.pubsub]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PubSub {
    /// Messages that wait for a subscriber before it is dropped.
    pub subscriber_buffer: usize,
}

/// `[synap.watch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Longest value that `/kv/ws` sends along.
    pub max_inline_value_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            enabled: true,
            host: None,
            port: 15500,
            tls: TlsOptions::default(),
            max_request_size_mb: 10,
            compression: false,
            cors_origins: Vec::new(),
            compat: Compat::Document,
            auth: Auth::default(),
            rate_limit: RateLimit::default(),
            metrics_public: false,
            kv_store: KvStore::default(),
            queue: Queue::default(),
            event_stream: EventStream::default(),
            pubsub: PubSub::default(),
            watch: Watch::default(),
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Queue {
            default_max_depth: 100_000,
            default_ack_deadline_secs: 30,
            default_max_retries: 3,
            default_priority: 5,
            dlq_max_size: 0,
        }
    }
}

impl Default for EventStream {
    fn default() -> Self {
        EventStream { max_events_per_room: 100_000, retention_hours: 24 }
    }
}

impl Default for PubSub {
    fn default() -> Self {
        PubSub { subscriber_buffer: 1024 }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Watch { max_inline_value_bytes: 64 << 10 }
    }
}

/// Why the dialect does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Everybody could come in.
    #[error(
        "synap: {0} is not a loopback address and nothing in [synap.auth] keeps anybody out: set api_keys, jwt.secret or \
         users, or allow_anonymous = true"
    )]
    Open(SocketAddr),
    /// Nobody could come in.
    #[error("synap: authentication is asked for, but [synap.auth] has no api_keys, no jwt.secret and no users")]
    NoCredential,
    /// A credential that anybody has.
    #[error("synap: {0} must not be empty")]
    Empty(&'static str),
    /// Who has it could be either of two.
    #[error("synap: two of auth.api_keys have the same key")]
    SameKey,
    /// A setting beyond its bounds.
    #[error("synap: {name} must be from {least} to {most}")]
    Range {
        /// Its key.
        name: &'static str,
        /// From here.
        least: u64,
        /// To here.
        most: u64,
    },
}

impl Config {
    /// Checks what no single value shows, for a listener on `listen`, and tells the operator what deserves a word.
    pub fn validate(&self, listen: SocketAddr) -> Result<(), Refused> {
        let Auth { api_keys, users, .. } = &self.auth;
        if api_keys.iter().any(|key| key.key.is_empty()) {
            return Err(Refused::Empty("auth.api_keys.key"));
        }
        let mut keys: Vec<&str> = api_keys.iter().map(|key| key.key.expose()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|two| two[0] == two[1]) {
            return Err(Refused::SameKey);
        }
        if users.iter().any(|user| user.username.is_empty() || user.password.is_empty()) {
            return Err(Refused::Empty("auth.users"));
        }
        for (name, value, least, most) in [
            ("max_request_size_mb", u64::from(self.max_request_size_mb), 1, 1024),
            ("queue.default_max_depth", self.queue.default_max_depth, 1, 10_000_000),
            ("queue.default_ack_deadline_secs", self.queue.default_ack_deadline_secs, 1, 86_400),
            ("queue.default_max_retries", self.queue.default_max_retries.into(), 0, 1000),
            ("queue.default_priority", self.queue.default_priority.into(), 0, 9),
            ("watch.max_inline_value_bytes", self.watch.max_inline_value_bytes as u64, 0, 64 << 20),
            ("pubsub.subscriber_buffer", self.pubsub.subscriber_buffer as u64, 1, 1 << 20),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Refused::Range { name, least, most });
            }
        }
        self.check_doors(listen)
    }

    fn check_doors(&self, listen: SocketAddr) -> Result<(), Refused> {
        if self.auth.is_on() {
            return Ok(());
        }
        if self.auth.required {
            return Err(Refused::NoCredential);
        }
        let loopback = listen.ip().to_canonical().is_loopback();
        if !loopback && !self.auth.allow_anonymous {
            return Err(Refused::Open(listen));
        }
        if loopback {
            tracing::info!(%listen, "synap asks nobody on this machine for a credential: none is configured");
        } else {
            tracing::warn!(%listen, "synap listens without credentials on an address that is not loopback");
        }
        Ok(())
    }

    /// The memory limit of this section in bytes, if it sets one.
    pub fn memory_bytes(&self) -> Option<u64> {
        let bytes = self.kv_store.max_memory_mb.saturating_mul(1 << 20);
        (bytes > 0).then_some(bytes)
    }

    /// Names that requests to a listener on `listen` may be for, `named` among them.
    pub fn names(&self, listen: SocketAddr, named: &[String]) -> Hosts {
        Hosts::of(listen, self.auth.is_on(), named.iter().chain(&self.cors_origins))
    }

    /// Whom browsers may come from.
    pub(super) fn trust(&self) -> Trust {
        Trust { origins: self.cors_origins.clone(), hosts: Vec::new() }
    }

    /// The settings of the queues that this dialect creates.
    pub(super) fn queues(&self) -> queue::Settings {
        let Queue { default_max_depth, default_ack_deadline_secs, default_max_retries, default_priority, dlq_max_size } =
            self.queue;
        queue::Settings {
            max_depth: Some(default_max_depth),
            max_attempts: default_max_retries + 1,
            max_dead: (dlq_max_size > 0).then_some(dlq_max_size),
            lease: Duration::from_secs(default_ack_deadline_secs),
            default_priority: default_priority.into(),
            ..queue::Settings::default()
        }
    }

    /// The retention of the rooms that this dialect creates.
    pub(super) fn rooms(&self) -> StreamRetention {
        let EventStream { max_events_per_room, retention_hours } = self.event_stream;
        StreamRetention {
            age: (retention_hours > 0).then(|| Duration::from_secs(retention_hours.saturating_mul(3600))),
            records: (max_events_per_room > 0).then_some(max_events_per_room),
            bytes: None,
        }
    }
}

impl Auth {
    /// Whether anybody is asked for a credential.
    pub(super) fn is_on(&self) -> bool {
        !self.api_keys.is_empty() || !self.users.is_empty() || !self.jwt.secret.is_empty()
    }
}
