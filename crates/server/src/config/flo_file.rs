//! `flo.toml`: the file of the original server, read below our own.

use std::{io, path::PathBuf};

use toml::de::{DeTable, DeValue};

use super::{
    layers::{Error, Layers},
    originals::log_level,
};

#[cfg(test)]
mod tests;

/// The environment's name for where the file is.
pub(super) const ENV: &str = "MANIFOLD_FLO_CONFIG";
const DEFAULT_FILE: &str = "flo.toml";

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Integer,
    Boolean,
    Text,
    Texts,
}

/// What each key means to us. Of two that mean the same the first one wins.
const KEYS: &[(&str, &str, Type)] = &[
    ("dashboard.port", "flo.port", Type::Integer),
    ("dashboard_port", "flo.port", Type::Integer),
    ("dashboard.bind", "flo.host", Type::Text),
    ("dashboard.enabled", "flo.enabled", Type::Boolean),
    ("dashboard.cors_origins", "flo.dashboard.cors_origins", Type::Texts),
    ("dashboard.hosts", "flo.dashboard.hosts", Type::Texts),
    ("metrics.port", "flo.metrics_port", Type::Integer),
    ("metrics.bind", "flo.metrics.bind", Type::Text),
    ("metrics.enabled", "flo.metrics.enabled", Type::Boolean),
    ("server.data_dir", "data_dir", Type::Text),
    ("server.port", "flo.server.port", Type::Integer),
    ("server.bind", "flo.server.bind", Type::Text),
    ("server.shards", "flo.server.shards", Type::Integer),
    ("node.shard_count", "flo.server.shards", Type::Integer),
    ("storage.durability", "durability.level", Type::Text),
    ("logging.level", "log.level", Type::Text),
    ("logging.format", "log.format", Type::Text),
    ("cluster.node_id", "flo.cluster.node_id", Type::Integer),
    ("cluster.partition_count", "flo.cluster.partition_count", Type::Integer),
    ("server.partition_count", "flo.cluster.partition_count", Type::Integer),
    ("cluster.replication_factor", "flo.cluster.replication_factor", Type::Integer),
    ("cluster.seeds", "flo.cluster.seeds", Type::Texts),
    ("auth.enabled", "flo.auth.enabled", Type::Boolean),
    ("auth.tokens", "flo.auth.tokens", Type::Texts),
    ("auth.jwt_secret", "flo.auth.jwt_secret", Type::Text),
    ("queue.priority_order", "flo.queue.priority_order", Type::Text),
    ("queue.max_attempts", "flo.queue.max_attempts", Type::Integer),
    ("queue.default_visibility_ms", "flo.queue.default_visibility_ms", Type::Integer),
    ("queue.dedup_window_seconds", "flo.queue.dedup_window_seconds", Type::Integer),
    ("queue.max_dlq", "flo.queue.max_dlq", Type::Integer),
    ("stream.retention", "flo.stream.retention", Type::Text),
    ("stream.max_bytes", "flo.stream.max_bytes", Type::Integer),
    ("timeseries.retention", "flo.timeseries.retention", Type::Text),
    ("timeseries.retentions", "flo.timeseries.retentions", Type::Texts),
    ("timeseries.max_body_bytes", "flo.timeseries.max_body_bytes", Type::Integer),
    ("timeseries.max_series", "flo.timeseries.max_series", Type::Integer),
    ("timeseries.max_fields", "flo.timeseries.max_fields", Type::Integer),
    ("timeseries.query_timeout", "flo.timeseries.query_timeout", Type::Text),
    ("timeseries.query_max_bytes", "flo.timeseries.query_max_bytes", Type::Integer),
    ("limits.max_connections", "flo.limits.max_connections", Type::Integer),
    ("limits.max_inflight", "flo.limits.max_inflight", Type::Integer),
    ("limits.max_value_bytes", "flo.limits.max_value_bytes", Type::Integer),
];

