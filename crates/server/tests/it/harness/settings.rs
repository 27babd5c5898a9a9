//! What a server is started with: its configuration file, environment and flags.

use std::sync::Arc;

use rustls::ClientConfig;
use toml::{Table, Value};

use super::{AGENT_KEY, Authority, FULL_KEY, Pair};

/// The configuration of one server; ports and data directory are added when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The content of `manifold.toml`.
    pub file: Table,
    /// The whole environment of the process: nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Writes of the process that would make a file longer than this fail with `EFBIG`.
    pub file_size_limit_kib: Option<u64>,
    /// How clients of the tests trust the server, where all of its listeners speak TLS.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { file: Table::new(), env: Vec::new(), file_size_limit_kib: None, tls: None }
            .set("unison.api_key", FULL_KEY)
            .set("unison.agent_api_key", AGENT_KEY)
            // What tests call the server that write their requests by hand.
            .set("allowed_hosts", Value::from(vec!["a", "h"]))
    }
}

impl Settings {
    /// Sets one key of the file: `set("unison.changes_max_records", 1000)`.
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let (section, key) = split(path);
        table(&mut self.file, section).insert(key.to_owned(), value.into());
        self
    }

    /// Removes one key of the file.
    pub fn unset(mut self, path: &str) -> Self {
        let (section, key) = split(path);
        table(&mut self.file, section).remove(key);
        self
    }

    /// All listeners speak TLS and show this pair, which the authority signed.
    pub fn over_tls(self, authority: &Authority, pair: &Pair) -> Self {
        let path = |path: &std::path::Path| path.display().to_string();
        let settings = self.set("tls.cert", path(&pair.cert)).set("tls.key", path(&pair.key));
        Settings { tls: Some(authority.client()), ..settings }
    }

    /// Sets an environment variable of the process.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// A server that answers as soon as the kernel has a write: for tests that are not about power loss and write much.
    pub fn fast() -> Self {
        Settings::default().set("durability.level", "os")
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

fn table<'a>(file: &'a mut Table, section: &str) -> &'a mut Table {
    if section.is_empty() {
        return file;
    }
    section.split('.').fold(file, |table, name| {
        let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
        entry.as_table_mut().expect("a section is a table")
    })
}
