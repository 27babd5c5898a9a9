//! The OpenAPI document against the contract, against the rules of OpenAPI 3.0, and against the server: every example is
//! sent, and every answer has the documented form.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::schema::{conforms, resolve};
use crate::harness::{Connection, Request, Response, Server};

/// Section 1 of the contract.
const DOCUMENTED: [(&str, &str); 32] = [
    ("get", "/health"),
    ("get", "/cache/{key}"),
    ("post", "/cache/{key}"),
    ("delete", "/cache/{key}"),
    ("post", "/cache"),
    ("get", "/keys"),
    ("post", "/flush"),
    ("get", "/stats"),
    ("get", "/stats/history"),
    ("get", "/info"),
    ("get", "/metrics"),
    ("post", "/snapshot"),
    ("get", "/db/{key}"),
    ("post", "/db/{key}"),
    ("delete", "/db/{key}"),
    ("post", "/db"),
    ("get", "/db-stats"),
    ("get", "/db-keys"),
    ("post", "/db-clear"),
    ("post", "/db-purge"),
    ("get", "/query-cache/{key}"),
    ("post", "/query-cache"),
    ("post", "/query-cache/invalidate"),
    ("get", "/query-cache/stats"),
    ("post", "/query-cache/clear"),
    ("get", "/db-proxy/connectors"),
    ("post", "/db-proxy/register"),
    ("post", "/db-proxy/unregister"),
    ("post", "/db-proxy/query"),
    ("post", "/db-proxy/invalidate"),
    ("get", "/docs"),
    ("get", "/docs/openapi.json"),
];

struct Operation {
    method: String,
    path: String,
    item: Map<String, Value>,
}

impl Operation {
    fn id(&self) -> &str {
        self.item["operationId"].as_str().expect("an operationId")
    }

    fn is_open(&self) -> bool {
        self.item.get("security") == Some(&json!([]))
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.item.get("parameters").and_then(Value::as_array).into_iter().flatten()
    }

    /// Every example of the body.
    fn bodies(&self) -> Vec<&Value> {
        let Some(content) = self.item.get("requestBody").map(|body| &body["content"]["application/json"]) else {
            return Vec::new();
        };
        let named = content["examples"].as_object().into_iter().flat_map(Map::values).map(|example| &example["value"]);
        let examples: Vec<_> = content.get("example").into_iter().chain(named).collect();
        assert!(!examples.is_empty(), "{} has a body without an example", self.id());
        examples
    }
}

fn document(server: &Server) -> Value {
    send(server, "GET", "/docs/openapi.json", None).expect(200).json()
}

fn operations(document: &Value) -> Vec<Operation> {
    let items = document["paths"].as_object().expect("paths");
    let operations = items.iter().flat_map(|(path, item)| {
        item.as_object().expect("a path item").iter().map(|(method, item)| Operation {
            method: method.clone(),
            path: path.clone(),
            item: item.as_object().expect("an operation").clone(),
        })
    });
    operations.collect()
}

fn send(server: &Server, method: &str, target: &str, body: Option<&Value>) -> Response {
    let request = Request::new(&method.to_uppercase(), target).key(None);
    let request = if let Some(body) = body { request.body(body.to_string()) } else { request };
    Connection::open(server.dunena()).send(&request).unwrap_or_else(|error| panic!("{request}: {error}"))
}

#[test]
fn the_document_has_every_endpoint_of_the_contract() {
    let server = Server::start();
    let document = document(&server);
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["servers"], json!([{ "url": "/" }]));
    let scheme = &document["components"]["securitySchemes"]["bearerAuth"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(document["security"], json!([{ "bearerAuth": [] }]));

    let operations = operations(&document);
    let listed: BTreeSet<_> =
        operations.iter().map(|operation| (operation.method.as_str(), operation.path.as_str())).collect();
    let missing: Vec<_> = DOCUMENTED.iter().filter(|documented| !listed.contains(*documented)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for operation in &operations {
        let page = ["/docs", "/dashboard"].iter().any(|page| operation.path.starts_with(page));
        let open = page || operation.path.starts_with("/health");
        assert_eq!(operation.is_open(), open, "security of {}", operation.id());
    }
}

#[test]
fn the_document_keeps_the_rules_of_openapi() {
    let server = Server::start();
    let document = document(&server);
    every_reference_leads_somewhere(&document, &document);
    let tags: BTreeSet<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| tag["name"].as_str().expect("a name")).collect();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let id = operation.id().to_owned();
        assert!(ids.insert(id.clone()), "{id} is not unique");
        assert!(operation.item["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id}: no summary");
        for tag in operation.item["tags"].as_array().expect("tags") {
            assert!(tags.contains(tag.as_str().expect("a name")), "{id}: tag {tag} is not described");
        }
        let declared: Vec<_> = operation
            .parameters()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().expect("a name"))
            .collect();
        let in_path: Vec<_> = operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(declared, in_path, "{id}: parameters in the path");
        for parameter in operation.parameters() {
            let name = &parameter["name"];
            assert_eq!(parameter["in"] == "path", parameter["required"] == true, "{id}: {name}");
            for value in [&parameter["example"], &parameter["schema"]["default"]] {
                let right = value.is_null() || conforms(&document, &parameter["schema"], value).is_ok();
                assert!(right, "{id}: {name} is not like {value}");
            }
        }
        let schema =
            &operation.item.get("requestBody").unwrap_or(&Value::Null)["content"]["application/json"]["schema"];
        for example in operation.bodies() {
            conforms(&document, schema, example).unwrap_or_else(|why| panic!("{id}: {example}: {why}"));
        }
        let responses = operation.item["responses"].as_object().expect("responses");
        let wanted: &[&str] = if operation.is_open() { &["500"] } else { &["401", "500"] };
        assert!(wanted.iter().all(|status| responses.contains_key(*status)), "{id}: {:?}", responses.keys());
        // Sockets are not counted either.
        assert_eq!(responses.contains_key("429"), !operation.is_open() && id != "socket", "{id}: 429");
        assert!(responses.keys().any(|status| matches!(status.as_str(), "101" | "200" | "201")), "{id}: no success");
        assert_eq!(responses.contains_key("413"), operation.item.contains_key("requestBody"), "{id}: 413");
        for (status, response) in responses {
            let response = resolve(&document, response);
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{id} {status}");
            let content = &response["content"]["application/json"];
            if let Some(example) = content.get("example") {
                conforms(&document, &content["schema"], example).unwrap_or_else(|why| panic!("{id} {status}: {why}"));
            }
        }
    }
}

