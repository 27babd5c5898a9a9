//! Configuration: flags, `MANIFOLD_*`, the originals' environment names, `manifold.toml`, defaults, highest first.
//!
//! A dialect adds its section in one place: a field of [`Config`]. File keys, environment names, suggestions and
//! `manifold check` follow from that.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    dialects::{dunena, edgecomet, flo, synap, unison},
    net::TlsOptions,
    telemetry,
};

mod dunena_names;
mod edgecomet_files;
mod flo_file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod layers;
mod originals;
mod sections;
mod show;
#[cfg(test)]
mod tests;
mod tls;
mod yaml;

pub use layers::Error;
use layers::{Layers, Setting};
pub use sections::{Durability, DurabilityLevel, Limits, Log, LogFormat};
pub use show::{effective, effective_json};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "manifold.toml";

/// What else holds when EdgeComet is served alone.
const ALONE: [(&str, &str); 6] = [
    ("edgecomet.enabled", "true"),
    ("unison.enabled", "false"),
    ("flo.enabled", "false"),
    ("flo.metrics.enabled", "false"),
    ("synap.enabled", "false"),
    ("dunena.enabled", "false"),
];

/// Everything an operator may set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The one data directory; created if absent, locked while in use.
    pub data_dir: PathBuf,
    /// Address of every listener that has none of its own.
    pub host: String,
    /// Names that requests may be for besides those of this machine, where a listener on loopback asks for no secret.
    pub allowed_hosts: Vec<String>,
    /// Whether memory may lie in pages of 2 MiB: less work for the processor with millions of keys, more memory held.
    pub huge_pages: bool,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Bounds of the process.
    pub limits: Limits,
    /// Log lines.
    pub log: Log,
    /// TLS of all listeners.
    #[serde(skip_serializing_if = "TlsOptions::is_empty")]
    pub tls: TlsOptions,
    /// The Unison dialect.
    pub unison: unison::Config,
    /// The Flo dialect, and the metrics port of the process.
    pub flo: flo::Config,
    /// The Synap dialect.
    pub synap: synap::Config,
    /// The Dunena dialect.
    pub dunena: dunena::Config,
    /// The EdgeComet dialect.
    pub edgecomet: edgecomet::Config,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_dir: PathBuf::from("./data"),
            host: "127.0.0.1".to_owned(),
            allowed_hosts: Vec::new(),
            huge_pages: false,
            durability: Durability::default(),
            limits: Limits::default(),
            log: Log::default(),
            tls: TlsOptions::default(),
            unison: unison::Config::default(),
            flo: flo::Config::default(),
            synap: synap::Config::default(),
            dunena: dunena::Config::default(),
            edgecomet: edgecomet::Config::default(),
        }
    }
}

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`; without it `./manifold.toml` is read if it exists.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--flo-config`; without it `./flo.toml` is read if it exists.
    pub flo_config: Option<PathBuf>,
    /// Serve EdgeComet alone, by this file of its original.
    pub edgecomet_alone: Option<PathBuf>,
}

/// A configuration, and what the operator should be told about it once there is a log.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Lines for the log.
    pub notes: Vec<String>,
}

/// Reads all sources.
pub fn load(flags: &Flags, env: BTreeMap<String, String>) -> Result<Loaded, Error> {
    let mut layers = Layers::default();
    let path = |source: &'static str, key, path: &Path| match path.to_str() {
        Some(text) => Ok(Setting { key, text: text.to_owned(), source }),
        None => Err(Error::new(format!("{source}: the path is not UTF-8"))),
    };
    if let Some(dir) = &flags.data_dir {
        layers.flags.push(path("--data-dir", "data_dir", dir)?);
    }
    if let Some(file) = &flags.edgecomet_alone {
        layers.flags.push(path("-c", "edgecomet.config_file", file)?);
        let listeners = ALONE.map(|(key, text)| Setting { key, text: text.to_owned(), source: "-c" });
        layers.flags.extend(listeners);
    }
    read_file(flags.config.as_deref(), &mut layers)?;
    layers.env = env.clone();
    let flo_config = layers.env.remove(flo_file::ENV).map(PathBuf::from);
    let mut notes = flo_file::read(flags.flo_config.clone().or(flo_config), &mut layers)?;
    notes.extend(originals::read(&mut layers, &env)?);
    let edgecomet = edgecomet_files::read(&mut layers)?;

    let (mut config, unused) = layers::read::<Config>(&layers)?;
    if !unused.is_empty() {
        notes.push(format!("ignoring {}: no such key", unused.join(", ")));
    }
    check(&config)?;
    telemetry::log::check_level(&config.log.level)
        .map_err(|why| Error::new(format!("{}: log.level: {why}", layers.source_of("log.level"))))?;
    if config.edgecomet.enabled {
        notes.extend(edgecomet.complete(&mut config.edgecomet)?);
        check_edgecomet(&config.edgecomet, &layers, &env)?;
        config.log.take_over(&config.edgecomet.logging, layers.sets("log.level"), layers.sets("log.format"));
    }
    Ok(Loaded { config, notes })
}

