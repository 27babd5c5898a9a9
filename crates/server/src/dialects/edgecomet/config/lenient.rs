//! Values that may be spelled in more than one way.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::Auto;

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

impl Auto {
    fn name(self) -> &'static str {
        match self {
            Auto::Auto => "auto",
            Auto::True => "true",
            Auto::False => "false",
        }
    }
}

impl Serialize for Auto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Auto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AutoReader)
    }
}

struct AutoReader;

impl Visitor<'_> for AutoReader {
    type Value = Auto;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("auto, true or false")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Auto, E> {
        Ok(if on { Auto::True } else { Auto::False })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Auto, E> {
        let named = [Auto::Auto, Auto::True, Auto::False].into_iter().find(|auto| auto.name() == text.trim());
        named.ok_or_else(|| E::custom(format_args!("{text:?} is not one of auto, true, false")))
    }
}
