//! Hosts from a configuration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use manifold_engine::recache::{DimensionId, HostId};

use super::{Action, BotHits, Bypass, Caching, Dimension, Host, Hosts, Patterns, Treatment};
use crate::dialects::edgecomet::config::{Config, HostConfig};

impl Hosts {
    /// The hosts of a configuration.
    pub(in super::super) fn build(config: &Config) -> Self {
        let by_id = config.hosts.iter().map(|host| (HostId(host.id), Arc::new(one(host)))).collect();
        Hosts { by_id, longest_stale_ttl: Duration::ZERO }
    }
}

fn one(host: &HostConfig) -> Host {
    let mut dimensions = BTreeMap::new();
    dimensions.insert(DimensionId(0), dimension("bypass", 0, "", Action::Bypass));
    for (name, found) in &host.dimensions {
        let action = match found.action.as_str() {
            "block" => Action::Block,
            "bypass" => Action::Bypass,
            _ => Action::Render,
        };
        dimensions.insert(DimensionId(found.id), dimension(name, found.id, &found.render_ua, action));
    }
    let hour = Duration::from_secs(3600);
    let treatment = Treatment {
        action: None,
        render: Caching { ttl: hour, status_codes: vec![200, 301, 302, 307, 308, 404] },
        bypass: Bypass {
            enabled: false,
            caching: Caching { ttl: hour / 2, status_codes: vec![200] },
            user_agent: String::new(),
        },
        stale_ttl: Duration::ZERO,
        safe_headers: ["content-type", "cache-control", "expires", "last-modified", "etag", "location"]
            .map(str::to_owned)
            .to_vec(),
        strip: Patterns::default(),
        bot_hits: BotHits { enabled: false, interval: hour * 24, match_ua: Patterns::default() },
    };
    Host { id: HostId(host.id), domains: vec![host.domain.clone()], dimensions, treatment: Arc::new(treatment) }
}

fn dimension(name: &str, id: u64, render_ua: &str, action: Action) -> Dimension {
    let (width, height) = (1920, 1080);
    Dimension { id: DimensionId(id), name: name.to_owned(), width, height, render_ua: render_ua.to_owned(), action }
}
