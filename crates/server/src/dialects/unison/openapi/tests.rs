use std::collections::HashSet;

use super::*;
use crate::dialects::unison::routes::Endpoint;

fn parsed() -> Value {
    serde_json::from_slice(&document()).unwrap()
}

#[test]
fn the_document_lists_exactly_the_routes_of_the_table() {
    let document = parsed();
    let listed: HashSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let verbs = item.as_object().unwrap().keys().filter(|name| *name != "parameters");
            verbs.map(move |verb| (path.clone(), verb.to_uppercase()))
        })
        .collect();
    let routed: HashSet<_> = ROUTES
        .iter()
        .flat_map(|route| {
            route.operations.iter().map(|(verb, _)| (route.template.to_owned(), verb.as_str().to_owned()))
        })
        .collect();
    assert_eq!(listed, routed);
}

#[test]
fn the_original_document_is_covered_and_the_rest_is_marked() {
    let originals: Vec<_> =
        ROUTES.iter().filter(|route| route.operations.iter().any(|(_, operation)| !operation.extension)).collect();
    assert_eq!(originals.len(), 11);
    assert_eq!(originals.iter().map(|route| route.operations.len()).sum::<usize>(), 13);
    let document = parsed();
    assert_eq!(document["paths"]["/api/v1/changes/stream"]["get"]["x-extension"], true);
    assert_eq!(document["paths"]["/stream"]["get"]["x-extension"], true);
}

#[test]
fn the_head_of_the_document_is_what_clients_look_for() {
    let document = parsed();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["components"]["securitySchemes"]["bearerAuth"]["scheme"], "bearer");
    assert_eq!(document["security"], json!([{ "bearerAuth": [] }]));
    for public in ["/api/v1/health", "/api/v1/ready"] {
        assert_eq!(document["paths"][public]["get"]["security"], json!([]));
    }
}

#[test]
fn operation_ids_are_unique_and_every_reference_leads_somewhere() {
    let ids: Vec<_> =
        ROUTES.iter().flat_map(|route| route.operations.iter().map(|(_, operation)| operation.id)).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| !id.is_empty()));

    let document = parsed();
    let mut pending = vec![&document];
    while let Some(value) = pending.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        match value {
            Value::Object(members) => pending.extend(members.values()),
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
}

#[test]
fn what_any_request_may_be_answered_with_is_listed_for_each() {
    let document = parsed();
    for route in ROUTES {
        for (verb, operation) in route.operations {
            let answers = &document["paths"][route.template][verb.as_str().to_lowercase()]["responses"];
            let listed = |status: &u16| answers.get(status.to_string()).is_some();
            assert!(ANY.iter().all(listed), "{}: {answers}", operation.id);
            assert_eq!(ANY_WITH_KEY.iter().all(listed), operation.access != Access::Public, "{}", operation.id);
        }
    }
    // What an operation says of itself counts.
    let ready = &document["paths"]["/api/v1/ready"]["get"]["responses"]["503"];
    assert_eq!(ready["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Ok");
}

#[test]
fn path_parameters_are_described() {
    let document = parsed();
    let parameters = document["paths"]["/api/v1/kv/{namespace}/{key}"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["namespace", "key"]);
    assert!(parameters.iter().all(|parameter| parameter["required"] == true && parameter["in"] == "path"));
}

#[test]
fn only_methods_that_write_need_the_full_key() {
    for (verb, operation) in ROUTES.iter().flat_map(|route| route.operations) {
        let writes = matches!(operation.endpoint, Endpoint::Put | Endpoint::Delete | Endpoint::Batch);
        assert_eq!(operation.access == Access::Write, writes, "{verb:?} {}", operation.id);
    }
}
