//! Hosts from a configuration.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use manifold_engine::recache::{DimensionId, HostId};

use super::{Action, Dimension, Host, Hosts, Patterns, layered::Layered, rule};
use crate::dialects::edgecomet::config::{Config, DimensionConfig, HostConfig};

#[cfg(test)]
mod tests;

/// Name and id of the dimension that every host has.
const BYPASS: (&str, u64) = ("bypass", 0);
/// The dimension of hosts for which none is configured.
const DESKTOP: (&str, u64) = ("desktop", 1);
/// Pixels of a dimension that says nothing about them.
const VIEWPORT: (u32, u32) = (1920, 1080);
/// Longest name of a host.
const DOMAIN_BYTES: usize = 253;

/// Why there are no hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in super::super) struct BadHosts(pub(super) String);

type Result<T> = std::result::Result<T, BadHosts>;

impl Hosts {
    /// The hosts of a configuration.
    pub(in super::super) fn build(config: &Config) -> Result<Self> {
        let refused = |what: BadHosts| BadHosts(format!("edgecomet: {what}"));
        let mut global = Layered::default();
        global.lay(config.level()).map_err(refused)?;
        let inherited = if config.dimensions.is_empty() { &config.render.dimensions } else { &config.dimensions };
        // Without a host nobody else would look at them.
        dimensions(inherited).map_err(refused)?;

        let mut hosts = Hosts { by_id: BTreeMap::new(), longest_stale_ttl: global.stale_ttl() };
        let mut owners = HashMap::new();
        for (at, host) in config.all_hosts().enumerate() {
            let built = one(host, inherited, &global, &mut hosts.longest_stale_ttl);
            let built = built.and_then(|built| hosts.add(built, &mut owners));
            built.map_err(|what| BadHosts(format!("{}: {what}", place(host, at))))?;
        }
        Ok(hosts)
    }

    fn add(&mut self, host: Host, owners: &mut HashMap<String, HostId>) -> Result<()> {
        if let Some(other) = self.by_id.get(&host.id) {
            return Err(BadHosts(format!("id {} belongs to host '{}' already", host.id.0, other.primary_domain())));
        }
        for domain in &host.domains {
            if let Some(HostId(other)) = owners.insert(domain.clone(), host.id) {
                return Err(BadHosts(format!("domain '{domain}' belongs to host {other} already")));
            }
        }
        self.by_id.insert(host.id, Arc::new(host));
        Ok(())
    }
}

/// What messages call a host: where it was read, and its name or number there.
fn place(host: &HostConfig, at: usize) -> String {
    let file = if host.origin.is_empty() { "edgecomet.hosts" } else { &host.origin };
    match host.domain.as_slice() {
        [domain, ..] => format!("{file}: host {} ({domain})", host.id),
        [] => format!("{file}: host number {}", at + 1),
    }
}

fn one(
    host: &HostConfig,
    inherited: &BTreeMap<String, DimensionConfig>,
    global: &Layered,
    longest_stale_ttl: &mut Duration,
) -> Result<Host> {
    let id = u64::try_from(host.id).ok().filter(|id| *id > 0).ok_or_else(|| BadHosts("id must be > 0".to_owned()))?;
    let domains = host.domain.as_slice().iter().map(|text| domain(text)).collect::<Result<Vec<_>>>()?;
    if domains.is_empty() {
        return Err(BadHosts("domain is required".to_owned()));
    }
    let own = if host.dimensions.is_empty() { &host.render.dimensions } else { &host.dimensions };
    let dimensions = dimensions(if own.is_empty() { inherited } else { own })?;

    let mut layered = global.clone();
    layered.lay(host.level())?;
    *longest_stale_ttl = layered.stale_ttl().max(*longest_stale_ttl);
    let rules = rule::sorted(&host.url_rules, &layered, longest_stale_ttl)?;
    let names = domains.iter().cloned().chain(domains.iter().filter_map(|domain| ascii_spelling(domain))).collect();
    Ok(Host { id: HostId(id), domains, names, dimensions, treatment: Arc::new(layered.treatment(None)), rules })
}

