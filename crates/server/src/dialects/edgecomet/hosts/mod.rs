//! The hosts: their domains, their dimensions, and what holds for their pages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use manifold_engine::recache::{DimensionId, HostId};
use parking_lot::RwLock;

mod agents;
mod build;
mod layered;
mod pattern;
mod rule;

pub(super) use build::BadHosts;
pub(super) use pattern::Patterns;
use rule::Rule;

/// The hosts as they are now; a reload replaces all at once.
#[derive(Debug, Clone, Default)]
pub(super) struct CurrentHosts(Arc<RwLock<Arc<Hosts>>>);

impl CurrentHosts {
    pub(super) fn new(hosts: Hosts) -> Self {
        CurrentHosts(Arc::new(RwLock::new(Arc::new(hosts))))
    }

    /// One consistent view.
    pub(super) fn get(&self) -> Arc<Hosts> {
        self.0.read().clone()
    }

    /// Replaces them.
    pub(super) fn set(&self, hosts: Hosts) {
        *self.0.write() = Arc::new(hosts);
    }
}

/// All hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    pub(super) by_id: BTreeMap<HostId, Arc<Host>>,
    /// Longest `stale_ttl` of anything that serves stale pages.
    pub(super) longest_stale_ttl: Duration,
}

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) id: HostId,
    /// In lower case, without a final dot; the first is the primary one, and there is one.
    pub(super) domains: Vec<String>,
    /// What pages may call it: its domains, and how the name service spells those in other scripts.
    names: Vec<String>,
    /// Those with action `block` included.
    pub(super) dimensions: BTreeMap<DimensionId, Dimension>,
    /// What holds for pages that no rule is about.
    pub(super) treatment: Arc<Treatment>,
    /// In the order they are tried; the first one that fits a page is for it.
    rules: Vec<Rule>,
}

/// A variant of a host's pages.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) id: DimensionId,
    pub(super) name: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The user agent pages are fetched with; may be empty.
    pub(super) render_ua: String,
    pub(super) action: Action,
}

/// What a dimension is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Pages are rendered.
    Render,
    /// Pages are passed through.
    Bypass,
    /// Nobody gets pages.
    Block,
}

/// What a rule does with pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleAction {
    /// As dimensions' actions.
    Page(Action),
    /// An answer without a page.
    Status,
}

/// What holds for a page: global, host and rule laid over each other.
#[derive(Debug)]
pub(super) struct Treatment {
    /// What the rule does; none = no rule, the dimension's action counts.
    pub(super) action: Option<RuleAction>,
    pub(super) render: Caching,
    pub(super) bypass: Bypass,
    /// How long records outlive their expiry; 0 unless stale pages are served.
    pub(super) stale_ttl: Duration,
    /// Headers of the origin that are kept, in lower case.
    pub(super) safe_headers: Vec<String>,
    /// Parameters that are stripped.
    pub(super) strip: Patterns,
    pub(super) bot_hits: BotHits,
}

/// What is stored, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Caching {
    pub(super) ttl: Duration,
    pub(super) status_codes: Vec<u16>,
}

/// Pages that are passed through.
#[derive(Debug, Clone)]
pub(super) struct Bypass {
    pub(super) enabled: bool,
    pub(super) caching: Caching,
    /// May be empty.
    pub(super) user_agent: String,
}

/// Visits that keep pages fresh.
#[derive(Debug, Clone)]
pub(super) struct BotHits {
    pub(super) enabled: bool,
    pub(super) interval: Duration,
    pub(super) match_ua: Patterns,
}

impl Hosts {
    pub(super) fn get(&self, id: HostId) -> Option<&Arc<Host>> {
        self.by_id.get(&id)
    }

    /// By ascending id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Host>> {
        self.by_id.values()
    }
}

impl Host {
    pub(super) fn primary_domain(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// The dimensions that pages may be asked for in, by ascending id: all but those that block.
    pub(super) fn dimension_set(&self) -> impl Iterator<Item = &Dimension> {
        self.dimensions.values().filter(|dimension| dimension.action != Action::Block)
    }

    /// One of [`Host::dimension_set`].
    pub(super) fn servable(&self, id: DimensionId) -> Option<&Dimension> {
        self.dimensions.get(&id).filter(|dimension| dimension.action != Action::Block)
    }

    /// Any of its dimensions, by name.
    pub(super) fn named(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.values().find(|dimension| dimension.name == name)
    }

    /// Whether a page of this name, without a port and in any case of letters, belongs to it.
    pub(super) fn has_domain(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// What holds for the page with this decoded path and this raw query.
    pub(super) fn treatment(&self, path: &str, query: &str) -> &Arc<Treatment> {
        let rule = self.rules.iter().find(|rule| rule.fits(path, query));
        rule.map_or(&self.treatment, |rule| &rule.treatment)
    }
}
