//! The sections that belong to no dialect.

use std::{path::PathBuf, time::Duration};

use manifold_engine::Level;
use serde::{Deserialize, Serialize};

use crate::{
    dialects::edgecomet::{ConsoleFormat, FileFormat, Logging},
    telemetry::rotating::Rotation,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `[durability]`: what an acknowledgement promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durability {
    /// When a write counts as durable; see the durability levels in operations.md.
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
    /// Bytes of names, values, elements, messages, records and points, in memory or on disk, and 100 for each row, before growth is
    /// refused; 0 = no limit. The change feed and remembered versions have bounds of their own and do not count.
    pub memory_bytes: u64,
    /// Longest value.
    pub value_bytes: usize,
    /// Longest request body; a dialect's own limit applies below it.
    pub body_bytes: usize,
    /// Bytes of the bodies of all requests that are being answered.
    pub bodies_bytes: usize,
    /// Most connections of one listener; a dialect's own limit applies below it.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 0,
            value_bytes: 16 << 20,
            body_bytes: 64 << 20,
            bodies_bytes: 1 << 30,
            connections: 20_000,
        }
    }
}

/// `[log]`: lines to standard error, and to the file that an original's configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,manifold::access=debug`.
    pub level: String,
    /// One line of text, or of JSON, per event.
    pub format: LogFormat,
    /// Whether there are lines on standard error.
    #[serde(skip)]
    pub console: bool,
    /// The file beside it.
    #[serde(skip)]
    pub file: Option<LogFile>,
}

/// A file of log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// As of [`Log`].
    pub level: String,
    /// As of [`Log`].
    pub format: LogFormat,
    /// When another one is begun.
    pub rotation: Rotation,
}

impl Log {
    /// Takes over what the original of a dialect says about the log, but for what is said in our own words.
    pub(super) fn take_over(&mut self, logging: &Logging, level_is_said: bool, format_is_said: bool) {
        if let Some(level) = logging.console_level().filter(|_| !level_is_said) {
            self.level = level.to_owned();
        }
        match logging.console.format.filter(|_| !format_is_said) {
            Some(ConsoleFormat::Console) => self.format = LogFormat::Text,
            Some(ConsoleFormat::Json) => self.format = LogFormat::Json,
            None => {}
        }
        self.console = logging.has_console();
        let file = &logging.file;
        self.file = file.path.clone().filter(|_| file.enabled).map(|path| LogFile {
            path,
            level: logging.file_level().to_owned(),
            format: match file.format {
                FileFormat::Text => LogFormat::Text,
                FileFormat::Json => LogFormat::Json,
            },
            rotation: Rotation {
                max_bytes: u64::from(file.rotation.max_size) << 20,
                max_age: Some(DAY * file.rotation.max_age).filter(|age| !age.is_zero()),
                max_backups: Some(file.rotation.max_backups as usize).filter(|most| *most > 0),
                compress: file.rotation.compress,
            },
        });
    }
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
        Log { level: "info".to_owned(), format: LogFormat::Text, console: true, file: None }
    }
}
