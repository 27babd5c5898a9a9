//! The effective configuration as a file that would produce it, without its secrets.

use super::{Config, layers::is_secret};

/// The configuration as TOML; secrets that are set are shown as stars.
pub fn effective(config: &Config) -> Result<String, toml::ser::Error> {
    let mut table = toml::Table::try_from(config)?;
    mask("", &mut table);
    toml::to_string_pretty(&table)
}

/// The same as a JSON object.
pub fn effective_json(config: &Config) -> Result<String, toml::ser::Error> {
    let mut table = toml::Table::try_from(config)?;
    mask("", &mut table);
    Ok(serde_json::to_string(&table).expect("tables of texts and numbers are always JSON"))
}

/// A section should hold its secrets as `http::auth::Secret`, which masks itself; this is for one that forgot.
pub(super) fn mask(section: &str, table: &mut toml::Table) {
    for (name, value) in table.iter_mut() {
        let key = format!("{section}.{name}");
        match value {
            toml::Value::Table(below) => mask(&key, below),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                items.iter_mut().filter_map(toml::Value::as_table_mut).for_each(|table| mask(&key, table));
            }
            value if is_secret(&key) => stars(value),
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
