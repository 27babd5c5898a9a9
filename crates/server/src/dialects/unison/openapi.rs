//! The OpenAPI 3.0.3 document, made from the table of routes.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    access::Access,
    routes::{Kind, Operation, Parameter, Place, ROUTES},
};
use crate::http::{
    openapi::reference,
    route::{Route, Verb},
};

mod schemas;

/// What any request may be answered with, whatever it is for.
const ANY: &[u16] = &[400, 405, 414, 421, 500, 503];
/// What any request that needs a key may be answered with.
const ANY_WITH_KEY: &[u16] = &[401, 403];

/// The document as JSON, made once.
pub(super) fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(build().to_string()));
    DOCUMENT.clone()
}

fn build() -> Value {
    let paths: Map<_, _> = ROUTES.iter().map(|route| (route.template.to_owned(), path(route))).collect();
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Unison",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Versioned JSON key-value state with tenants, atomic batch and a change feed.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": { "bearerAuth": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "bearerAuth": [] }],
    })
}

fn path(route: &Route<Operation>) -> Value {
    let mut item: Map<_, _> = route
        .operations
        .iter()
        .map(|(verb, described)| (verb.as_str().to_lowercase(), operation(*verb, described)))
        .collect();
    let parameters: Vec<_> = route.parameters().map(path_parameter).collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), Value::from(parameters));
    }
    Value::Object(item)
}

fn operation(verb: Verb, described: &Operation) -> Value {
    let mut answers: Map<_, _> = described.answers.iter().map(|(status, schema)| answer(*status, schema)).collect();
    let mut item = Map::new();
    item.insert("operationId".to_owned(), described.id.into());
    item.insert("summary".to_owned(), described.summary.into());
    if !described.parameters.is_empty() {
        let parameters: Vec<_> = described.parameters.iter().map(parameter).collect();
        item.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(schema) = described.body {
        // Whatever a removed route is sent is ignored.
        let required = verb == Verb::Put || described.access == Access::Write;
        item.insert("requestBody".to_owned(), json!({ "required": required, "content": content(schema) }));
    }
    if described.access == Access::Public {
        item.insert("security".to_owned(), json!([]));
    }
    let with_key: &[u16] = if described.access == Access::Public { &[] } else { ANY_WITH_KEY };
    for status in with_key.iter().chain(ANY) {
        let (status, refusal) = answer(*status, "Error");
        answers.entry(status).or_insert(refusal);
    }
    item.insert("responses".to_owned(), answers.into());
    if described.extension {
        item.insert("x-extension".to_owned(), true.into());
    }
    Value::Object(item)
}

fn path_parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

fn parameter(described: &Parameter) -> Value {
    let place = match described.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    let schema = match described.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Integer => json!({ "type": "integer", "format": "int64" }),
        Kind::Flag => json!({ "type": "boolean" }),
    };
    let mut item = json!({
        "name": described.name,
        "in": place,
        "required": false,
        "description": described.description,
        "schema": schema,
    });
    if described.extension {
        item["x-extension"] = true.into();
    }
    item
}

fn answer(status: u16, schema: &str) -> (String, Value) {
    let description = hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut item = json!({ "description": description.unwrap_or("Answer") });
    if !schema.is_empty() {
        item["content"] = content(schema);
    }
    (status.to_string(), item)
}

/// What a body holds: a schema of the document, any object, or a stream of text.
fn content(schema: &str) -> Value {
    match schema {
        "object" => json!({ "application/json": { "schema": { "type": "object" } } }),
        media if media.contains('/') => json!({ media: { "schema": { "type": "string" } } }),
        name => json!({ "application/json": { "schema": reference(name) } }),
    }
}

#[cfg(test)]
mod tests;