/// A name in another script as the name service knows it (IDNA).
fn ascii_spelling(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return None;
    }
    url::Host::parse(domain).ok().map(|host| host.to_string())
}

/// A name of a host in lower case: labels of letters, digits, `-` and `_` with dots between them.
fn domain(text: &str) -> Result<String> {
    let lower = text.to_lowercase();
    let name = lower.strip_suffix('.').unwrap_or(&lower);
    let refused = |what: &str| Err(BadHosts(format!("domain {text:?} {what}")));
    if name.is_empty() || name.len() > DOMAIN_BYTES {
        return refused("is no host name");
    }
    if name.contains("://") {
        return refused("must not have a scheme");
    }
    if name.contains('*') {
        return refused("must not have a wildcard");
    }
    if name.contains(['/', '?', '#']) {
        return refused("must not have a path");
    }
    if name.contains(':') {
        return refused("must not have a port");
    }
    let fits = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if !name.split('.').all(fits) {
        return refused("is no host name");
    }
    Ok(name.to_owned())
}

fn dimensions(configured: &BTreeMap<String, DimensionConfig>) -> Result<BTreeMap<DimensionId, Dimension>> {
    let mut dimensions: BTreeMap<DimensionId, Dimension> = BTreeMap::new();
    for (name, config) in configured {
        let dimension = dimension(name, config)?;
        if let Some(other) = dimensions.get(&dimension.id) {
            let (first, id) = (&other.name, other.id.0);
            return Err(BadHosts(format!("dimensions '{first}' and '{name}' have the same id {id}")));
        }
        dimensions.insert(dimension.id, dimension);
    }
    if configured.is_empty() {
        let (name, id) = DESKTOP;
        dimensions.insert(DimensionId(id), built_in(name, id, Action::Render));
    }
    let (name, id) = BYPASS;
    dimensions.entry(DimensionId(id)).or_insert_with(|| built_in(name, id, Action::Bypass));
    Ok(dimensions)
}

fn built_in(name: &str, id: u64, action: Action) -> Dimension {
    let (width, height) = VIEWPORT;
    Dimension { id: DimensionId(id), name: name.to_owned(), width, height, render_ua: String::new(), action }
}

fn dimension(name: &str, config: &DimensionConfig) -> Result<Dimension> {
    let refused = |what: &str| Err(BadHosts(format!("dimension '{name}': {what}")));
    let is_bypass = name == BYPASS.0;
    let action = match config.action.as_deref() {
        None | Some("") if is_bypass => Action::Bypass,
        None | Some("" | "render") => Action::Render,
        Some("bypass") => Action::Bypass,
        Some("block") => Action::Block,
        Some(other) => return refused(&format!("action {other:?} is not one of render, bypass, block")),
    };
    let id = match u64::try_from(config.id) {
        Ok(id) if is_bypass && id != BYPASS.1 => return refused("it must have id 0"),
        Ok(id) if is_bypass || id > 0 => id,
        Ok(_) | Err(_) => return refused("id must be > 0"),
    };
    if is_bypass != (action == Action::Bypass) {
        return refused("the action bypass belongs to the dimension 'bypass'");
    }
    if action == Action::Block && config.match_ua.is_empty() {
        return refused("a dimension that blocks needs match_ua");
    }
    if let Err(bad) = Patterns::of_agents(&config.match_ua) {
        return refused(&format!("match_ua: {bad}"));
    }
    if config.render_ua.chars().any(char::is_control) {
        return refused("render_ua must be one line of text");
    }
    let or = |given: Option<u32>, otherwise| given.filter(|pixels| *pixels > 0).unwrap_or(otherwise);
    let (width, height) = (or(config.width, VIEWPORT.0), or(config.height, VIEWPORT.1));
    let (name, render_ua) = (name.to_owned(), config.render_ua.clone());
    Ok(Dimension { id: DimensionId(id), name, width, height, render_ua, action })
}
