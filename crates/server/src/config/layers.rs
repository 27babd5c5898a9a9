//! Several sources laid over each other, and a serde deserializer that reads through them.
//!
//! The structs of a configuration say what keys exist and of what type they are. Reading one field asks the sources in
//! order of rank; so a text of the environment becomes a number exactly where the struct wants one, a key of the file
//! that no struct knows is an error, and every error names the key and the source it came from.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};

#[cfg(test)]
mod tests;

/// Names of the environment that mean a key: the prefix, then the path in capitals, joined by `_`.
const PREFIX: &str = "MANIFOLD_";

/// A field of this name says that a table may have keys of others, which mean nothing here.
const OTHERS: &str = "*";

/// A key set from somewhere else than the file, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Path of the key, joined by dots.
    pub key: &'static str,
    /// Its value.
    pub text: String,
    /// Where it came from, for messages.
    pub source: &'static str,
}

/// All sources.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Highest: the command line.
    pub flags: Vec<Setting>,
    /// Then `MANIFOLD_*`.
    pub env: BTreeMap<String, String>,
    /// Then the names that the originals of the dialects use.
    pub originals: Vec<Setting>,
    /// Then the file.
    pub file: toml::Table,
    /// What messages call the file.
    pub file_name: String,
    /// What messages call the files of originals that were laid below it, by the keys that came from them.
    pub origins: BTreeMap<String, String>,
}

/// Why a configuration cannot be used; one sentence with the source and the key in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Error {
    sentence: String,
    /// Whether source and key are in the sentence already.
    located: bool,
}

impl Error {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Error { sentence: sentence.into(), located: true }
    }
}

/// What a type says about a value it does not like; the key is added where the value was read.
impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error { sentence: message.to_string(), located: false }
    }
}

/// A configuration and the names of the environment that look like ours but belong to no key.
pub(super) fn read<'de, T: Deserialize<'de>>(layers: &Layers) -> Result<(T, Vec<String>), Error> {
    let (file, seen) = (layers.file_as_value(), RefCell::<Seen>::default());
    let config = loop {
        let values = seen.borrow().values.len();
        let root = Node { layers, seen: &seen, path: String::new(), file: Some(&file), text: None };
        match T::deserialize(root) {
            // Only now it is known that a key is a value, and that no name of the environment means a key below it.
            Err(_) if seen.borrow().values.len() > values => {}
            read => break read?,
        }
    };
    let Seen { used, .. } = seen.into_inner();
    let unused = layers.env.keys().filter(|name| name.starts_with(PREFIX) && !used.contains(*name));
    Ok((config, unused.cloned().collect()))
}

/// What reading found out.
#[derive(Default)]
struct Seen {
    /// Names of the environment that mean a key.
    used: BTreeSet<String>,
    /// Keys that looked like tables, because of names of the environment that begin like theirs, and are values.
    values: BTreeSet<String>,
}

impl Layers {
    fn file_as_value(&self) -> toml::Value {
        toml::Value::Table(self.file.clone())
    }

    /// The text that decides `key`, if a source above the file sets it.
    fn text(&self, key: &str, seen: &RefCell<Seen>) -> Option<(String, String)> {
        let of = |settings: &[Setting]| {
            let setting = settings.iter().find(|setting| setting.key == key)?;
            Some((setting.text.clone(), setting.source.to_owned()))
        };
        let name = env_name(key);
        let env = self.env.get(&name).map(|text| {
            seen.borrow_mut().used.insert(name.clone());
            (text.clone(), name)
        });
        of(&self.flags).or(env).or_else(|| of(&self.originals))
    }

    /// Whether a source above the file sets a key below `section`.
    fn sets_below(&self, section: &str) -> bool {
        let prefix = format!("{section}.");
        let env_prefix = env_name(&prefix);
        self.flags.iter().chain(&self.originals).any(|setting| setting.key.starts_with(&prefix))
            || self.env.keys().any(|name| name.starts_with(&env_prefix))
    }

    /// Whether any source sets `key`.
    pub(super) fn sets(&self, key: &str) -> bool {
        self.in_file(key).is_some() || self.text(key, &RefCell::default()).is_some()
    }

