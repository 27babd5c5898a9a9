//! Values that may be spelled in more than one way.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::Switch;
use crate::http::auth::Secret;

/// An integer, where one below 0 is as wrong as 0 and refused with the same words.
pub(super) fn at_least_zero<'de, T: TryFrom<i64>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let number = i64::deserialize(deserializer)?.max(0);
    T::try_from(number).map_err(|_| de::Error::custom(format_args!("{number} is too large")))
}

/// A text, or a number that stands for one: a port without quotes.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(Text)
}

/// The same where it may be absent.
pub(super) fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

/// A secret; one of digits only needs no quotes either.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    text(deserializer).map(|text| Secret::from(text.as_str()))
}

struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

impl Switch {
    fn name(self) -> &'static str {
        match self {
            Switch::Auto => "auto",
            Switch::On => "true",
            Switch::Off => "false",
        }
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchReader)
    }
}

struct SwitchReader;

impl Visitor<'_> for SwitchReader {
    type Value = Switch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("auto, true or false")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switch, E> {
        Ok(if on { Switch::On } else { Switch::Off })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Switch, E> {
        let named = [Switch::Auto, Switch::On, Switch::Off].into_iter().find(|switch| switch.name() == text.trim());
        named.ok_or_else(|| E::custom(format_args!("{text:?} is not one of auto, true, false")))
    }
}