/// Values that cannot be are refused with the source they came from.
fn check_edgecomet(config: &edgecomet::Config, layers: &Layers, env: &BTreeMap<String, String>) -> Result<(), Error> {
    let in_tests = env.get("TEST_MODE").is_some_and(|mode| mode == "local");
    config.check(in_tests).map_err(|bad| {
        let key = bad.key.split(' ').next().unwrap_or_default();
        Error::new(format!("{}: {bad}", layers.source_of(&format!("edgecomet.{key}"))))
    })?;
    // Empty, it stands for the machine's name; nobody can have meant to write that.
    if config.daemon_id.is_empty() && layers.sets("edgecomet.daemon_id") {
        let source = layers.source_of("edgecomet.daemon_id");
        return Err(Error::new(format!("{source}: daemon_id must be specified")));
    }
    config.check_hosts().map(drop).map_err(|bad| Error::new(bad.to_string()))
}

/// The names of ours and of the original of Dunena that a file of `NAME=text` lines sets; nothing when there is none. Other
/// names in it may be meant for others.
pub fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let name = path.display();
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(Error::new(format!("{name}: {error}"))),
    };
    // What is wrong with a line may quote it, and it may hold a secret.
    let lines = lines
        .enumerate()
        .map(|(at, line)| line.map_err(|_| Error::new(format!("{name}: the setting after the first {at} is none"))));
    let mut read = BTreeMap::new();
    for line in lines {
        let (key, text) = line?;
        if key.starts_with("DUNENA_") || key.starts_with("MANIFOLD_") {
            read.insert(key, text);
        }
    }
    Ok(read)
}

fn read_file(named: Option<&Path>, layers: &mut Layers) -> Result<(), Error> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => return Ok(()),
        Err(error) => return Err(Error::new(format!("{name}: {error}"))),
    };
    layers.file = text.parse().map_err(|error: toml::de::Error| {
        // The library's own rendering quotes the line, which may hold a secret.
        let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        Error::new(format!("{name}: line {line}: {}", error.message()))
    })?;
    layers.file_name = name;
    Ok(())
}

/// Rules that a type cannot say.
fn check(config: &Config) -> Result<(), Error> {
    let positive = [
        ("durability.interval_ms", config.durability.interval_ms),
        ("limits.value_bytes", config.limits.value_bytes as u64),
        ("limits.body_bytes", config.limits.body_bytes as u64),
        ("limits.bodies_bytes", config.limits.bodies_bytes as u64),
        ("limits.connections", config.limits.connections as u64),
    ];
    if config.data_dir.as_os_str().is_empty() {
        return Err(Error::new("data_dir must not be empty"));
    }
    match positive.iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => Err(Error::new(format!("{key} must be at least 1"))),
        None => Ok(()),
    }
}

/// Whether a name of the environment looks like one that [`load`] reads.
pub fn is_ours(name: &str) -> bool {
    ["MANIFOLD_", "UNISON_", "FLO_", "SYNAP_", "DUNENA_"].iter().any(|prefix| name.starts_with(prefix))
}

/// The address that `host` and `port` mean. Of a name's addresses an IPv4 one is preferred, because that is where
/// clients of `localhost` look first.
pub fn resolve(key: &str, host: &str, port: u16) -> Result<SocketAddr, Error> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let failed = |error: &dyn std::fmt::Display| Error::new(format!("{key}: {host:?} is no address: {error}"));
    let addresses: Vec<_> = (host, port).to_socket_addrs().map_err(|error| failed(&error))?.collect();
    let v4 = addresses.iter().find(|address| address.is_ipv4());
    v4.or(addresses.first()).copied().ok_or_else(|| failed(&"the name has none"))
}
