//! `[edgecomet.logging]`: where the original's file wants log lines.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `logging`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// `debug`, `info`, `warn` or `error`; info when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Lines to standard error.
    pub console: Console,
    /// Lines to a file.
    pub file: File,
}

/// `logging.console`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Console {
    /// Absent: on unless there is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// For people or for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ConsoleFormat>,
    /// Instead of the level above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

/// How lines of the console look. Sections that are off may hold empty texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleFormat {
    /// For people.
    #[serde(alias = "")]
    Console,
    /// For machines.
    Json,
}

/// `logging.file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// Write lines to a file.
    pub enabled: bool,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// For people or for machines.
    pub format: FileFormat,
    /// Instead of the level above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// When another file is begun, and which old ones stay.
    pub rotation: Rotation,
}

/// How lines of the file look. Sections that are off may hold empty texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// For people.
    Text,
    /// For machines.
    #[default]
    #[serde(alias = "")]
    Json,
}

/// `logging.file.rotation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    /// MiB of a file.
    pub max_size: u32,
    /// Days that old files stay; 0 = for ever.
    pub max_age: u32,
    /// Old files that stay; 0 = all.
    pub max_backups: u32,
    /// Compress old files.
    pub compress: bool,
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation { max_size: 100, max_age: 30, max_backups: 10, compress: true }
    }
}

/// The levels of the original; what is worse than an error there is one here.
const LEVELS: [(&str, &str); 7] = [
    ("debug", "debug"),
    ("info", "info"),
    ("warn", "warn"),
    ("error", "error"),
    ("dpanic", "error"),
    ("panic", "error"),
    ("fatal", "error"),
];

/// A level in our spelling; none when there is no such level.
pub(super) fn level(text: &str) -> Option<&'static str> {
    LEVELS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours)
}

impl Logging {
    /// Level of the console, if anything is said about it.
    pub fn console_level(&self) -> Option<&'static str> {
        said(&self.console.level).or_else(|| said(&self.level))
    }

    /// Level of the file.
    pub fn file_level(&self) -> &'static str {
        said(&self.file.level).or_else(|| said(&self.level)).unwrap_or("info")
    }

    /// Whether lines go to standard error.
    pub fn has_console(&self) -> bool {
        self.console.enabled.unwrap_or(false) || !self.file.enabled
    }
}

fn said(text: &Option<String>) -> Option<&'static str> {
    text.as_deref().and_then(level)
}
