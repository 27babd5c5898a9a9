//! The configuration as every verb needs it: read, checked, with the addresses it means.

use std::{net::SocketAddr, path::Path};

use manifold_engine as engine;
use manifold_server::config::{self, Config, Loaded};

use super::Failure;

/// Where each listener goes; none = it is not opened.
pub struct Addresses {
    pub metrics: Option<SocketAddr>,
    pub unison: Option<SocketAddr>,
    pub flo: Option<SocketAddr>,
    pub synap: Option<SocketAddr>,
    pub dunena: Option<SocketAddr>,
    pub edgecomet: Option<SocketAddr>,
    pub edgecomet_metrics: Option<SocketAddr>,
}

pub fn load(flags: &config::Flags) -> Result<Loaded, Failure> {
    let mut known = config::dotenv(Path::new(".env")).map_err(Failure::configuration)?;
    for (name, text) in std::env::vars_os() {
        match (name.into_string(), text.into_string()) {
            (Ok(name), Ok(text)) => drop(known.insert(name, text)),
            // A secret that is not read must not look like one that was never set.
            (Ok(name), Err(_)) if config::is_ours(&name) => {
                return Err(Failure::configuration(format!("{name}: the value is not UTF-8")));
            }
            _ => {}
        }
    }
    config::load(flags, known).map_err(Failure::configuration)
}

/// The addresses, and the rules of each section that depend on them.
pub fn validate(config: &mut Config) -> Result<Addresses, Failure> {
    let resolve = |key, host: &Option<String>, port| {
        let (key, host) = host.as_ref().map_or(("host", &config.host), |host| (key, host));
        config::resolve(key, host, port).map_err(Failure::configuration)
    };
    let Config { unison, flo, synap, dunena, edgecomet, .. } = &*config;
    let listener = edgecomet.listener();
    let listener = listener.map(|at| resolve("edgecomet.http_api.listen", &at.host, at.port)).transpose()?;
    let own_metrics = edgecomet.metrics_listener();
    let own_metrics = own_metrics.map(|at| resolve("edgecomet.metrics.listen", &at.host, at.port)).transpose()?;
    let of = |enabled: bool, key, host: &Option<String>, port| {
        if enabled { resolve(key, host, port).map(Some) } else { Ok(None) }
    };
    let addresses = Addresses {
        metrics: of(flo.metrics.enabled, "flo.metrics.bind", &flo.metrics.bind, flo.metrics_port)?,
        unison: of(unison.enabled, "unison.host", &unison.host, unison.port)?,
        flo: of(flo.enabled, "flo.host", &flo.host, flo.port)?,
        synap: of(synap.enabled, "synap.host", &synap.host, synap.port)?,
        dunena: of(dunena.enabled, "dunena.host", &dunena.host, dunena.port)?,
        edgecomet: listener,
        edgecomet_metrics: own_metrics,
    };
    if let Some(address) = addresses.unison {
        config.unison.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.flo {
        config.flo.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.synap {
        config.synap.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.dunena {
        config.dunena.validate(address).map_err(Failure::configuration)?;
    }
    if config.edgecomet.enabled {
        config.edgecomet.validate(addresses.edgecomet).map_err(Failure::configuration)?;
    }
    Ok(addresses)
}

pub fn engine_options(config: &Config) -> engine::Options {
    let mut options = engine::Options::new(&config.data_dir);
    options.level = config.durability.level();
    options.interval = config.durability.interval();
    options.limits.memory_bytes = memory_limit(config);
    options.limits.value_bytes = config.limits.value_bytes;
    options.limits.tombstones = config.unison.tombstones_max;
    options.retention = config.unison.retention();
    config.flo.timeseries.limit(&mut options.limits);
    options.series_retention = config.flo.timeseries.retention();
    options
}

/// The limit of the process and that of a dialect mean the same memory: the smaller one counts. 0 = none.
pub fn memory_limit(config: &Config) -> u64 {
    let limits = [Some(config.limits.memory_bytes), config.synap.memory_bytes()];
    limits.into_iter().flatten().filter(|limit| *limit > 0).min().unwrap_or(0)
}