    /// Whether the source that decides `key` sets it to what is spelled `value`.
    pub(super) fn says(&self, key: &str, value: &str) -> bool {
        match self.text(key, &RefCell::default()) {
            Some((text, _)) => text.trim() == value,
            None => self.in_file(key).is_some_and(|found| found.to_string() == value),
        }
    }

    fn in_file(&self, key: &str) -> Option<&toml::Value> {
        let (tables, last) = key.rsplit_once('.').map_or(("", key), |(tables, last)| (tables, last));
        let mut tables = tables.split('.').filter(|table| !table.is_empty());
        tables.try_fold(&self.file, |table, name| table.get(name)?.as_table())?.get(last)
    }

    /// Sets a key of the file, whatever the file says: for values that are no plain text.
    pub(super) fn set_over_file(&mut self, key: &str, value: toml::Value) {
        if let Some((table, last)) = self.table_of(key) {
            table.insert(last.to_owned(), value);
        }
    }

    /// Lays what a file says about `key` below what is there already, one key of a table after the other. A table that is
    /// one value (`whole`) is not mixed.
    pub(super) fn lay(&mut self, key: &str, value: toml::Value, source: &str, whole: &[&str]) {
        match (self.in_file(key), value) {
            (Some(toml::Value::Table(_)), toml::Value::Table(below)) if !whole.contains(&key) => {
                for (name, value) in below {
                    self.lay(&format!("{key}.{name}"), value, source, whole);
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                self.set_over_file(key, value);
                self.origins.insert(key.to_owned(), source.to_owned());
            }
        }
    }

    /// What messages call the source that decides `key`.
    pub(super) fn source_of(&self, key: &str) -> String {
        match self.text(key, &RefCell::default()) {
            Some((_, source)) => source,
            None => self.file_of(key).to_owned(),
        }
    }

    /// What messages call the file that `key` is in.
    fn file_of(&self, key: &str) -> &str {
        let mut path = Some(key);
        while let Some(found) = path {
            if let Some(origin) = self.origins.get(found) {
                return origin;
            }
            path = found.rsplit_once('.').map(|(above, _)| above);
        }
        &self.file_name
    }

    /// A text that is needed before everything is read.
    pub(super) fn early(&self, key: &str) -> Option<String> {
        let text = self.text(key, &RefCell::default()).map(|(text, _)| text);
        text.or_else(|| self.in_file(key)?.as_str().map(str::to_owned)).filter(|text| !text.is_empty())
    }

    /// The table that a key is in, made when it is missing, and its name there; none when something else is in the way.
    fn table_of<'k>(&mut self, key: &'k str) -> Option<(&mut toml::Table, &'k str)> {
        let mut table = &mut self.file;
        let (tables, last) = key.rsplit_once('.').map_or(("", key), |(tables, last)| (tables, last));
        for name in tables.split('.').filter(|name| !name.is_empty()) {
            let below = table.entry(name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = below.as_table_mut()?;
        }
        Some((table, last))
    }
}

fn env_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

/// One place in the tree of keys.
struct Node<'a> {
    layers: &'a Layers,
    seen: &'a RefCell<Seen>,
    path: String,
    file: Option<&'a toml::Value>,
    /// Value and source, when a source above the file decides.
    text: Option<(String, String)>,
}

impl<'a> Node<'a> {
    fn child(&self, key: &str) -> Option<Node<'a>> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let file = self.file.and_then(|file| file.get(key));
        let text = self.layers.text(&path, self.seen);
        let is_table = || self.layers.sets_below(&path) && !self.seen.borrow().values.contains(&path);
        let present = file.is_some() || text.is_some() || is_table();
        present.then_some(Node { layers: self.layers, seen: self.seen, path, file, text })
    }

    /// A value is wanted where no source has one.
    fn found_a_value(self) -> Error {
        self.seen.borrow_mut().values.insert(self.path);
        de::Error::custom("is a value, not a table")
    }

    fn place(&self) -> Place {
        let source = self.text.as_ref().map_or(self.layers.file_of(&self.path), |(_, source)| source);
        Place { source: source.to_owned(), key: self.path.clone() }
    }

    fn refuse_unknown(&self, table: &toml::Table, fields: &'static [&'static str]) -> Result<(), Error> {
        if fields.contains(&OTHERS) {
            return Ok(());
        }
        let Some(unknown) = table.keys().find(|key| !fields.contains(&key.as_str())) else { return Ok(()) };
        let file = self.layers.file_of(&format!("{}.{unknown}", self.path));
        let place = if self.path.is_empty() { "at the top level".to_owned() } else { format!("in [{}]", self.path) };
        let known = match nearest(unknown, fields) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known are {}", fields.join(", ")),
        };
        Err(Error::new(format!("{file}: unknown key {unknown:?} {place}; {known}")))
    }
}

