//! Files of the original of EdgeComet: that of the daemon, that of the gateway it serves, and hosts, all below our own.

use std::path::{Path, PathBuf};

use serde::{
    Deserialize,
    de::{self, Deserializer, Visitor},
    forward_to_deserialize_any,
};

use super::{
    layers::{Error, Layers},
    yaml,
};
use crate::dialects::edgecomet::{Config, DimensionConfig, GatewayFile, HostConfig, RuleConfig};

#[cfg(test)]
mod tests;

/// The section that all of it means.
const SECTION: &str = "edgecomet";
/// Tables that are one value: of two sources that set them, one counts.
const WHOLE: [&str; 2] = ["edgecomet.dimensions", "edgecomet.render.dimensions"];
/// Keys of the daemon's file that are paths, and relative to it.
const PATHS: [&str; 2] = ["eg_config", "hosts_include"];
/// What the gateway's file says for us: its keys, and ours.
const GATEWAY_KEYS: [(&str, &str); 23] = [
    ("internal.auth_key", "internal_auth_key"),
    ("storage.base_path", "storage.base_path"),
    ("storage.compression", "storage.compression"),
    ("storage.cleanup.enabled", CLEANUP),
    ("storage.cleanup.interval", "storage.cleanup.interval"),
    ("storage.cleanup.safety_margin", "storage.cleanup.safety_margin"),
    ("dimensions", "dimensions"),
    ("render.dimensions", "render.dimensions"),
    ("render.cache.ttl", "render.cache.ttl"),
    ("render.cache.status_codes", "render.cache.status_codes"),
    ("render.cache.expired.strategy", "render.cache.expired.strategy"),
    ("render.cache.expired.stale_ttl", "render.cache.expired.stale_ttl"),
    ("bypass.user_agent", "bypass.user_agent"),
    ("bypass.cache.enabled", "bypass.cache.enabled"),
    ("bypass.cache.ttl", "bypass.cache.ttl"),
    ("bypass.cache.status_codes", "bypass.cache.status_codes"),
    ("tracking_params.strip", "tracking_params.strip"),
    ("tracking_params.params", "tracking_params.params"),
    ("tracking_params.params_add", "tracking_params.params_add"),
    ("bothit_recache.enabled", "bothit_recache.enabled"),
    ("bothit_recache.interval", "bothit_recache.interval"),
    ("bothit_recache.match_ua", "bothit_recache.match_ua"),
    ("headers", "headers"),
];
/// In a home that is shared the gateways own the files.
const CLEANUP: &str = "storage.cleanup.enabled";
/// Most files that hosts are read from.
const HOST_FILES: usize = 10_000;

/// What the files say that is no key of ours.
#[derive(Debug, Default)]
pub(super) struct Originals {
    gateway: GatewayFile,
    /// Where the gateway's file has its hosts.
    include: Option<PathBuf>,
}

/// Lays the files below ours.
pub(super) fn read(layers: &mut Layers) -> Result<Originals, Error> {
    if layers.says("edgecomet.enabled", "false") {
        return Ok(Originals::default());
    }
    if let Some(file) = layers.early("edgecomet.config_file") {
        lay_daemon(Path::new(&file), layers)?;
    }
    match layers.early("edgecomet.eg_config") {
        Some(file) => lay_gateway(Path::new(&file), layers),
        None => Ok(Originals::default()),
    }
}

fn lay_daemon(path: &Path, layers: &mut Layers) -> Result<(), Error> {
    let name = path.display().to_string();
    let mut daemon = yaml::read(path)?;
    for key in PATHS {
        if let Some(toml::Value::String(text)) = daemon.get_mut(key).filter(|text| !is_empty(text)) {
            *text = beside(path, text).display().to_string();
        }
    }
    let key = |name: &str| format!("{SECTION}.{name}");
    layers.lay(SECTION, toml::Value::Table(daemon), &name, &WHOLE);
    if layers.early(&key("daemon_id")).is_none() {
        // A number is no text, and said to be none where it is read.
        if !layers.sets(&key("daemon_id")) || layers.says(&key("daemon_id"), "\"\"") {
            return Err(Error::new(format!("{name}: daemon_id must be specified")));
        }
    }
    let hosts = layers.sets(&key("hosts")) || layers.sets(&key("hosts_include"));
    if layers.early(&key("eg_config")).is_none() && !hosts {
        return Err(Error::new(format!("{name}: eg_config must be specified")));
    }
    Ok(())
}

fn is_empty(value: &toml::Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

/// A path that is relative to the directory of a file.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

fn lay_gateway(path: &Path, layers: &mut Layers) -> Result<Originals, Error> {
    let name = path.display().to_string();
    let mut file = yaml::read(path)?;
    for (_, dimensions) in dimension_tables(&mut file) {
        keep_known::<DimensionConfig>(dimensions);
    }
    let embedded = layers.early("edgecomet.redis.addr").is_none();
    for (theirs, ours) in GATEWAY_KEYS {
        let value = at(&file, theirs).filter(|_| embedded || ours != CLEANUP);
        // A text that is empty stands for nothing, as in the original.
        if let Some(value) = value.filter(|value| !is_empty(value)) {
            layers.lay(&format!("{SECTION}.{ours}"), value.clone(), &name, &WHOLE);
        }
    }

    let text = |key: &str| match at(&file, key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(toml::Value::Integer(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Error::new(format!("{name}: {key} must be a text"))),
    };
    let shares = at(&file, "cache_sharding.enabled").and_then(toml::Value::as_bool).unwrap_or(false);
    let listen = text("internal.listen")?.filter(|_| !shares);
    let include = text("hosts.include")?.map(|include| beside(path, &include));
    Ok(Originals { gateway: GatewayFile { listen, eg_id: text("eg_id")? }, include })
}

/// The value at a path of keys.
fn at<'a>(table: &'a toml::Table, path: &str) -> Option<&'a toml::Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = table.get(first)?;
    rest.map_or(Some(value), |rest| at(value.as_table()?, rest))
}

