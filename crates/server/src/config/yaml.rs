//! YAML files of originals, read into the tree that our own file is read into.
//!
//! What a file can make of the memory is bounded: its length, and how many values its aliases come to.

use std::{cell::Cell, fmt, io::Read, path::Path};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::layers::Error;

#[cfg(test)]
mod tests;

/// Longest file.
const FILE_BYTES: u64 = 16 << 20;
/// Values of a file, those of its aliases counted each time.
const VALUES: usize = 1_000_000;
/// So many bytes of a text count as one more value.
const TEXT_BYTES: usize = 64;
/// What editors of some systems put in front of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// A key that takes the keys of another table that are not given beside it.
const MERGE: &str = "<<";

/// Reads a file whose content is a table. Members that are null are left out.
pub(super) fn read(path: &Path) -> Result<toml::Table, Error> {
    let name = path.display();
    let refused = |what: &dyn fmt::Display| Error::new(format!("{name}: {what}"));
    let file = std::fs::File::open(path).map_err(|error| refused(&error))?;
    let mut text = String::new();
    file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| refused(&error))?;
    if text.len() as u64 > FILE_BYTES {
        return Err(refused(&format_args!("is longer than {FILE_BYTES} bytes")));
    }
    parse(&text).map_err(|what| refused(&what))
}

pub(super) fn parse(text: &str) -> Result<toml::Table, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let left = Cell::new(VALUES);
    let tree = Tree(&left).deserialize(serde_yaml_ng::Deserializer::from_str(text));
    match tree.map_err(|error| error.to_string().replace('\n', " "))? {
        None => Ok(toml::Table::new()),
        Some(toml::Value::Table(table)) => Ok(table),
        Some(_) => Err("is not a table of keys".to_owned()),
    }
}

/// Reads a value, as long as there may be more of them; none = null.
#[derive(Clone, Copy)]
struct Tree<'a>(&'a Cell<usize>);

impl Tree<'_> {
    fn charge<E: serde::de::Error>(self, values: usize) -> Result<(), E> {
        self.0.set(self.0.get().checked_sub(values).ok_or_else(|| E::custom("there are too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Option<toml::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.charge(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Option<toml::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(toml::Value::Boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(toml::Value::Integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        // What is no number of ours is one that nothing here is set to.
        Ok(Some(i64::try_from(value).map_or(toml::Value::Float(value as f64), toml::Value::Integer)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(toml::Value::Float(value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        self.charge(value.len() / TEXT_BYTES)?;
        Ok(Some(toml::Value::String(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item.unwrap_or_else(|| toml::Value::String(String::new())));
        }
        Ok(Some(toml::Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut table = toml::Table::new();
        let mut merged = None;
        while let Some(Key(key)) = entries.next_key()? {
            let value = entries.next_value_seed(self)?;
            if key == MERGE {
                merged = value;
            } else if table.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} is there twice")));
            } else if let Some(value) = value {
                table.insert(key, value);
            }
        }
        merge(&mut table, merged).map_err(A::Error::custom)?;
        Ok(Some(toml::Value::Table(table)))
    }
}

/// Takes over what is not there; of several tables the first goes before the others.
fn merge(table: &mut toml::Table, from: Option<toml::Value>) -> Result<(), &'static str> {
    let sources = match from {
        None => Vec::new(),
        Some(toml::Value::Array(sources)) => sources,
        Some(one) => vec![one],
    };
    for source in sources {
        let toml::Value::Table(source) = source else { return Err("<< wants tables") };
        for (key, value) in source {
            table.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// A key; numbers and words such as `true` are keys too.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyReader)
    }
}

struct KeyReader;

impl Visitor<'_> for KeyReader {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain key")
    }

    fn visit_bool<E>(self, key: bool) -> Result<Key, E> {
        Ok(Key(key.to_string()))
    }

    fn visit_i64<E>(self, key: i64) -> Result<Key, E> {
        Ok(Key(key.to_string()))
    }

    fn visit_u64<E>(self, key: u64) -> Result<Key, E> {
        Ok(Key(key.to_string()))
    }

    fn visit_f64<E>(self, key: f64) -> Result<Key, E> {
        Ok(Key(key.to_string()))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(Key(key.to_owned()))
    }
}
