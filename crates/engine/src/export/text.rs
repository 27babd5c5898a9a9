//! How bytes and values stand in a line: text as text, JSON as JSON, everything else as base64. What comes out of a
//! line is byte for byte what went in.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

use crate::kv::{Encoding, Value};

#[cfg(test)]
mod tests;

/// The one member of what stands for bytes that are no text.
const BASE64: &str = "base64";

/// Bytes: a string where they are text, else `{"base64":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(pub Bytes);

impl Text {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Text(Bytes::copy_from_slice(bytes))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match plain(&self.0) {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(BASE64, &BASE64_STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

/// Text that a person can read. Control characters would take six bytes each, and say nothing.
fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let odd = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    (!text.bytes().any(odd)).then_some(text)
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytewise;
        impl<'de> Visitor<'de> for Bytewise {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or {\"base64\":...}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::of(text.as_bytes()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let Some(member) = map.next_key::<Cow<'de, str>>()? else {
                    return Err(de::Error::missing_field(BASE64));
                };
                if member != BASE64 {
                    return Err(de::Error::unknown_field(&member, &[BASE64]));
                }
                let encoded: Cow<'de, str> = map.next_value()?;
                let bytes =
                    BASE64_STANDARD.decode(encoded.as_bytes()).map_err(|_| de::Error::custom("invalid base64"))?;
                match map.next_key::<Cow<'de, str>>()? {
                    None => Ok(Text(bytes.into())),
                    Some(member) => Err(de::Error::unknown_field(&member, &[])),
                }
            }
        }
        deserializer.deserialize_any(Bytewise)
    }
}

/// A value: exactly one of its members is there.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// A JSON text as it is.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    /// A JSON text that would not survive as it is: it has line breaks, or white space around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json_text: Option<Text>,
    /// Any bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Text>,
}

/// `null` is a JSON text too, and not the absence of one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl From<&Value> for Stored {
    fn from(Value { encoding, bytes }: &Value) -> Self {
        match encoding {
            Encoding::Binary => Stored { bytes: Some(Text(bytes.clone())), ..Stored::default() },
            Encoding::Json => match raw(bytes) {
                Some(raw) => Stored { json: Some(raw), ..Stored::default() },
                None => Stored { json_text: Some(Text(bytes.clone())), ..Stored::default() },
            },
        }
    }
}

/// A JSON text that can be part of a line.
fn raw(bytes: &[u8]) -> Option<Box<RawValue>> {
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return None;
    }
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    (raw.get().len() == bytes.len()).then(|| raw.to_owned())
}

impl TryFrom<Stored> for Value {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Value, &'static str> {
        let (encoding, bytes) = match (stored.json, stored.json_text, stored.bytes) {
            (Some(json), None, None) => {
                // Without a copy: the text owns its bytes.
                let json: Box<str> = json.into();
                (Encoding::Json, Bytes::from(json.into_string()))
            }
            (None, Some(Text(bytes)), None) => (Encoding::Json, bytes),
            (None, None, Some(Text(bytes))) => (Encoding::Binary, bytes),
            _ => return Err("a value has one of \"json\", \"json_text\" and \"bytes\""),
        };
        if encoding == Encoding::Json && serde_json::from_slice::<&RawValue>(&bytes).is_err() {
            return Err("\"json_text\" is no JSON text");
        }
        Ok(Value { encoding, bytes })
    }
}

/// A finite number of 64 bits that comes back bit for bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Real(pub f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By the standard library, which rounds to the nearest: what reads JSON is content with one beside it.
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let number = raw.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Real).ok_or_else(|| de::Error::custom(format_args!("{raw} is no finite number of 64 bits")))
    }
}
