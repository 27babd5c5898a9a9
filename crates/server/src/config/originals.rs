//! Names of the environment that the originals of the dialects read.

use std::collections::BTreeMap;

use super::layers::{Error, Layers, Setting};

#[cfg(test)]
mod tests;

/// Addresses of stores that the engine replaces: accepted, ignored, and mentioned once.
const EMBEDDED: [&str; 3] = ["UNISON_VALKEY_URL", "VALKEY_URL", "REDIS_URL"];

/// Names that mean one key.
const KEYS: [(&str, &str); 2] =
    [("UNISON_API_KEY", "unison.api_key"), ("UNISON_AGENT_API_KEY", "unison.agent_api_key")];

/// Reads them into `layers.originals`; the answer is what the operator should be told.
pub(super) fn read(layers: &mut Layers, env: &BTreeMap<String, String>) -> Result<Vec<String>, Error> {
    for (source, key) in KEYS {
        if let Some(text) = env.get(source) {
            layers.originals.push(Setting { key, text: text.clone(), source });
        }
    }
    if let Some(listen) = env.get("UNISON_LISTEN") {
        listen_address(listen, layers)?;
    }
    generic_names(layers, env);

    let ignored: Vec<_> = EMBEDDED.into_iter().filter(|name| env.contains_key(*name)).collect();
    match ignored[..] {
        [] => Ok(Vec::new()),
        _ => Ok(vec![format!("ignoring {}: the engine is embedded", ignored.join(", "))]),
    }
}

/// `host:port`, `[v6]:port` or `:port`.
fn listen_address(listen: &str, layers: &mut Layers) -> Result<(), Error> {
    let source = "UNISON_LISTEN";
    let bad = || Error::new(format!("{source}: unison.host, unison.port: {listen:?} is not host:port"));
    let (host, port) = listen.rsplit_once(':').ok_or_else(bad)?;
    port.parse::<u16>().map_err(|_| bad())?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').ok_or_else(bad)?,
        None if host.contains(':') => return Err(bad()),
        None => host,
    };
    if !host.is_empty() {
        layers.originals.push(Setting { key: "unison.host", text: host.to_owned(), source });
    }
    layers.originals.push(Setting { key: "unison.port", text: port.to_owned(), source });
    Ok(())
}

/// `PORT` and `HOST` are so generic that they may be meant for somebody else: they count only for a process with one
/// listener of its own, which today is always Unison's, and only if nothing else says where that listens.
fn generic_names(layers: &mut Layers, env: &BTreeMap<String, String>) {
    if ["host", "unison.host", "unison.port"].iter().any(|key| layers.sets(key)) {
        return;
    }
    for (source, key) in [("HOST", "unison.host"), ("PORT", "unison.port")] {
        if let Some(text) = env.get(source).filter(|text| !text.is_empty()) {
            layers.originals.push(Setting { key, text: text.clone(), source });
        }
    }
}
