use std::collections::HashSet;

use super::*;

/// What is no operation of the API: files of the page, and the way to it.
const UNDESCRIBED: [&str; 2] = ["/", "/docs/{file}"];

#[test]
fn the_document_lists_exactly_the_routes_of_the_tables() {
    let document = build();
    let listed: HashSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|verb| (path.as_str(), verb.to_uppercase())))
        .collect();
    let routed: HashSet<_> = TABLES
        .iter()
        .copied()
        .flatten()
        .filter(|route| !UNDESCRIBED.contains(&route.template))
        .flat_map(|route| route.operations.iter().map(|(verb, _)| (route.template, verb.as_str().to_owned())))
        .collect();
    assert_eq!(listed, routed);
}

#[test]
fn the_yaml_says_what_the_json_says() {
    let parsed: Value = serde_yaml_ng::from_slice(&yaml()).unwrap();
    assert_eq!(parsed, serde_json::from_slice::<Value>(&json()).unwrap());
}
