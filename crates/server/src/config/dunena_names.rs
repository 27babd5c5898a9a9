//! Names of the environment that the original of Dunena reads, as leniently as it does: of an integer the leading digits
//! count, and of a boolean only `true` and `1` are true.

use std::collections::BTreeMap;

use super::layers::{Layers, Setting};
use crate::dialects::dunena::Config;

#[cfg(test)]
mod tests;

const PREFIX: &str = "DUNENA_";
/// What comes before it in our own names, which mean the same.
const OURS: &str = "MANIFOLD_";
/// What the keys of the dialect begin with.
const SECTION: &str = "dunena.";

/// What a name holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    /// An integer that is refused below 1: a negative one is no junk.
    Positive,
    Boolean,
}
use Kind::{Boolean, Integer, Positive, Text};

/// The names, and the keys they mean.
const KEYS: [(&str, &str, Kind); 35] = [
    ("DUNENA_ENABLED", "dunena.enabled", Boolean),
    ("DUNENA_PORT", "dunena.port", Integer),
    ("DUNENA_HOST", "dunena.host", Text),
    ("DUNENA_AUTH_TOKEN", "dunena.auth_token", Text),
    ("DUNENA_MAX_ENTRIES", "dunena.max_entries", Positive),
    ("DUNENA_MAX_MEMORY", "dunena.max_memory", Integer),
    ("DUNENA_DEFAULT_TTL", "dunena.default_ttl", Integer),
    ("DUNENA_BLOOM_FILTER", "dunena.bloom_filter", Boolean),
    ("DUNENA_BLOOM_SIZE", "dunena.bloom_size", Integer),
    ("DUNENA_BLOOM_HASHES", "dunena.bloom_hashes", Integer),
    ("DUNENA_COMPRESSION_THRESHOLD", "dunena.compression_threshold", Integer),
    ("DUNENA_RATE_WINDOW", "dunena.rate_window", Integer),
    ("DUNENA_RATE_MAX", "dunena.rate_max", Integer),
    ("DUNENA_CORS_ORIGINS", "dunena.cors_origins", Text),
    ("DUNENA_TRUSTED_PROXIES", "dunena.trusted_proxies", Text),
    ("DUNENA_METRICS_PUBLIC", "dunena.metrics_public", Boolean),
    ("DUNENA_STATS_INTERVAL", "dunena.stats_interval", Integer),
    ("DUNENA_WS", "dunena.ws", Boolean),
    ("DUNENA_DASHBOARD", "dunena.dashboard", Boolean),
    ("DUNENA_PERSIST", "dunena.persist", Boolean),
    ("DUNENA_PERSIST_PATH", "dunena.persist_path", Text),
    ("DUNENA_PERSIST_INTERVAL", "dunena.persist_interval", Integer),
    ("DUNENA_PERSIST_ON_SHUTDOWN", "dunena.persist_on_shutdown", Boolean),
    ("DUNENA_DB", "dunena.db", Boolean),
    ("DUNENA_DB_PATH", "dunena.db_path", Text),
    ("DUNENA_DB_PURGE_INTERVAL", "dunena.db_purge_interval", Integer),
    ("DUNENA_QUERY_CACHE_TTL", "dunena.query_cache_ttl", Integer),
    ("DUNENA_QUERY_CACHE_MAX_ENTRIES", "dunena.query_cache_max_entries", Integer),
    ("DUNENA_PROXY_CONNECT_TIMEOUT", "dunena.proxy_connect_timeout", Integer),
    ("DUNENA_PROXY_TIMEOUT", "dunena.proxy_timeout", Integer),
    ("DUNENA_PROXY_MAX_RESPONSE", "dunena.proxy_max_response", Integer),
    ("DUNENA_PROXY_ALLOW_HOSTS", "dunena.proxy_allow_hosts", Text),
    ("DUNENA_PROXY_SQLITE_DIRS", "dunena.proxy_sqlite_dirs", Text),
    ("DUNENA_LOG_LEVEL", "log.level", Text),
    ("DUNENA_LOG_FORMAT", "log.format", Text),
];

/// Reads them into `layers`; the answer is what the operator should be told.
pub(super) fn read(layers: &mut Layers, env: &BTreeMap<String, String>) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, key, kind) in KEYS {
        let mut text_of = |name: &str| {
            let text = lenient(kind, given(env, name)?);
            Some(text.unwrap_or_else(|| {
                notes.push(format!("{name} is no number: the default counts"));
                default_of(key)
            }))
        };
        if let Some(text) = text_of(name) {
            layers.originals.push(Setting { key, text, source: name });
        }
        let ours = format!("{OURS}{name}");
        if key.starts_with(SECTION)
            && let Some(text) = text_of(&ours)
        {
            layers.env.insert(ours, text);
        }
    }
    let known = |name: &&String| KEYS.iter().any(|(known, ..)| known == name);
    let unknown: Vec<_> = env.keys().filter(|name| name.starts_with(PREFIX) && !known(name)).cloned().collect();
    if !unknown.is_empty() {
        notes.push(format!("ignoring {}: not offered", unknown.join(", ")));
    }
    notes
}

/// A text that is empty is as good as none.
fn given<'e>(env: &'e BTreeMap<String, String>, name: &str) -> Option<&'e str> {
    env.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// What the number of a key is when nothing says so.
fn default_of(key: &str) -> String {
    let defaults = toml::Table::try_from(Config::default()).expect("texts, numbers and lists of them are always TOML");
    let number = key.strip_prefix(SECTION).and_then(|name| defaults.get(name));
    number.expect("all integers are fields of the section, and have a default").to_string()
}

/// The text as the configuration takes it; none when it is no number where one belongs.
fn lenient(kind: Kind, text: &str) -> Option<String> {
    match kind {
        Text => Some(text.to_owned()),
        Boolean => Some(matches!(text, "true" | "1").to_string()),
        Positive if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) => {
            Some("0".to_owned())
        }
        Integer | Positive => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            // What no number of ours could hold is junk too.
            text[..digits].parse::<u64>().ok().map(|number| number.to_string())
        }
    }
}
