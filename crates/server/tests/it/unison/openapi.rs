//! The OpenAPI document against the contract and against the server that serves it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::harness::{Connection, Request, Server};

const OPERATIONS: [(&str, &str); 13] = [
    ("get", "/api/v1/health"),
    ("get", "/api/v1/ready"),
    ("get", "/api/v1/kv/{namespace}"),
    ("get", "/api/v1/kv/{namespace}/{key}"),
    ("put", "/api/v1/kv/{namespace}/{key}"),
    ("delete", "/api/v1/kv/{namespace}/{key}"),
    ("post", "/api/v1/batch"),
    ("get", "/api/v1/changes"),
    ("get", "/api/v1/cluster/status"),
    ("get", "/api/v1/cluster/leader"),
    ("post", "/api/v1/cluster/join"),
    ("post", "/api/v1/cluster/remove"),
    ("get", "/api/v1/openapi.json"),
];
const EXTENSIONS: [(&str, &str); 2] = [("get", "/api/v1/changes/stream"), ("get", "/stream")];

fn document(server: &Server) -> Value {
    server.get("/api/v1/openapi.json").expect(200).json()
}

fn operations(document: &Value) -> Vec<(String, String, Map<String, Value>)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            if matches!(method.as_str(), "get" | "put" | "post" | "delete" | "head" | "patch" | "options" | "trace") {
                found.push((method.clone(), path.clone(), operation.as_object().expect("an operation").clone()));
            }
        }
    }
    found
}

#[test]
fn the_document_has_the_operations_of_the_contract() {
    let server = Server::start();
    let document = document(&server);
    assert_eq!(document["openapi"], "3.0.3");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let found: BTreeSet<(String, String)> = operations(&document).into_iter().map(|(m, p, _)| (m, p)).collect();
    let owned = |list: &[(&str, &str)]| -> BTreeSet<(String, String)> {
        list.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect()
    };
    let wanted: BTreeSet<_> = owned(&OPERATIONS).union(&owned(&EXTENSIONS)).cloned().collect();
    assert_eq!(found, wanted);
    let mut identifiers = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
        assert!(identifiers.insert(id.to_owned()), "operationId {id} is not unique");
        let extension = operation.get("x-extension") == Some(&Value::Bool(true));
        assert_eq!(extension, EXTENSIONS.contains(&(&method, &path)), "x-extension of {method} {path}");
        let open = operation.get("security").is_some_and(|security| security.as_array().is_some_and(Vec::is_empty));
        assert_eq!(open, matches!(path.as_str(), "/api/v1/health" | "/api/v1/ready"), "security of {method} {path}");
    }
    let scheme = &document["components"]["securitySchemes"]["bearerAuth"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&Value::from("http"), &Value::from("bearer")));
    assert_eq!(document["security"], serde_json::json!([{"bearerAuth": []}]));
    for schema in ["Entry", "Change", "Error"] {
        assert!(document["components"]["schemas"][schema]["type"] == "object", "schema {schema}");
    }
}