/// Every dimension in a file or a host, with its name.
fn dimension_tables(table: &mut toml::Table) -> Vec<(String, &mut toml::Table)> {
    let mut maps = Vec::new();
    for (key, value) in table.iter_mut() {
        match (key.as_str(), value) {
            ("dimensions", toml::Value::Table(map)) => maps.push(map),
            ("render", toml::Value::Table(render)) => {
                maps.extend(render.get_mut("dimensions").and_then(toml::Value::as_table_mut));
            }
            _ => {}
        }
    }
    let dimensions = maps.into_iter().flat_map(|map| map.iter_mut());
    dimensions.filter_map(|(name, value)| Some((name.clone(), value.as_table_mut()?))).collect()
}

impl Originals {
    /// Adds what is no key to a configuration that was read, and the hosts of files. The answer is what the operator should
    /// be told.
    pub(super) fn complete(self, config: &mut Config) -> Result<Vec<String>, Error> {
        config.gateway_file = self.gateway;
        let own = config.hosts_include.clone();
        let include = own.or_else(|| self.include.filter(|_| config.hosts.is_empty()));
        let mut notes = Vec::new();
        for file in include.map_or(Ok(Vec::new()), |include| files(&include))? {
            let (hosts, unknown) = read_hosts(&file)?;
            config.included_hosts.extend(hosts);
            if !unknown.is_empty() {
                notes.push(format!("{}: ignoring {}: no such key", file.display(), unknown.join(", ")));
            }
        }
        Ok(notes)
    }
}

/// The files that are meant, by name.
fn files(include: &Path) -> Result<Vec<PathBuf>, Error> {
    let name = include.display();
    if include.is_file() {
        return Ok(vec![include.to_owned()]);
    }
    let pattern = if include.is_dir() {
        let directory = glob::Pattern::escape(&include.display().to_string());
        format!("{}/*.yaml", directory.trim_end_matches('/'))
    } else {
        name.to_string()
    };
    let found = glob::glob(&pattern).map_err(|error| Error::new(format!("{name}: {}", error.msg)))?;
    // In order of their names.
    let mut files = Vec::new();
    for file in found {
        let file = file.map_err(|error| Error::new(format!("{name}: {error}")))?;
        if files.len() == HOST_FILES {
            return Err(Error::new(format!("{name}: there are more than {HOST_FILES} files of hosts")));
        }
        if file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() { Err(Error::new(format!("{name}: there is no file of hosts"))) } else { Ok(files) }
}

/// Hosts of a file, and the keys that mean nothing here. Gateways of other versions may know more of them.
fn read_hosts(path: &Path) -> Result<(Vec<HostConfig>, Vec<String>), Error> {
    let name = path.display();
    let mut file = yaml::read(path)?;
    let hosts = match file.remove("hosts") {
        None => Vec::new(),
        Some(toml::Value::Array(hosts)) => hosts,
        Some(_) => return Err(Error::new(format!("{name}: hosts must be a list"))),
    };
    let mut unknown: Vec<_> = file.keys().cloned().collect();
    let mut read = Vec::new();
    for (number, host) in hosts.into_iter().enumerate() {
        let refused = |what: &str| Error::new(format!("{name}: hosts[{number}]: {what}"));
        let toml::Value::Table(mut host) = host else { return Err(refused("is not a table of keys")) };
        let others = others_in(&mut host);
        unknown.extend(others.into_iter().map(|key| format!("hosts[{number}].{key}")));
        let host: Result<HostConfig, _> = host.try_into();
        let mut host = host.map_err(|error| refused(&error.to_string().trim_end().replace('\n', " ")))?;
        host.origin = name.to_string();
        read.push(host);
    }
    Ok((read, unknown))
}

/// Removes keys of a host that are none of ours, and tells them.
fn others_in(host: &mut toml::Table) -> Vec<String> {
    let mut others = keep_known::<HostConfig>(host);
    for (name, dimension) in dimension_tables(host) {
        others
            .extend(keep_known::<DimensionConfig>(dimension).into_iter().map(|key| format!("dimensions.{name}.{key}")));
    }
    let rules = host.get_mut("url_rules").and_then(toml::Value::as_array_mut).into_iter().flatten();
    for (number, rule) in rules.filter_map(toml::Value::as_table_mut).enumerate() {
        others.extend(keep_known::<RuleConfig>(rule).into_iter().map(|key| format!("url_rules[{number}].{key}")));
    }
    others
}

/// Removes the keys that a type has no fields for, and tells them.
fn keep_known<T: for<'de> Deserialize<'de>>(table: &mut toml::Table) -> Vec<String> {
    let mut fields = Fields(&[]);
    // It only looks at what is asked for, and never has it.
    drop(T::deserialize(&mut fields));
    let others: Vec<_> = table.keys().filter(|key| !fields.0.contains(&key.as_str())).cloned().collect();
    others.iter().for_each(|key| drop(table.remove(key)));
    others
}

/// Finds out what fields a type has.
struct Fields(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Fields {
    type Error = de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0 = fields;
        Err(de::Error::custom("there is none"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("it has no fields"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
