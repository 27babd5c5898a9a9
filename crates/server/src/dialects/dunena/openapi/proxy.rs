//! The database proxy.

use serde_json::json;

use super::operation::{Operation, Tag};

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::DbProxy, id, summary)
}

pub(super) fn connectors() -> Operation {
    let example = json!({ "connectors": [{ "name": "supabase", "type": "http", "readOnly": false }] });
    operation("listConnectors", "List Connectors")
        .about("In the order of their registration. Connection strings never leave the server.")
        .answers(200, "The connectors.", "Connectors", example)
}

pub(super) fn register() -> Operation {
    let example = json!({ "name": "supabase", "type": "http", "connectionString": "https://example.com/query", "readOnly": true });
    operation("registerConnector", "Register a Connector")
        .about(
            "`http`: a URL that queries are posted to. `postgresql`, `mysql`, `sqlite`: the DSN of a database, or the URL \
             of a bridge. `elasticsearch`: its base URL. Nothing is contacted.",
        )
        .body("RegisterRequest", example)
        .answers(201, "The connector is registered.", "Registered", json!({ "registered": true, "name": "supabase" }))
        .refuses(400, "The body or one of its members is not valid.", "name, type, and connectionString are required")
        .refuses(409, "There is a connector of this name.", r#"Connector "supabase" is already registered"#)
}

pub(super) fn unregister() -> Operation {
    operation("unregisterConnector", "Unregister a Connector")
        .body("UnregisterRequest", json!({ "name": "supabase" }))
        .answers(200, "Whether there was such a connector.", "Unregistered", json!({ "unregistered": true }))
        .refuses(400, "The name is missing.", "name is required")
}

pub(super) fn query() -> Operation {
    let request = json!({
        "connector": "supabase", "query": "SELECT id, name FROM users WHERE id = ?", "params": [1], "tags": ["users"],
    });
    let reply = json!({
        "data": [{ "id": 1, "name": "Alice" }], "cached": false, "connector": "supabase", "durationMs": 12.4,
        "cacheKey": "qc_5f0c9d1e2b3a48576a9b8c7d6e5f4a3b",
    });
    operation("proxyQuery", "Execute a Query")
        .about(
            "Answered from the query cache where possible. Statements that change data are executed every time, and \
             refused where the connector is read-only.",
        )
        .body("ProxyRequest", request)
        .answers(200, "The result.", "ProxyReply", reply)
        .refuses(400, "The body or one of its members is not valid.", "connector and query are required")
        .refuses(
            502,
            "There is no such connector, or the database refused or failed.",
            r#"Unknown connector: "supabase""#,
        )
}

pub(super) fn invalidate() -> Operation {
    operation("invalidateProxiedQueries", "Invalidate by Tags")
        .body("ProxyInvalidateRequest", json!({ "tags": ["users"] }))
        .answers(200, "How many results are gone.", "Invalidated", json!({ "invalidated": 1 }))
        .refuses(400, "The tags are missing.", "tags (non-empty array) is required")
}
