//! One value, and what each dialect shows of it.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::together::want::quoted;

/// What a key's value, a message or a record is: JSON text, or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Json(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// As Unison and Synap show a value.
    pub fn json(&self) -> String {
        match self {
            Value::Json(text) => text.clone(),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => quoted(text),
                Err(_) => format!(r#"{{"$base64":"{}"}}"#, STANDARD.encode(bytes)),
            },
        }
    }

    /// As Synap shows a message or a record: bytes that are one JSON text stand for it.
    pub fn body(&self) -> String {
        match self {
            Value::Bytes(bytes) if serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok() => {
                String::from_utf8_lossy(bytes).trim().to_owned()
            }
            value => value.json(),
        }
    }

    /// As Flo shows it, without the quotation marks.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.bytes())
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Value::Json(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
        }
    }

    /// What the commands on parts of texts work on.
    pub fn text(&self) -> Vec<u8> {
        match self {
            Value::Json(text) if text.starts_with('"') => {
                serde_json::from_str::<String>(text).expect("a JSON string").into_bytes()
            }
            value => value.bytes().to_vec(),
        }
    }

    /// The integer that counting sees: a number of JSON, or a text of decimal digits. Bytes are their own text.
    pub fn integer(&self) -> Option<i64> {
        if matches!(self, Value::Json(text) if text == "-0") {
            return Some(0);
        }
        let text = String::from_utf8(self.text()).ok()?;
        let number: i64 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    }
}
