//! A host, as configurations spell it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// Unique, above 0.
    pub id: u64,
    /// Its name.
    pub domain: String,
    /// By name.
    pub dimensions: BTreeMap<String, DimensionConfig>,
}

/// One dimension.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DimensionConfig {
    /// Unique in the host.
    pub id: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The user agent pages are fetched with.
    pub render_ua: String,
    /// `render`, `bypass` or `block`.
    pub action: String,
    /// User agents it is for.
    pub match_ua: Vec<String>,
}