/// Where a value was read.
struct Place {
    source: String,
    key: String,
}

impl Place {
    /// Adds source and key to an error that has none. What a type says about a secret may quote it, so that is left out.
    fn locate(self, error: Error) -> Error {
        let Place { source, key } = self;
        match error {
            located if located.located => located,
            _ if is_secret(&key) => Error::new(format!("{source}: {key} has the wrong type")),
            Error { sentence, .. } => Error::new(format!("{source}: {key}: {sentence}")),
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str, wanted: &str) -> Result<T, Error> {
    text.trim().parse().map_err(|_| de::Error::custom(format_args!("{text:?} is not {wanted}")))
}

/// The known key that was probably meant.
fn nearest(unknown: &str, known: &[&'static str]) -> Option<&'static str> {
    let distance = |key: &&str| strsim::damerau_levenshtein(unknown, key);
    known.iter().copied().min_by_key(distance).filter(|key| distance(key) <= 1 + key.len() / 4)
}

/// Keys whose values are never shown. `key` is the whole path: that of a key file is no secret.
pub(super) fn is_secret(key: &str) -> bool {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    if section.split('.').next_back() == Some("tls") {
        return false;
    }
    // Users have passwords: one that is written as a text is perhaps no more than that.
    ["key", "keys", "token", "tokens", "secret", "password", "users"]
        .iter()
        .any(|word| name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_')))
}

/// Types that a text is parsed into; a value of the file has its type already.
macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match &self.text {
                Some((text, _)) => visitor.$visit(parse::<$type>(text, $wanted)?),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Node<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (&self.text, self.file) {
            (Some((text, _)), _) => visitor.visit_str(text),
            (None, Some(value)) => {
                let value = de::Deserializer::deserialize_any(value.clone(), visitor);
                value.map_err(|error| de::Error::custom(error.message()))
            }
            (None, None) => Err(self.found_a_value()),
        }
    }

    parsed! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_u8 visit_u8 u8, "an integer from 0 to 255";
        deserialize_u16 visit_u16 u16, "an integer from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a non-negative integer";
        deserialize_u64 visit_u64 u64, "a non-negative integer";
        deserialize_i32 visit_i32 i32, "an integer";
        deserialize_i64 visit_i64 i64, "an integer";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = match (&self.text, self.file) {
            (Some((text, _)), _) => text.clone(),
            (None, Some(toml::Value::String(text))) => text.clone(),
            (None, None) => return Err(self.found_a_value()),
            _ => return Err(de::Error::custom(format_args!("is not one of {}", variants.join(", ")))),
        };
        if !variants.contains(&text.as_str()) {
            return Err(de::Error::custom(format_args!("{text:?} is not one of {}", variants.join(", "))));
        }
        let text: de::value::StringDeserializer<Error> = text.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    /// A list in a text is separated by commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.text {
            Some((text, _)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned);
                visitor.visit_seq(de::value::SeqDeserializer::new(items))
            }
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.file {
            Some(toml::Value::Table(table)) => self.refuse_unknown(table, fields)?,
            Some(_) => return Err(de::Error::custom("is not a table")),
            None => {}
        }
        let present = fields.iter().filter_map(|field| Some((*field, self.child(field)?))).collect::<Vec<_>>();
        visitor.visit_map(Fields { present: present.into_iter(), value: None })
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

struct Fields<'a> {
    present: std::vec::IntoIter<(&'static str, Node<'a>)>,
    value: Option<Node<'a>>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((field, node)) = self.present.next() else { return Ok(None) };
        self.value = Some(node);
        let field: de::value::StrDeserializer<'_, Error> = field.into_deserializer();
        seed.deserialize(field).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().expect("serde asks for a value after its key");
        let place = node.place();
        seed.deserialize(node).map_err(|error| place.locate(error))
    }
}
