//! Counters per name that clients choose: found without a lock that anybody waits for, and bounded in number.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use parking_lot::RwLock;

#[cfg(test)]
mod tests;

/// Most names that are counted apart.
pub(super) const MAX_NAMES: usize = 1000;
/// Under this name all others are counted together.
pub(super) const OTHER: &str = "_other_";

/// Values by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Labelled<V> {
    values: RwLock<HashMap<Box<[u8]>, Arc<V>, RandomState>>,
    other: Arc<V>,
}

impl<V: Default> Labelled<V> {
    /// The value of `namespace` and `name`; beyond the bound, that of all others.
    pub(super) fn at(&self, namespace: &[u8], name: &[u8]) -> Arc<V> {
        let key = [namespace, b"\0", name].concat();
        if let Some(value) = self.values.read().get(&key[..]) {
            return value.clone();
        }
        let mut values = self.values.write();
        if values.len() >= MAX_NAMES && !values.contains_key(&key[..]) {
            return self.other.clone();
        }
        values.entry(key.into()).or_default().clone()
    }

    /// All names with their values, sorted; the last one is that of all others, once there are any.
    pub(super) fn all(&self) -> Vec<(String, String, Arc<V>)> {
        let values = self.values.read();
        let mut all: Vec<_> = values
            .iter()
            .map(|(key, value)| {
                let mut names = key.splitn(2, |byte| *byte == 0).map(|name| String::from_utf8_lossy(name).into_owned());
                (names.next().unwrap_or_default(), names.next().unwrap_or_default(), value.clone())
            })
            .collect();
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        if values.len() >= MAX_NAMES {
            all.push((OTHER.to_owned(), OTHER.to_owned(), self.other.clone()));
        }
        all
    }
}
