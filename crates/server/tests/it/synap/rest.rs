//! All REST routes at once, as their table lists them: whatever is sent to one is answered in form.

use std::path::Path;

use serde_json::{Value, value::RawValue};

use crate::harness::{Connection, Request, Response, Server, Settings};

/// A route as the table lists it.
struct Route {
    template: String,
    verbs: Vec<&'static str>,
}

fn routes() -> Vec<Route> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialects/synap/rest/table.rs");
    let text = std::fs::read_to_string(file).expect("the table");
    let (_, table) = text.split_once("= routes! {").expect("the table");
    let entry = |entry: &str| {
        let template = entry.split('"').nth(1)?.to_owned();
        let verbs = [("Get(", "GET"), ("Post(", "POST"), ("Put(", "PUT"), ("Delete(", "DELETE")];
        let verbs = verbs.into_iter().filter(|(spelled, _)| entry.contains(spelled)).map(|(_, verb)| verb);
        Some(Route { template, verbs: verbs.collect() })
    };
    let found: Vec<Route> = table.split(";\n").filter_map(entry).collect();
    assert!(found.len() > 100 && found.iter().all(|route| !route.verbs.is_empty()), "{} routes", found.len());
    found
}

impl Route {
    /// Its path with `value` for all parameters.
    fn path(&self, value: &str) -> String {
        let parts = self.template.split('/').map(|part| if part.starts_with('{') { value } else { part });
        parts.collect::<Vec<_>>().join("/")
    }
}

#[track_caller]
fn assert_in_form(request: &Request, answer: &Response) {
    let shown = || format!("{} {}: {} {}", request.method, request.target, answer.status, answer.text());
    assert!(answer.status < 500, "{}", shown());
    // A value that was stored with half a surrogate pair in it comes back as it is: sound JSON, but no text.
    let sound = serde_json::from_slice::<&RawValue>(&answer.body);
    assert!(sound.is_ok(), "{}", shown());
    if answer.status >= 400 {
        let body = answer.json();
        let named = body.pointer("/error/code").is_some_and(Value::is_string)
            && body.pointer("/error/message").is_some_and(Value::is_string)
            && body.pointer("/error/details").is_some_and(Value::is_object);
        assert!(named && body["status"] == "error" && body["success"] == false, "{}", shown());
        assert_eq!(body["code"], answer.status, "{}", shown());
    }
}

/// Objects whose members are all of one strange kind, and what is no object.
fn bodies() -> Vec<String> {
    const NAMES: &str = "key value values keys field fields member members score scores index count start stop min max \
        position before pivot element rank increment source destination replace weights aggregate pairs ttl expiry nx xx \
        keepttl get offset queue name config message payload priority headers max_retries message_id requeue room event \
        event_type data metadata max_events topic topics subscriber_id consumer_id";
    let kinds = ["null", "-1", "1e999", "99999999999999999999", r#""x""#, r#""\ud800""#, "[]", "[[]]", "{}", "true"];
    let of = |kind: &str| {
        let members: Vec<_> = NAMES.split_whitespace().map(|name| format!("\"{name}\":{kind}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let mut bodies: Vec<String> = kinds.into_iter().map(of).collect();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let others = ["", "{", "null", "5", "[]", "[1]", r#"["a",1]"#, r#"{"\ud800":1}"#, &deep];
    bodies.extend(others.map(str::to_owned));
    bodies
}

#[test]
fn whatever_is_sent_to_a_route_is_answered_in_form() {
    let mut server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let query = "start=x&stop=1e9&end=-1&index=1&count=-5&min=nan&max=-1e999&type=x&pattern=a.%23.b&limit=0&from_offset=x&\
        timeout=x&ack_deadline=0";
    let long = "k".repeat(5000);
    let bodies = bodies();
    for route in routes() {
        for verb in &route.verbs {
            let target = |value: &str| format!("{}?{query}", route.path(value));
            for (value, body) in
                bodies.iter().map(|body| ("k", body)).chain(["%00", "-1", &long].map(|v| (v, &bodies[4])))
            {
                let request = Request::new(verb, target(value)).body(body.clone());
                assert_in_form(&request, &connection.send(&request).expect("an answer"));
            }
        }
    }
    server.assert_alive();
}

#[test]
fn every_route_says_which_methods_it_has() {
    let server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    for route in routes() {
        for prefix in ["", "/sdk"] {
            let path = format!("{prefix}{}", route.path("~"));
            for verb in ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(|verb| !route.verbs.contains(verb))
            {
                let request = Request::new(verb, &*path);
                let answer = connection.send(&request).expect("an answer");
                assert_in_form(&request, &answer);
                assert_eq!(answer.status, 405, "{verb} {path}");
                let allowed = answer.header("allow").unwrap_or_default();
                let mut allowed: Vec<_> = allowed.split(", ").filter(|verb| *verb != "HEAD").collect();
                allowed.sort_unstable_by_key(|verb| ["GET", "POST", "PUT", "DELETE"].iter().position(|v| v == verb));
                assert_eq!(allowed, route.verbs, "{path}");
            }
        }
    }
}