/// Tables of the original about machinery that is not here; they mean nothing and need no word.
const WITHOUT_EFFECT: [&str; 2] = ["gossip", "storage"];

/// Lays the file below ours; the answer is what the operator should be told. A file that was not named may be absent.
pub(super) fn read(named: Option<PathBuf>, layers: &mut Layers) -> Result<Vec<String>, Error> {
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => lay(&name, &text, layers),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Vec::new()),
        Err(error) => Err(Error::new(format!("{name}: {error}"))),
    }
}

pub(super) fn lay(name: &str, text: &str, layers: &mut Layers) -> Result<Vec<String>, Error> {
    let line = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
    let refused = |at: usize, what: &dyn std::fmt::Display| Error::new(format!("{name}: line {}: {what}", line(at)));
    let parsed = DeTable::parse(text).map_err(|error| {
        // The library's own rendering quotes the line, which may hold a secret.
        refused(error.span().map_or(0, |span| span.start), &error.message())
    })?;
    let mut found = Vec::new();
    flatten(parsed.get_ref(), "", &mut found);

    let mut unknown = Vec::new();
    for (key, at, _) in &found {
        let known = KEYS.iter().any(|(known, ..)| known == key);
        let table = key.split('.').next().unwrap_or_default();
        if !known && !WITHOUT_EFFECT.contains(&table) {
            unknown.push(format!("{key} (line {})", line(*at)));
        }
    }
    for (key, ours, wanted) in KEYS {
        let Some((_, at, value)) = found.iter().find(|(found, ..)| found == key) else { continue };
        let value = wanted.read(key, value).map_err(|what| refused(*at, &format!("{key} must be {what}")))?;
        layers.lay(ours, value, &format!("{name}: line {}: {key}", line(*at)), &[]);
    }
    Ok(match unknown[..] {
        [] => Vec::new(),
        _ => vec![format!("{name}: ignoring {}: no such key", unknown.join(", "))],
    })
}

/// All keys of a table and of those below it, with where their values stand.
fn flatten<'a, 'i>(table: &'a DeTable<'i>, path: &str, found: &mut Vec<(String, usize, &'a DeValue<'i>)>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
        match value.get_ref() {
            DeValue::Table(below) => flatten(below, &key, found),
            other => found.push((key, value.span().start, other)),
        }
    }
}

impl Type {
    /// The value as ours, or what it should have been.
    fn read(self, key: &str, value: &DeValue<'_>) -> Result<toml::Value, &'static str> {
        match (self, value) {
            (Type::Integer, DeValue::Integer(number)) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                parsed.map(toml::Value::Integer).map_err(|_| "a smaller integer")
            }
            (Type::Integer, _) => Err("an integer"),
            (Type::Boolean, DeValue::Boolean(flag)) => Ok(toml::Value::Boolean(*flag)),
            (Type::Boolean, _) => Err("true or false"),
            (Type::Text, DeValue::String(text)) => Ok(toml::Value::String(spelled(key, text)?.to_owned())),
            (Type::Text, _) => Err("a string"),
            (Type::Texts, DeValue::Array(items)) => {
                let text = |item: &toml::Spanned<DeValue<'_>>| match item.get_ref() {
                    DeValue::String(text) => Ok(toml::Value::String(text.to_string())),
                    _ => Err("an array of strings"),
                };
                items.iter().map(text).collect::<Result<_, _>>().map(toml::Value::Array)
            }
            (Type::Texts, _) => Err("an array of strings"),
        }
    }
}

/// The original's words for what we call otherwise.
fn spelled<'a>(key: &str, text: &'a str) -> Result<&'a str, &'static str> {
    match (key, text) {
        ("storage.durability", "sync_flush" | "sync") => Ok("always"),
        ("storage.durability", "async_flush") => Ok("interval"),
        ("storage.durability", "none" | "ephemeral") => Ok("os"),
        ("storage.durability", _) => Err("sync_flush, async_flush, none or ephemeral"),
        ("logging.level", level) => Ok(log_level(level)),
        _ => Ok(text),
    }
}