/// The statuses and query parameters that the contract names, per operation.
#[test]
fn the_document_lists_statuses_and_parameters() {
    let server = Server::start();
    let document = document(&server);
    let expected: [(&str, &str, &[&str], &[&str]); 8] = [
        ("get", "/api/v1/health", &["200"], &[]),
        ("get", "/api/v1/ready", &["200", "503"], &[]),
        (
            "get",
            "/api/v1/kv/{namespace}",
            &["200", "400", "401", "503"],
            &["prefix", "limit", "cursor", "keysOnly", "minSeq"],
        ),
        ("get", "/api/v1/kv/{namespace}/{key}", &["200", "304", "400", "401", "404", "503"], &["minSeq"]),
        ("put", "/api/v1/kv/{namespace}/{key}", &["200", "400", "401", "403", "409", "413", "503"], &[]),
        ("delete", "/api/v1/kv/{namespace}/{key}", &["200", "400", "401", "403", "409", "503"], &["actor", "cas"]),
        ("post", "/api/v1/batch", &["200", "400", "401", "403", "409", "413", "503"], &["return"]),
        (
            "get",
            "/api/v1/changes",
            &["200", "400", "401", "410", "503"],
            &[
                "tenant",
                "after",
                "limit",
                "wait",
                "namespace",
                "prefix",
                "notActor",
                "keysOnly",
                "detail",
                "onGap",
                "minSeq",
            ],
        ),
    ];
    for (method, path, statuses, parameters) in expected {
        let operation = &document["paths"][path][method];
        for status in statuses {
            assert!(operation["responses"].get(status).is_some(), "{method} {path} lists no {status}");
        }
        let shared = document["paths"][path]["parameters"].as_array().cloned().unwrap_or_default();
        let own = operation["parameters"].as_array().cloned().unwrap_or_default();
        let named: Vec<Value> = shared.into_iter().chain(own).map(|p| resolve(&document, &p).clone()).collect();
        for parameter in parameters {
            let found = named.iter().any(|p| p["name"] == *parameter && p["in"] == "query");
            assert!(found, "{method} {path} lists no query parameter {parameter}");
        }
        for (at, _) in path.match_indices('{') {
            let name = path[at + 1..].split('}').next().expect("a name");
            let found = named.iter().any(|p| p["name"] == name && p["in"] == "path" && p["required"] == true);
            assert!(found, "{method} {path} does not declare {{{name}}}");
        }
    }
}

#[test]
fn the_document_is_openapi_3_0_and_not_3_1() {
    let server = Server::start();
    let document = document(&server);
    walk(&document, "", &mut |pointer, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let target =
                target.strip_prefix('#').unwrap_or_else(|| panic!("{pointer}: {target} is not in the document"));
            assert!(document.pointer(target).is_some(), "{pointer}: {target} does not exist");
        }
        let in_schema = pointer.contains("/schema") && !pointer.ends_with("/properties");
        if in_schema {
            assert!(!value.get("type").is_some_and(Value::is_array), "{pointer}: a list of types is 3.1");
            for word in
                ["const", "$schema", "$defs", "examples", "prefixItems", "contentEncoding", "if", "patternProperties"]
            {
                assert!(value.get(word).is_none(), "{pointer}: {word} is 3.1");
            }
            assert!(!value.get("exclusiveMinimum").is_some_and(Value::is_number), "{pointer}: exclusiveMinimum is 3.1");
            assert_ne!(value.get("type"), Some(&Value::from("null")), "{pointer}: type null is 3.1");
            if value.get("type") == Some(&Value::from("array")) {
                assert!(value.get("items").is_some(), "{pointer}: an array needs items");
            }
        }
    });
    for (method, path, operation) in operations(&document) {
        let responses =
            operation["responses"].as_object().unwrap_or_else(|| panic!("{method} {path} has no responses"));
        assert!(!responses.is_empty());
        for (status, response) in responses {
            let response = resolve(&document, response);
            assert!(response["description"].is_string(), "{method} {path} {status} has no description");
        }
        if let Some(body) = operation.get("requestBody") {
            let body = resolve(&document, body);
            assert!(
                body["content"]["application/json"]["schema"].is_object(),
                "{method} {path} has a body without schema"
            );
        }
    }
}

#[test]
fn every_operation_of_the_document_is_served() {
    let mut server = Server::start();
    server.put("/api/v1/kv/a/k", "1").expect(200);
    for (method, path, _) in operations(&document(&server)) {
        let target = path.replace("{namespace}", "a").replace("{key}", "k");
        let request = Request::new(&method.to_uppercase(), target);
        let request = if matches!(method.as_str(), "put" | "post") { request.body("{}") } else { request };
        // Only the head: a stream has no end.
        let mut connection: Connection = server.connect();
        connection.write(&request).expect("send");
        let status = connection.read_head().expect("a head").status;
        assert!(!matches!(status, 404 | 405), "{request}: {status}");
        server.put("/api/v1/kv/a/k", "1").expect(200);
    }
    server.assert_alive();
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => document.pointer(target.trim_start_matches('#')).expect("a reference in the document"),
        None => value,
    }
}

fn walk(value: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(pointer, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                // An example is a value, not a schema.
                if name != "example" {
                    walk(member, &format!("{pointer}/{name}"), visit);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), visit);
            }
        }
        _ => {}
    }
}
