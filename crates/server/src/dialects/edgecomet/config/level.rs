//! What can be said for all hosts, for one of them, and for some pages of one. What is absent is inherited.
//!
//! Sections that gateways read too have keys that mean nothing here; they are accepted unread.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{DimensionConfig, Span};

/// Everything one level says.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// Rendered pages.
    pub render: &'a Render,
    /// Pages that are passed through.
    pub bypass: &'a Bypass,
    /// Parameters that do not make a page.
    pub tracking_params: &'a TrackingParams,
    /// Visits that keep pages fresh.
    pub bothit_recache: &'a BothitRecache,
    /// What is kept of an origin's headers.
    pub headers: &'a Headers,
}

/// `render`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Render {
    /// What is stored.
    pub cache: RenderCache,
    /// Where older files of gateways have dimensions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, DimensionConfig>,
    /// Takes the keys of others.
    #[serde(rename = "*", skip_serializing)]
    others: IgnoredAny,
}

/// `render.cache`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RenderCache {
    /// 0 = nothing is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// Answers that are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_codes: Option<Vec<u16>>,
    /// What becomes of records past their time; replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<Expired>,
}

/// `render.cache.expired`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expired {
    /// `delete` or `serve_stale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// How long stale pages are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_ttl: Option<Span>,
}

/// `bypass`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bypass {
    /// What is stored.
    pub cache: BypassCache,
    /// The user agent where a dimension has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Takes the keys of others.
    #[serde(rename = "*", skip_serializing)]
    others: IgnoredAny,
}

/// `bypass.cache`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BypassCache {
    /// Whether anything is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// 0 = nothing is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// Answers that are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_codes: Option<Vec<u16>>,
}

/// `tracking_params`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackingParams {
    /// Whether parameters are stripped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<bool>,
    /// Instead of all that is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Vec<String>>,
    /// Beside what is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params_add: Option<Vec<String>>,
}

/// `bothit_recache`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BothitRecache {
    /// Whether visits count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Time from a visit to the recaching.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// Whose visits count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_ua: Option<Vec<String>>,
}

/// `headers`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// Instead of all that is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_response: Option<Vec<String>>,
    /// Beside what is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_response_add: Option<Vec<String>>,
    /// Takes the keys of others.
    #[serde(rename = "*", skip_serializing)]
    others: IgnoredAny,
}
