//! Names of the environment that the originals of the dialects read.

use std::collections::BTreeMap;

use super::{
    dunena_names,
    layers::{Error, Layers, Setting},
};

#[cfg(test)]
mod tests;

/// Addresses of stores that the engine replaces: accepted, ignored, and mentioned once.
const EMBEDDED: [&str; 3] = ["UNISON_VALKEY_URL", "VALKEY_URL", "REDIS_URL"];

/// Names that mean one key.
const KEYS: [(&str, &str); 18] = [
    ("UNISON_API_KEY", "unison.api_key"),
    ("UNISON_AGENT_API_KEY", "unison.agent_api_key"),
    ("FLO_DASHBOARD_PORT", "flo.port"),
    ("FLO_METRICS_PORT", "flo.metrics_port"),
    ("FLO_DATA_DIR", "data_dir"),
    ("FLO_PORT", "flo.server.port"),
    ("FLO_SHARDS", "flo.server.shards"),
    ("FLO_SHARD_COUNT", "flo.server.shards"),
    ("FLO_LOG_LEVEL", "log.level"),
    ("FLO_LOG_FORMAT", "log.format"),
    ("FLO_NODE_ID", "flo.cluster.node_id"),
    ("FLO_CLUSTER_SEEDS", "flo.cluster.seeds"),
    ("SYNAP_HOST", "synap.host"),
    ("SYNAP_PORT", "synap.port"),
    ("SYNAP_AUTH_ENABLED", "synap.auth.required"),
    ("SYNAP_WATCH_MAX_INLINE_VALUE_BYTES", "synap.watch.max_inline_value_bytes"),
    ("SYNAP_LOG_FORMAT", "log.format"),
    ("RUST_LOG", "log.level"),
];

/// Names that mean a host and a port.
const ADDRESSES: [(&str, &str, &str); 4] = [
    ("UNISON_LISTEN", "unison.host", "unison.port"),
    ("FLO_DASHBOARD_ADDR", "flo.host", "flo.port"),
    ("FLO_METRICS_ADDR", "flo.metrics.bind", "flo.metrics_port"),
    ("FLO_LISTEN_ADDR", "flo.server.bind", "flo.server.port"),
];

/// Reads them into `layers.originals`; the answer is what the operator should be told.
pub(super) fn read(layers: &mut Layers, env: &BTreeMap<String, String>) -> Result<Vec<String>, Error> {
    for (source, key) in KEYS {
        if let Some(text) = env.get(source) {
            let text = if key == "log.level" { log_level(text) } else { text };
            layers.originals.push(Setting { key, text: text.to_owned(), source });
        }
    }
    for (source, host, port) in ADDRESSES {
        if let Some(address) = env.get(source) {
            listen_address(address, source, [host, port], layers)?;
        }
    }
    synap_credentials(layers, env);
    let mut notes = dunena_names::read(layers, env);
    generic_names(layers, env);

    let ignored: Vec<_> = EMBEDDED.into_iter().filter(|name| env.contains_key(*name)).collect();
    if !ignored.is_empty() {
        notes.push(format!("ignoring {}: the engine is embedded", ignored.join(", ")));
    }
    Ok(notes)
}

/// Credentials are tables in the file, so they take its place instead of being read as texts.
fn synap_credentials(layers: &mut Layers, env: &BTreeMap<String, String>) {
    let given = |name| env.get(name).filter(|text: &&String| !text.is_empty()).cloned();
    let list = |pairs: [(&str, String); 2]| {
        let table = pairs.map(|(name, text)| (name.to_owned(), toml::Value::String(text)));
        toml::Value::Array(vec![toml::Value::Table(table.into_iter().collect())])
    };
    if let Some(key) = given("SYNAP_API_KEY") {
        layers.set_over_file("synap.auth.api_keys", list([("key", key), ("name", "env".to_owned())]));
    }
    if let (Some(name), Some(password)) = (given("SYNAP_AUTH_ROOT_USERNAME"), given("SYNAP_AUTH_ROOT_PASSWORD")) {
        layers.set_over_file("synap.auth.users", list([("username", name), ("password", password)]));
    }
}

/// `host:port`, `[v6]:port` or `:port`.
fn listen_address(
    listen: &str,
    source: &'static str,
    [host_key, port_key]: [&'static str; 2],
    layers: &mut Layers,
) -> Result<(), Error> {
    let bad = || Error::new(format!("{source}: {host_key}, {port_key}: {listen:?} is not host:port"));
    let (host, port) = listen.rsplit_once(':').ok_or_else(bad)?;
    port.parse::<u16>().map_err(|_| bad())?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').ok_or_else(bad)?,
        None if host.contains(':') => return Err(bad()),
        None => host,
    };
    if !host.is_empty() {
        layers.originals.push(Setting { key: host_key, text: host.to_owned(), source });
    }
    layers.originals.push(Setting { key: port_key, text: port.to_owned(), source });
    Ok(())
}

/// The level as the log spells it.
pub(super) fn log_level(level: &str) -> &str {
    if level == "err" { "error" } else { level }
}

/// `PORT` and `HOST` are so generic that they may be meant for somebody else: they count only for a process that
/// serves one dialect, and only if nothing else says where that listens.
fn generic_names(layers: &mut Layers, env: &BTreeMap<String, String>) {
    let alone = ["flo.enabled", "synap.enabled", "dunena.enabled"].iter().all(|key| layers.says(key, "false"));
    if !alone || ["host", "unison.host", "unison.port"].iter().any(|key| layers.sets(key)) {
        return;
    }
    for (source, key) in [("HOST", "unison.host"), ("PORT", "unison.port")] {
        if let Some(text) = env.get(source).filter(|text| !text.is_empty()) {
            layers.originals.push(Setting { key, text: text.clone(), source });
        }
    }
}
