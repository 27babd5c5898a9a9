//! `postgres://user:password@host:port/database?options`, as libpq reads it, over TCP only.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, SslNegotiation, TargetSessionAttrs},
};

use crate::dialects::dunena::proxy::{
    native::roots::{Roots, Trust},
    secrets::Secrets,
};

const DEFAULT_PORT: u16 = 5432;

/// A connection string.
#[derive(Clone)]
pub(in super::super) struct Dsn {
    pub(super) config: Config,
    /// Tried one after the other.
    pub(super) targets: Vec<Target>,
    /// How far certificates are looked at, where there are any.
    pub(super) trust: Trust,
    pub(super) secrets: Secrets,
}

/// A place where the database may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The name that a certificate is checked for.
    pub(super) name: String,
    /// What is connected to: the name, unless `hostaddr` says something else.
    pub(super) address: String,
    pub(super) port: u16,
}

impl Dsn {
    pub(in super::super) fn parse(dsn: &str) -> Option<Dsn> {
        if !(dsn.starts_with("postgres://") || dsn.starts_with("postgresql://")) {
            return None;
        }
        // These the driver does not know, or not all values of.
        let (rest, [mode, roots]) = take_options(dsn, ["sslmode", "sslrootcert"])?;
        let mut config: Config = rest.parse().ok()?;
        let roots =
            roots.filter(|file| file != "system").map_or(Roots::Public, |file| Roots::File(PathBuf::from(file)));
        let (mode, trust) = match mode.as_deref() {
            Some("disable") => (SslMode::Disable, Trust::Anyone),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Trust::Anyone),
            // A file of authorities is there to be used (libpq, "Protection Provided in Different Modes").
            Some("require") if roots != Roots::Public => (SslMode::Require, Trust::Authority(roots)),
            Some("require") => (SslMode::Require, Trust::Anyone),
            Some("verify-ca") => (SslMode::Require, Trust::Authority(roots)),
            Some("verify-full") => (SslMode::Require, Trust::Name(roots)),
            Some(_) => return None,
        };
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("manifold");
        }
        // What we would silently not do is refused.
        let honoured = config.get_ssl_negotiation() == SslNegotiation::Postgres
            && config.get_target_session_attrs() == TargetSessionAttrs::Any;
        let password = config.get_password().and_then(|password| std::str::from_utf8(password).ok()).map(str::to_owned);
        let secrets = Secrets::new([dsn].into_iter().chain(password.as_deref()));
        honoured.then_some(())?;
        Some(Dsn { targets: targets(&config)?, config, trust, secrets })
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dsn").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

/// The string without these options, and their values.
fn take_options<const N: usize>(dsn: &str, names: [&str; N]) -> Option<(String, [Option<String>; N])> {
    let mut taken = [const { None }; N];
    let Some((base, query)) = dsn.split_once('?') else { return Some((dsn.to_owned(), taken)) };
    let mut kept = Vec::new();
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=')?;
        match names.iter().position(|known| *known == name) {
            Some(place) => taken[place] = Some(percent_decode_str(value).decode_utf8().ok()?.into_owned()),
            None => kept.push(option),
        }
    }
    let rest = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    Some((rest, taken))
}

fn targets(config: &Config) -> Option<Vec<Target>> {
    let mut names = Vec::new();
    for host in config.get_hosts() {
        match host {
            Host::Tcp(name) if !name.is_empty() => names.push(name.clone()),
            _ => return None,
        }
    }
    let addresses: Vec<String> = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    let ports = config.get_ports();
    let count = names.len().max(addresses.len());
    let fits = |length: usize| length == 0 || length == count;
    if count == 0 || !fits(names.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return None;
    }
    let target = |place: usize| {
        let address = addresses.get(place).or(names.get(place))?.clone();
        let name = names.get(place).cloned().unwrap_or_else(|| address.clone());
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        Some(Target { name, address, port })
    };
    (0..count).map(target).collect()
}

#[cfg(test)]
mod tests;
