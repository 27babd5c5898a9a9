//! What a type cannot say about values.

use std::{fmt::Display, time::Duration};

use super::{Config, Listen, logging};
use crate::dialects::edgecomet::home::redis::host_and_port;

/// A value that cannot be. Messages begin with its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} {what}")]
pub struct BadValue {
    /// Its path below the section.
    pub key: &'static str,
    /// What it should have been.
    pub what: String,
}

type Result = std::result::Result<(), BadValue>;

/// Shortest tick.
const TICK: Duration = Duration::from_millis(100);
/// Smallest bound of request bodies.
const BODY_BYTES: usize = 1 << 20;
/// How often the sweeper may run.
const SWEEPS: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(24 * 3600));
/// Shortest time that files outlive their records.
const MARGIN: Duration = Duration::from_secs(3600);
/// Shortest of both where files are those of tests.
const IN_TESTS: Duration = Duration::from_secs(1);
/// Longest body that stored pages may have; no longer one is read back.
pub(in super::super) const LONGEST_BODY: u64 = 256 << 20;
/// Jobs that may run at a time.
const JOBS: usize = 10_000;
/// Redirects that may be followed.
const REDIRECTS: u32 = 5;
/// Longest time that is told to anything: beyond it, sums with the clock could overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

fn must(holds: bool, key: &'static str, what: impl Display) -> Result {
    if holds { Ok(()) } else { Err(BadValue { key, what: format!("must {what}") }) }
}

impl Config {
    /// Refuses values that no configuration may have. `in_tests` = times of the sweeper may be short.
    pub fn check(&self, in_tests: bool) -> Result {
        let Config { scheduler, internal_queue, recache, redis, .. } = self;
        // It is sent in a header.
        must(!self.daemon_id.chars().any(char::is_control), "daemon_id", "be one line of text")?;
        let key = self.internal_auth_key.expose();
        must(!key.chars().any(char::is_control), "internal_auth_key", "be one line of text")?;
        // Blanks around a header's value are no part of it, so nobody could send such a key.
        must(key.trim() == key, "internal_auth_key", "not begin or end with a blank")?;
        let address = redis.addr.as_deref().unwrap_or_default();
        // The password has a key of its own, which is never shown.
        let is_address = !address.contains('@') && host_and_port(address).is_some();
        must(is_address || self.is_embedded(), "redis.addr", "be host:port")?;
        must(redis.db >= 0, "redis.db", "be >= 0")?;
        let (tick, normal) = (scheduler.tick_interval.0, scheduler.normal_check_interval.0);
        must(tick >= TICK, "scheduler.tick_interval", "be >= 100ms")?;
        let multiple = normal.as_nanos().is_multiple_of(tick.as_nanos());
        must(multiple, "scheduler.normal_check_interval", "be a multiple of tick_interval")?;
        must(internal_queue.max_size > 0, "internal_queue.max_size", "be > 0")?;
        must(internal_queue.max_retries >= 1, "internal_queue.max_retries", "be >= 1")?;
        let share = (0.0..=1.0).contains(&recache.rs_capacity_reserved);
        must(share, "recache.rs_capacity_reserved", "be between 0.0 and 1.0")?;
        must(!recache.timeout_per_url.is_zero(), "recache.timeout_per_url", "be > 0")?;
        must(!recache.rs_stale_after.is_zero(), "recache.rs_stale_after", "be > 0")?;
        must(recache.gateway_concurrency > 0, "recache.gateway_concurrency", "be > 0")?;
        self.check_listeners()?;
        self.check_gateways()?;
        self.check_worker()?;
        self.check_storage(in_tests)?;
        self.check_logging()?;
        self.check_lengths()
    }

    fn check_listeners(&self) -> Result {
        let (api, metrics) = (&self.http_api, &self.metrics);
        if api.enabled {
            must(!api.request_timeout.is_zero(), "http_api.request_timeout", "be > 0")?;
            must(api.max_body_bytes >= BODY_BYTES, "http_api.max_body_bytes", format_args!("be >= {BODY_BYTES}"))?;
            listen("http_api.listen", api.listen.as_deref().unwrap_or_default())?;
        }
        if metrics.enabled {
            listen("metrics.listen", &metrics.listen)?;
            must(!metrics.listen.is_empty(), "metrics.listen", "not be empty")?;
            must(metrics.path.starts_with('/'), "metrics.path", "begin with /")?;
            let is_free = !["/healthz", "/readyz"].contains(&metrics.path.as_str());
            must(is_free, "metrics.path", "not be /healthz or /readyz")?;
            let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            let named = metrics.namespace.chars().all(name)
                && metrics.namespace.chars().next().is_some_and(|first| !first.is_ascii_digit());
            must(named, "metrics.namespace", "begin with a letter or _ and have only letters, digits, _ and : in it")?;
        }
        let ports = (self.listener().map(|at| at.port), self.metrics_listener().map(|at| at.port));
        let same = matches!(ports, (Some(api), Some(metrics)) if api == metrics && api != 0);
        must(!same, "metrics.listen port", "differ from http_api.listen port")
    }

