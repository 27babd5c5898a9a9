//! The effective configuration as a file that would produce it, without its secrets.

use super::{Config, layers::is_secret};

/// The configuration as TOML; secrets that are set are shown as stars.
pub fn effective(config: &Config) -> Result<String, toml::ser::Error> {
    let mut table = toml::Table::try_from(config)?;
    mask(&mut table);
    toml::to_string_pretty(&table)
}

/// A section should hold its secrets as `http::auth::Secret`, which masks itself; this is for one that forgot.
pub(super) fn mask(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::Table(below) => mask(below),
            value if is_secret(key) => stars(value),
            _ => {}
        }
    }
}

fn stars(value: &mut toml::Value) {
    match value {
        toml::Value::Array(items) => items.iter_mut().for_each(stars),
        toml::Value::String(text) if text.is_empty() => {}
        value => *value = toml::Value::String("***".to_owned()),
    }
}
