//! Rules about some pages of a host, and which of them is for a page.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use super::{
    Action, BadHosts, Patterns, RuleAction, Treatment,
    layered::Layered,
    pattern::{Case, Pattern},
};
use crate::dialects::edgecomet::config::{RuleConfig, Texts};

#[cfg(test)]
mod tests;

/// One pattern over paths, and what holds for the pages it fits.
#[derive(Debug)]
pub(super) struct Rule {
    path: Pattern,
    /// Parameters of the query, all of which must fit.
    query: Arc<[Parameter]>,
    pub(super) treatment: Arc<Treatment>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    /// One of them is enough.
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    /// Anything but nothing.
    NotEmpty,
    Like(Pattern),
}

/// The rules of a host, with those first that go before others.
pub(super) fn sorted(
    configured: &[RuleConfig],
    inherited: &Layered,
    longest_stale_ttl: &mut Duration,
) -> Result<Vec<Rule>, BadHosts> {
    let mut rules = Vec::new();
    for (at, config) in configured.iter().enumerate() {
        let refused = |what: String| BadHosts(format!("url_rules[{at}]: {what}"));
        let mut layered = inherited.clone();
        layered.lay(config.level()).map_err(|BadHosts(what)| refused(what))?;
        let treatment = Arc::new(layered.treatment(Some(action(&config.action).map_err(refused)?)));
        let query: Arc<[_]> = parameters(config).map_err(refused)?.into();
        Patterns::of_agents(config.match_ua.as_deref().unwrap_or_default())
            .map_err(|bad| refused(format!("match_ua: {bad}")))?;
        if config.paths.as_slice().is_empty() {
            return Err(refused("match is required".to_owned()));
        }
        for text in config.paths.as_slice() {
            let path = Pattern::parse(text, Case::Kept).map_err(|bad| refused(format!("match: {bad}")))?;
            let rule = Rule { path, query: query.clone(), treatment: treatment.clone() };
            let slashes = text.matches('/').count();
            // A rule about some visitors is none about recaching, which has no visitor.
            if config.match_ua.is_none() {
                rules.push((rank(&rule.path), rule.query.is_empty(), Reverse(slashes), rule));
            }
        }
        if config.match_ua.is_none() {
            *longest_stale_ttl = layered.stale_ttl().max(*longest_stale_ttl);
        }
    }
    // Stable: of equals the one that stands first in the file goes first.
    rules.sort_by_key(|(rank, without_query, slashes, _)| (*rank, *without_query, *slashes));
    Ok(rules.into_iter().map(|(.., rule)| rule).collect())
}

fn rank(path: &Pattern) -> u8 {
    match path {
        Pattern::Exact { .. } => 0,
        Pattern::Wildcard { .. } => 1,
        Pattern::Expression(_) | Pattern::Agent(_) => 2,
    }
}

fn action(text: &str) -> Result<RuleAction, String> {
    match text {
        "render" => Ok(RuleAction::Page(Action::Render)),
        "bypass" => Ok(RuleAction::Page(Action::Bypass)),
        "block" => Ok(RuleAction::Page(Action::Block)),
        "status" | "status_403" | "status_404" | "status_410" => Ok(RuleAction::Status),
        "" => Err("action is required".to_owned()),
        other => Err(format!(
            "action {other:?} is not one of render, bypass, block, status, status_403, status_404, status_410"
        )),
    }
}

fn parameters(config: &RuleConfig) -> Result<Vec<Parameter>, String> {
    let one = |(name, texts): (&String, &Texts)| {
        let values = texts.as_slice().iter().map(|text| value(text)).collect::<Result<Vec<_>, _>>();
        values.map(|values| Parameter { name: name.clone(), values }).map_err(|what| format!("match_query: {what}"))
    };
    config.match_query.iter().map(one).collect()
}

fn value(text: &str) -> Result<Value, String> {
    match text {
        "*" => Ok(Value::NotEmpty),
        // A parameter may be wanted empty.
        "" => Ok(Value::Like(Pattern::Exact { text: String::new(), case: Case::Kept })),
        text => Pattern::parse(text, Case::Kept).map(Value::Like).map_err(|bad| bad.to_string()),
    }
}

impl Rule {
    /// Whether it is for the page with this decoded path and this raw query.
    pub(super) fn fits(&self, path: &str, query: &str) -> bool {
        self.path.matches(path) && self.query.iter().all(|parameter| parameter.fits(query))
    }
}

impl Parameter {
    /// Of several parameters of the name the first one counts.
    fn fits(&self, query: &str) -> bool {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let Some((_, found)) = pairs.find(|(name, _)| *name == self.name) else { return false };
        self.values.iter().any(|value| match value {
            Value::NotEmpty => !found.is_empty(),
            Value::Like(pattern) => pattern.matches(&found),
        })
    }
}