    fn check_gateways(&self) -> Result {
        let address = |text: &str| text.rsplit_once(':').is_some_and(|(host, _)| !host.is_empty());
        let good = |text: &String| address(text) && Listen::parse(text).is_ok();
        match self.gateways.iter().find(|text| !good(text)) {
            Some(bad) => must(false, "gateways", format_args!("be a list of host:port, and {bad:?} is none")),
            None => Ok(()),
        }
    }

    fn check_worker(&self) -> Result {
        let worker = &self.worker;
        let jobs = (1..=JOBS).contains(&worker.concurrency);
        must(jobs, "worker.concurrency", format_args!("be between 1 and {JOBS}"))?;
        must(!worker.timeout.is_zero(), "worker.timeout", "be > 0")?;
        must(!worker.connect_timeout.is_zero(), "worker.connect_timeout", "be > 0")?;
        let body = (1..=LONGEST_BODY).contains(&worker.max_body);
        must(body, "worker.max_body", format_args!("be between 1 and {LONGEST_BODY}"))?;
        must(worker.max_redirects <= REDIRECTS, "worker.max_redirects", format_args!("be between 0 and {REDIRECTS}"))?;
        let network =
            |text: &&String| text.parse::<ipnet::IpNet>().is_err() && text.parse::<std::net::IpAddr>().is_err();
        match worker.allow_networks.iter().find(network) {
            Some(bad) => {
                must(false, "worker.allow_networks", format_args!("be a list of networks, and {bad:?} is none"))
            }
            None => Ok(()),
        }
    }

    fn check_storage(&self, in_tests: bool) -> Result {
        let cleanup = &self.storage.cleanup;
        if cleanup.enabled == Some(false) {
            return Ok(());
        }
        let (interval, margin) = (cleanup.interval.0, cleanup.safety_margin.0);
        if in_tests {
            must(interval >= IN_TESTS, "storage.cleanup.interval", "be >= 1s")?;
            return must(margin >= IN_TESTS, "storage.cleanup.safety_margin", "be >= 1s");
        }
        let (least, most) = SWEEPS;
        must((least..=most).contains(&interval), "storage.cleanup.interval", "be between 10m and 24h")?;
        must(margin >= MARGIN, "storage.cleanup.safety_margin", "be >= 1h")
    }

    fn check_logging(&self) -> Result {
        let logging = &self.logging;
        for (key, given) in [
            ("logging.level", &logging.level),
            ("logging.console.level", &logging.console.level),
            ("logging.file.level", &logging.file.level),
        ] {
            let known = given.as_deref().is_none_or(|text| text.is_empty() || logging::level(text).is_some());
            must(known, key, "be one of debug, info, warn, error")?;
        }
        let file = &logging.file;
        let path = file.path.as_ref().is_some_and(|path| !path.as_os_str().is_empty());
        must(path || !file.enabled, "logging.file.path", "be specified")?;
        must(file.rotation.max_size > 0 || !file.enabled, "logging.file.rotation.max_size", "be > 0")
    }

    fn check_lengths(&self) -> Result {
        for (key, length) in [
            ("scheduler.tick_interval", self.scheduler.tick_interval),
            ("scheduler.normal_check_interval", self.scheduler.normal_check_interval),
            ("internal_queue.retry_base_delay", self.internal_queue.retry_base_delay),
            ("recache.timeout_per_url", self.recache.timeout_per_url),
            ("recache.rs_stale_after", self.recache.rs_stale_after),
            ("http_api.request_timeout", self.http_api.request_timeout),
            ("worker.timeout", self.worker.timeout),
            ("worker.connect_timeout", self.worker.connect_timeout),
            ("storage.cleanup_delay", self.storage.cleanup_delay),
            ("storage.cleanup.safety_margin", self.storage.cleanup.safety_margin),
            ("shutdown_grace", self.shutdown_grace),
        ] {
            must(length.0 <= LONGEST, key, "be at most 3650d")?;
        }
        Ok(())
    }
}

fn listen(key: &'static str, text: &str) -> Result {
    if text.is_empty() {
        return Ok(());
    }
    Listen::parse(text).map(drop).map_err(|bad| BadValue { key, what: bad.to_string() })
}
