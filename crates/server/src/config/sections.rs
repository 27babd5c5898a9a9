//! The sections that belong to no dialect.

use std::time::Duration;

use manifold_engine::Level;
use serde::{Deserialize, Serialize};

/// `[durability]`: what an acknowledgement promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durability {
    /// When a write counts as durable.
    pub level: DurabilityLevel,
    /// Milliseconds between fsyncs at level `interval`.
    pub interval_ms: u64,
}

/// The levels, as they are spelled in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityLevel {
    /// fsync before the answer.
    Always,
    /// Written to the kernel before the answer, fsync each interval.
    Interval,
    /// Written to the kernel before the answer.
    Os,
}

impl Durability {
    /// The engine's spelling.
    pub fn level(&self) -> Level {
        match self.level {
            DurabilityLevel::Always => Level::Always,
            DurabilityLevel::Interval => Level::Interval,
            DurabilityLevel::Os => Level::Os,
        }
    }
    /// Time between fsyncs.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

impl Default for Durability {
    fn default() -> Self {
        Durability { level: DurabilityLevel::Always, interval_ms: 1000 }
    }
}

/// `[limits]`: bounds for the whole process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory of the index before growth is refused; 0 = no limit.
    pub memory_bytes: u64,
    /// Longest value.
    pub value_bytes: usize,
    /// Longest request body; a dialect's own limit applies below it.
    pub body_bytes: usize,
    /// Most connections of one listener; a dialect's own limit applies below it.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory_bytes: 0, value_bytes: 16 << 20, body_bytes: 64 << 20, connections: 20_000 }
    }
}

/// `[log]`: lines to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,manifold::access=debug`.
    pub level: String,
    /// One line of text, or of JSON, per event.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: "info".to_owned(), format: LogFormat::Text }
    }
}
