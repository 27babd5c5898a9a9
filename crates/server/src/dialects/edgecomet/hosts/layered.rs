//! Levels laid over each other: global, host, rule. The deeper one wins, key by key.

use std::{collections::BTreeSet, time::Duration};

use super::{BadHosts, BotHits, Bypass, Caching, Patterns, RuleAction, Treatment, pattern::BadPattern};
use crate::dialects::edgecomet::config::{Expired, Level, Span};

/// Parameters that are stripped where nothing else is said.
const TRACKING: [&str; 15] = [
    "utm_source",
    "utm_content",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "gclid",
    "fbclid",
    "msclkid",
    "_ga",
    "_gl",
    "mc_cid",
    "mc_eid",
    "_ke",
    "ref",
    "referrer",
];
/// Headers that are kept where nothing else is said.
const SAFE_HEADERS: [&str; 6] = ["content-type", "cache-control", "expires", "last-modified", "etag", "location"];
/// Headers that are never kept, whatever is said: they are about one visitor.
const PERSONAL_HEADERS: [&str; 6] =
    ["set-cookie", "set-cookie2", "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"];
const HOUR: Duration = Duration::from_secs(3600);
/// How long after a visit a page may be recached.
const HIT_INTERVAL: (Duration, Duration) = (Duration::from_secs(1800), Duration::from_secs(24 * 3600));

/// What some levels come to.
#[derive(Debug, Clone)]
pub(super) struct Layered {
    render: Caching,
    bypass: Bypass,
    expired: Expired,
    strip: bool,
    tracking: Vec<String>,
    safe_headers: BTreeSet<String>,
    hits_enabled: bool,
    hits_interval: Duration,
    hits_of: Vec<String>,
    /// Made of the texts above, and once for all levels that do not change them.
    patterns: Patterns,
    hit_patterns: Patterns,
}

impl Default for Layered {
    fn default() -> Self {
        let tracking = TRACKING.map(str::to_owned).to_vec();
        let patterns = Patterns::parse(&tracking).expect("names without a sign of their own are patterns");
        Layered {
            render: Caching { ttl: HOUR, status_codes: vec![200, 301, 302, 307, 308, 404] },
            bypass: Bypass {
                enabled: false,
                caching: Caching { ttl: HOUR / 2, status_codes: vec![200] },
                user_agent: String::new(),
            },
            expired: Expired::default(),
            strip: true,
            tracking,
            safe_headers: SAFE_HEADERS.map(str::to_owned).into(),
            hits_enabled: false,
            hits_interval: HIT_INTERVAL.1,
            hits_of: Vec::new(),
            patterns,
            hit_patterns: Patterns::default(),
        }
    }
}

impl Layered {
    /// Lays a deeper level over what is there.
    pub(super) fn lay(&mut self, level: Level<'_>) -> Result<(), BadHosts> {
        let Level { render, bypass, tracking_params, bothit_recache, headers } = level;
        caching(&mut self.render, "render", render.cache.ttl, render.cache.status_codes.as_deref())?;
        if let Some(expired) = &render.cache.expired {
            check_strategy(expired)?;
            self.expired = expired.clone();
        }

        caching(&mut self.bypass.caching, "bypass", bypass.cache.ttl, bypass.cache.status_codes.as_deref())?;
        self.bypass.enabled = bypass.cache.enabled.unwrap_or(self.bypass.enabled);
        if let Some(agent) = &bypass.user_agent {
            if agent.chars().any(char::is_control) {
                return Err(BadHosts("bypass.user_agent must be one line of text".to_owned()));
            }
            self.bypass.user_agent.clone_from(agent);
        }

        self.strip = tracking_params.strip.unwrap_or(self.strip);
        if let Some(params) = &tracking_params.params {
            self.tracking.clone_from(params);
        }
        self.tracking.extend(tracking_params.params_add.iter().flatten().cloned());
        if tracking_params.params.is_some() || tracking_params.params_add.is_some() {
            self.patterns = Patterns::parse(&self.tracking).map_err(|bad| within("tracking_params", &bad))?;
        }

        self.hits_enabled = bothit_recache.enabled.unwrap_or(self.hits_enabled);
        if let Some(Span(interval)) = bothit_recache.interval {
            let (least, most) = HIT_INTERVAL;
            if !(least..=most).contains(&interval) {
                return Err(BadHosts("bothit_recache.interval must be between 30m and 24h".to_owned()));
            }
            self.hits_interval = interval;
        }
        if let Some(agents) = &bothit_recache.match_ua {
            self.hits_of.clone_from(agents);
            self.hit_patterns = Patterns::of_agents(agents).map_err(|bad| within("bothit_recache.match_ua", &bad))?;
        }

        if let Some(names) = &headers.safe_response {
            self.safe_headers = names.iter().map(|name| name.to_lowercase()).collect();
        }
        self.safe_headers.extend(headers.safe_response_add.iter().flatten().map(|name| name.to_lowercase()));
        Ok(())
    }

    /// How long records outlive their expiry.
    pub(super) fn stale_ttl(&self) -> Duration {
        let serves_stale = self.expired.strategy.as_deref() == Some("serve_stale");
        self.expired.stale_ttl.filter(|_| serves_stale).unwrap_or_default().0
    }

    /// What holds for pages, for those of a rule if its action is given.
    pub(super) fn treatment(&self, action: Option<RuleAction>) -> Treatment {
        let kept = self.safe_headers.iter().filter(|name| !PERSONAL_HEADERS.contains(&name.as_str()));
        Treatment {
            action,
            render: self.render.clone(),
            bypass: self.bypass.clone(),
            stale_ttl: self.stale_ttl(),
            safe_headers: kept.cloned().collect(),
            strip: if self.strip { self.patterns.clone() } else { Patterns::default() },
            bot_hits: BotHits {
                enabled: self.hits_enabled,
                interval: self.hits_interval,
                match_ua: self.hit_patterns.clone(),
            },
        }
    }
}

fn caching(
    caching: &mut Caching,
    section: &str,
    ttl: Option<Span>,
    status_codes: Option<&[u16]>,
) -> Result<(), BadHosts> {
    if let Some(Span(ttl)) = ttl {
        caching.ttl = ttl;
    }
    if let Some(codes) = status_codes {
        if let Some(code) = codes.iter().find(|code| !(100..=599).contains(*code)) {
            return Err(BadHosts(format!("{section}.cache.status_codes: {code} is no status")));
        }
        caching.status_codes = codes.to_vec();
    }
    Ok(())
}

fn check_strategy(expired: &Expired) -> Result<(), BadHosts> {
    match expired.strategy.as_deref() {
        None | Some("" | "delete" | "serve_stale") => Ok(()),
        Some(other) => {
            Err(BadHosts(format!("render.cache.expired.strategy {other:?} is not one of delete, serve_stale")))
        }
    }
}

fn within(key: &str, bad: &BadPattern) -> BadHosts {
    BadHosts(format!("{key}: {bad}"))
}
