//! What a job comes to before anything is fetched: its host's rules, and whether there is anything to store.

use std::sync::Arc;

use super::target::Target;
use crate::dialects::edgecomet::{
    hosts::{Action, Caching, Dimension, Host, Hosts, RuleAction, Treatment},
    job::{Job, Outcome},
    url::Address,
};

#[cfg(test)]
mod tests;

/// The user agent where none is configured.
const USER_AGENT: &str = "Mozilla/5.0 (compatible; Manifold/1.0)";

/// How a page is made and kept.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) host: Arc<Host>,
    pub(super) dimension: String,
    /// Pixels.
    pub(super) viewport: (u32, u32),
    pub(super) treatment: Arc<Treatment>,
    pub(super) making: Making,
    pub(super) caching: Caching,
    pub(super) user_agent: String,
}

/// Whether a page is passed on as it is, or rendered where there is something to render with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    Bypass,
    Render,
}

impl Plan {
    /// The plan of a job, or what becomes of it without one.
    pub(super) fn of(hosts: &Hosts, job: &Job) -> Result<Plan, Outcome> {
        let unknown_host = || Outcome::Permanent(format!("host not found: {}", job.host));
        let host = hosts.get(job.host).ok_or_else(unknown_host)?;
        let unknown = || Outcome::Permanent(format!("dimension {} not found for host {}", job.dimension, job.host));
        let dimension = host.dimensions.get(&job.dimension).ok_or_else(unknown)?;
        check(host, &Target::parse(&job.url))?;
        let address = Address::parse_known(&job.url).map_err(|error| Outcome::Permanent(error.to_string()))?;
        let treatment = host.treatment(&address.path(), address.query());
        let making = match treatment.action.unwrap_or(RuleAction::Page(dimension.action)) {
            RuleAction::Page(Action::Render) => Making::Render,
            RuleAction::Page(Action::Bypass) => Making::Bypass,
            RuleAction::Page(Action::Block) => return Err(skipped("blocked")),
            RuleAction::Status => return Err(skipped("answered with a status")),
        };
        let caching = caching(treatment, making)?.clone();
        Ok(Plan {
            host: host.clone(),
            dimension: dimension.name.clone(),
            viewport: (dimension.width, dimension.height),
            treatment: treatment.clone(),
            making,
            caching,
            user_agent: user_agent(treatment, dimension, making).to_owned(),
        })
    }
}

/// Whether an address may be asked for on behalf of a host.
pub(super) fn check(host: &Host, target: &Target) -> Result<(), Outcome> {
    let Target { scheme, name, .. } = target;
    if !["http", "https"].contains(&scheme.as_str()) {
        return Err(Outcome::Permanent(format!("scheme not allowed: {scheme}")));
    }
    if !is_of(host, target) {
        let id = host.id;
        let why = format!("URL hostname {name:?} does not match any configured domain for host {id}");
        return Err(Outcome::Permanent(why));
    }
    Ok(())
}

/// Whether an address belongs to a host, whichever spelling of its name either of them has.
pub(super) fn is_of(host: &Host, target: &Target) -> bool {
    host.has_domain(&target.name) || target.ascii_name().is_some_and(|name| host.has_domain(&name))
}

fn caching(treatment: &Treatment, making: Making) -> Result<&Caching, Outcome> {
    match making {
        Making::Bypass if !treatment.bypass.enabled => Err(skipped("bypass cache disabled")),
        Making::Bypass if treatment.bypass.caching.ttl.as_secs() == 0 => Err(skipped("bypass cache TTL is 0")),
        Making::Bypass => Ok(&treatment.bypass.caching),
        Making::Render if treatment.render.ttl.as_secs() == 0 => Err(skipped("render cache TTL is 0")),
        Making::Render => Ok(&treatment.render),
    }
}

fn user_agent<'a>(treatment: &'a Treatment, dimension: &'a Dimension, making: Making) -> &'a str {
    let own = match making {
        Making::Render => dimension.render_ua.as_str(),
        Making::Bypass => "",
    };
    let configured = [own, &treatment.bypass.user_agent];
    configured.into_iter().find(|user_agent| !user_agent.is_empty()).unwrap_or(USER_AGENT)
}

fn skipped(why: &str) -> Outcome {
    Outcome::Skipped(why.to_owned())
}
