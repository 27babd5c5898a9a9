//! The OpenAPI 3.0.3 document, made from the tables of routes: what is in a table is in the document.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::routes::TABLES;
use crate::http::{openapi::reference, route::Verb};

mod cache;
mod durable;
mod health;
mod locks;
mod operation;
mod pages;
mod proxy;
mod query_cache;
mod schemas;

#[cfg(test)]
mod tests;

use operation::{Operation, Tag};

/// The document as JSON.
pub(super) fn json() -> Bytes {
    build().to_string().into()
}

/// The document as YAML.
pub(super) fn yaml() -> Bytes {
    serde_yaml_ng::to_string(&build()).expect("what is JSON can be written as YAML").into()
}

fn build() -> Value {
    let tags: Vec<_> =
        Tag::ALL.iter().map(|(tag, about)| json!({ "name": tag.name(), "description": about })).collect();
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Dunena",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A bounded cache, a durable store of tagged values, a query cache and a database proxy.",
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths(),
        "components": {
            "schemas": schemas::all(),
            "responses": responses(),
            "securitySchemes": { "bearerAuth": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "bearerAuth": [] }],
    })
}

/// Operations by path and method. The tables of two resources may have something for one path.
fn paths() -> Value {
    let mut paths = Map::new();
    for route in TABLES.iter().copied().flatten() {
        for (verb, _) in route.operations {
            let Some(operation) = describe(*verb, route.template) else { continue };
            let parameters = route.parameters().map(|name| path_parameter(route.template, name));
            let item = paths.entry(route.template).or_insert_with(|| json!({}));
            item[verb.as_str().to_lowercase()] = operation.build(parameters);
        }
    }
    paths.into()
}

fn path_parameter(template: &str, name: &str) -> Value {
    let (schema, example) = match (name, template) {
        ("key", template) if template.starts_with("/query-cache/") => (schemas::cache_key(), "q1"),
        ("key", template) if template.starts_with("/db/") => (schemas::key(), "user:42"),
        ("key", template) if template.starts_with("/locks/") => (schemas::key(), "report"),
        ("ns", _) => (json!({ "type": "string", "maxLength": 512 }), "myapp"),
        _ => (schemas::key(), "mykey"),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema, "example": example })
}

/// What the document says of a route. A test keeps it and the tables together.
fn describe(verb: Verb, template: &str) -> Option<Operation> {
    let operation = match (verb, template) {
        (Verb::Get, "/health") => health::health(),
        (Verb::Get, "/health/live") => health::live(),
        (Verb::Get, "/health/ready") => health::ready(),
        (Verb::Get, "/cache/{key}") => cache::get(),
        (Verb::Post, "/cache/{key}") => cache::set(),
        (Verb::Delete, "/cache/{key}") => cache::delete(),
        (Verb::Post, "/cache") => cache::batch(),
        (Verb::Post, "/cache/warmup") => cache::warm_up(),
        (Verb::Get, "/keys") => cache::keys(),
        (Verb::Post, "/flush") => cache::flush(),
        (Verb::Post, "/cache/{key}/incr") => cache::increment(),
        (Verb::Post, "/cache/{key}/decr") => cache::decrement(),
        (Verb::Get, "/cache/{key}/version") => cache::version(),
        (Verb::Put, "/cache/{key}/cas") => cache::compare_and_set(),
        (Verb::Get, "/cache/{key}/ttl") => cache::ttl(),
        (Verb::Post, "/cache/{key}/touch") => cache::touch(),
        (Verb::Get, "/namespaces") => cache::namespaces(),
        (Verb::Delete, "/namespaces/{ns}") => cache::delete_namespace(),
        (Verb::Get, "/stats") => health::stats(),
        (Verb::Get, "/stats/history") => health::history(),
        (Verb::Get, "/info") => health::info(),
        (Verb::Get, "/metrics") => health::metrics(),
        (Verb::Post, "/snapshot") => health::snapshot(),
        (Verb::Get, "/db/{key}") => durable::get(),
        (Verb::Post, "/db/{key}") => durable::put(),
        (Verb::Delete, "/db/{key}") => durable::delete(),
        (Verb::Post, "/db") => durable::batch(),
        (Verb::Get, "/db-stats") => durable::stats(),
        (Verb::Get, "/db-keys") => durable::keys(),
        (Verb::Post, "/db-clear") => durable::clear(),
        (Verb::Post, "/db-purge") => durable::purge(),
        (Verb::Get, "/query-cache/{key}") => query_cache::get(),
        (Verb::Post, "/query-cache") => query_cache::put(),
        (Verb::Post, "/query-cache/invalidate") => query_cache::invalidate(),
        (Verb::Get, "/query-cache/stats") => query_cache::stats(),
        (Verb::Post, "/query-cache/clear") => query_cache::clear(),
        (Verb::Get, "/db-proxy/connectors") => proxy::connectors(),
        (Verb::Post, "/db-proxy/register") => proxy::register(),
        (Verb::Post, "/db-proxy/unregister") => proxy::unregister(),
        (Verb::Post, "/db-proxy/query") => proxy::query(),
        (Verb::Post, "/db-proxy/invalidate") => proxy::invalidate(),
        (Verb::Post, "/locks/{key}/acquire") => locks::acquire(),
        (Verb::Post, "/locks/{key}/release") => locks::release(),
        (Verb::Post, "/locks/{key}/extend") => locks::extend(),
        (Verb::Get, "/locks/{key}") => locks::get(),
        (Verb::Delete, "/locks/{key}") => locks::force_release(),
        (Verb::Get, "/locks") => locks::list(),
        (Verb::Post, "/rate-limits") => locks::set_limit(),
        (Verb::Get, "/rate-limits") => locks::limits(),
        (Verb::Get, "/rate-limits/{ns}") => locks::get_limit(),
        (Verb::Delete, "/rate-limits/{ns}") => locks::remove_limit(),
        (Verb::Get, "/docs") => pages::explorer(),
        (Verb::Get, "/docs/openapi.json") => pages::json(),
        (Verb::Get, "/docs/openapi.yaml") => pages::yaml(),
        (Verb::Get, "/dashboard") => pages::dashboard(),
        (Verb::Get, "/ws") => pages::socket(),
        _ => return None,
    };
    Some(operation)
}

/// The refusals that many operations share.
fn responses() -> Value {
    let refusal = |description: &str, text: &str| {
        let content = json!({ "schema": reference("Error"), "example": { "error": text } });
        json!({ "description": description, "content": { "application/json": content } })
    };
    let mut unauthorized = refusal("The token is missing or another one.", "Unauthorized");
    unauthorized["headers"] = header("WWW-Authenticate", "The scheme.", json!({ "type": "string" }));
    let mut limited = refusal("The client has sent too many requests.", "Rate limit exceeded");
    limited["headers"] = header("Retry-After", "Seconds until the window ends.", json!({ "type": "integer" }));
    json!({
        "Unauthorized": unauthorized,
        "TooLarge": refusal("The body is longer than 5242880 bytes.", "Request body too large"),
        "RateLimited": limited,
        "Internal": refusal("A failed write, or a defect.", "Internal server error"),
        "Unavailable": refusal("The server is still starting, or the database is disabled.", "Server starting"),
    })
}

fn header(name: &str, description: &str, schema: Value) -> Value {
    json!({ name: { "description": description, "schema": schema } })
}