fn every_reference_leads_somewhere(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref") {
                let target = reference.as_str().and_then(|target| document.pointer(target.strip_prefix('#')?));
                assert!(target.is_some(), "{reference}");
            }
            members.values().for_each(|member| every_reference_leads_somewhere(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| every_reference_leads_somewhere(document, item)),
        _ => {}
    }
}

/// What is there before each example is sent, so that there is something to find.
const BEFORE: [(&str, &str, &str); 9] = [
    ("delete", "/cache/mykey", ""),
    ("post", "/cache/mykey", r#"{"value":"5","ttl":60000}"#),
    ("post", "/cache/mykey", r#"{"value":"5","ttl":60000}"#),
    ("post", "/cache/mykey", r#"{"value":"5","ttl":60000}"#),
    ("post", "/db/user:42", r#"{"value":"Alice","tags":["users"],"ttl":60000}"#),
    ("post", "/query-cache", r#"{"key":"q1","data":[{"id":1}],"tags":["users"]}"#),
    ("delete", "/locks/report", ""),
    ("post", "/locks/report/acquire", r#"{"owner":"worker-1"}"#),
    ("post", "/rate-limits", r#"{"namespace":"myapp","maxRequests":1000,"windowMs":60000}"#),
];

/// Examples that cannot succeed here: a lock that is held, a database that is not there, and no upgrade.
const REFUSED: [(&str, u16); 3] = [("acquireLock", 409), ("proxyQuery", 502), ("socket", 404)];

#[test]
fn every_example_is_answered_as_documented() {
    let server = Server::start();
    let document = document(&server);
    for operation in operations(&document) {
        let bodies = operation.bodies();
        let bodies: Vec<_> = if bodies.is_empty() { vec![None] } else { bodies.into_iter().map(Some).collect() };
        for body in bodies {
            for (method, path, body) in BEFORE {
                let body = (!body.is_empty()).then(|| serde_json::from_str(body).expect("JSON"));
                assert!(send(&server, method, path, body.as_ref()).status < 300, "{method} {path}");
            }
            check_example(&server, &document, &operation, body);
        }
    }
}

fn check_example(server: &Server, document: &Value, operation: &Operation, body: Option<&Value>) {
    let id = operation.id();
    let path = operation.parameters().filter(|parameter| parameter["in"] == "path").fold(
        operation.path.clone(),
        |path, parameter| {
            let name = format!("{{{}}}", parameter["name"].as_str().expect("a name"));
            path.replace(&name, parameter["example"].as_str().expect("an example"))
        },
    );
    let answer = send(server, &operation.method, &path, body);
    let refused = REFUSED.iter().find_map(|(refused, status)| (*refused == id).then_some(*status));
    let expected = refused.map_or(answer.status < 300, |status| answer.status == status);
    assert!(expected, "{id}: {} {}", answer.status, answer.text());
    let described = operation.item["responses"].get(answer.status.to_string());
    let described = described.unwrap_or_else(|| panic!("{id}: {} is not documented", answer.status));
    let (media, content) =
        resolve(document, described)["content"].as_object().and_then(|content| content.iter().next()).expect("content");
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with(media.as_str()), "{id}: {kind:?} is not {media}");
    if media == "application/json" {
        let answered = answer.json();
        conforms(document, &content["schema"], &answered).unwrap_or_else(|why| panic!("{id}: {why} in {answered}"));
    }
}
