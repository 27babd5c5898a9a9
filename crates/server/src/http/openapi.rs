//! Schemas of OpenAPI 3.0 documents, in few words.

use serde_json::{Value, json};

/// An object with these members, of which `required` are always there.
pub fn object(members: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": members });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// An array of what another schema describes.
pub fn array(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A schema of the same document.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Any text.
pub fn string() -> Value {
    json!({ "type": "string" })
}

/// True or false.
pub fn boolean() -> Value {
    json!({ "type": "boolean" })
}

/// An integer of 64 bits.
pub fn integer() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

/// Any number.
pub fn number() -> Value {
    json!({ "type": "number" })
}

/// A point in time.
pub fn milliseconds() -> Value {
    json!({ "type": "integer", "format": "int64", "description": "Milliseconds since 1970-01-01 UTC." })
}

/// What a schema describes, or null.
pub fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = true.into();
    schema
}
