//! Hosts, as configurations spell them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::level::{BothitRecache, Bypass, Headers, Level, Render, TrackingParams};

/// One text, or several of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub enum Texts {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Texts::Several(Vec::new())
    }
}

impl Texts {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Texts::One(text) => std::slice::from_ref(text),
            Texts::Several(texts) => texts,
        }
    }
}

/// One host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// Where it was read, for messages; empty = inline.
    #[serde(skip)]
    pub origin: String,
    /// Unique, above 0.
    pub id: i64,
    /// Its names; the first is the primary one.
    pub domain: Texts,
    /// Gateways serve it. Here hosts that are not enabled are served like others.
    pub enabled: bool,
    /// By name; none = those of all hosts.
    pub dimensions: BTreeMap<String, DimensionConfig>,
    /// Rendered pages.
    pub render: Render,
    /// Pages that are passed through.
    pub bypass: Bypass,
    /// Parameters that do not make a page.
    pub tracking_params: TrackingParams,
    /// Visits that keep pages fresh.
    pub bothit_recache: BothitRecache,
    /// What is kept of an origin's headers.
    pub headers: Headers,
    /// What holds for some pages only.
    pub url_rules: Vec<RuleConfig>,
    /// For gateways.
    #[serde(skip_serializing)]
    render_key: IgnoredAny,
    /// For gateways.
    #[serde(skip_serializing)]
    unmatched_dimension: IgnoredAny,
    /// For gateways.
    #[serde(skip_serializing)]
    cache_sharding: IgnoredAny,
    /// For gateways.
    #[serde(skip_serializing)]
    client_ip: IgnoredAny,
}

impl Default for HostConfig {
    fn default() -> Self {
        HostConfig {
            origin: String::new(),
            id: 0,
            domain: Texts::default(),
            enabled: true,
            dimensions: BTreeMap::new(),
            render: Render::default(),
            bypass: Bypass::default(),
            tracking_params: TrackingParams::default(),
            bothit_recache: BothitRecache::default(),
            headers: Headers::default(),
            url_rules: Vec::new(),
            render_key: IgnoredAny,
            unmatched_dimension: IgnoredAny,
            cache_sharding: IgnoredAny,
            client_ip: IgnoredAny,
        }
    }
}

impl HostConfig {
    /// What it says for its pages.
    pub fn level(&self) -> Level<'_> {
        let HostConfig { render, bypass, tracking_params, bothit_recache, headers, .. } = self;
        Level { render, bypass, tracking_params, bothit_recache, headers }
    }
}

/// One dimension.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DimensionConfig {
    /// Unique in the host.
    pub id: i64,
    /// Pixels; 1920 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels; 1080 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The user agent pages are fetched with.
    pub render_ua: String,
    /// `render`, `bypass` or `block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// User agents it is for.
    pub match_ua: Vec<String>,
}

/// What holds for some pages of a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleConfig {
    /// Patterns over paths.
    #[serde(rename = "match")]
    pub paths: Texts,
    /// What parameters of the query must be.
    pub match_query: BTreeMap<String, Texts>,
    /// A rule about some visitors is none about recaching, which has no visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_ua: Option<Vec<String>>,
    /// `render`, `bypass`, `block`, `status`, `status_403`, `status_404` or `status_410`.
    pub action: String,
    /// Rendered pages.
    pub render: Render,
    /// Pages that are passed through.
    pub bypass: Bypass,
    /// Parameters that do not make a page.
    pub tracking_params: TrackingParams,
    /// Visits that keep pages fresh.
    pub bothit_recache: BothitRecache,
    /// What is kept of an origin's headers.
    pub headers: Headers,
    /// For gateways.
    #[serde(skip_serializing)]
    status: IgnoredAny,
    /// For gateways.
    #[serde(skip_serializing)]
    cache_sharding: IgnoredAny,
}

impl RuleConfig {
    /// What it says for its pages.
    pub fn level(&self) -> Level<'_> {
        let RuleConfig { render, bypass, tracking_params, bothit_recache, headers, .. } = self;
        Level { render, bypass, tracking_params, bothit_recache, headers }
    }
}
