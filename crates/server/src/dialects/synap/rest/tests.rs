use std::collections::HashSet;

use super::{
    call::{Body, Call, Reply, named},
    request::{Target, json_of},
    table::ROUTES,
};
use crate::{
    dialects::synap::{error::Error, routes, routes::Endpoint},
    http::route::{Route, Verb},
};

fn calls() -> impl Iterator<Item = (&'static str, Verb, &'static Call)> {
    ROUTES.iter().flat_map(|route| {
        route.operations.iter().filter_map(|(verb, endpoint)| match endpoint {
            Endpoint::Rest(call) => Some((route.template, *verb, call)),
            Endpoint::Command | Endpoint::Socket(_) | Endpoint::Health | Endpoint::Metrics | Endpoint::Old => None,
        })
    })
}

/// The payload of a request for a route with these templates.
fn payload(call: Call, template: &'static str, target: &str, body: &str) -> Result<String, Error> {
    let operations: &'static [(Verb, Endpoint)] = Vec::leak(vec![(Verb::Post, Endpoint::Rest(call))]);
    let table: &'static [Route<Endpoint>] = Vec::leak(vec![Route { template, rest: false, operations }]);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let found = crate::http::route::find(table, path).expect("the template fits");
    let target = Target::read(&found, query)?;
    let payload = target.payload(&call, json_of(call.body, body.as_bytes())?)?;
    Ok(String::from_utf8(payload).expect("JSON is UTF-8"))
}

#[test]
fn every_route_is_a_command() {
    for (template, _, call) in calls() {
        assert!(call.command().is_ok(), "{template}: {call:?}");
    }
}

#[test]
fn every_route_is_found_by_its_own_template() {
    for (template, ..) in calls() {
        let path = template.replace(['{', '}'], "~");
        let found = routes::find(&path).expect(template);
        assert_eq!(found.route.template, template);
    }
    let templates: HashSet<_> = ROUTES.iter().map(|route| route.template).collect();
    assert_eq!(templates.len(), ROUTES.len(), "a template comes twice");
}

#[test]
fn get_and_delete_need_no_body_but_where_fields_are_deleted() {
    for (template, verb, call) in calls() {
        let reads = !matches!(call.body, Body::Ignored);
        assert_eq!(reads, matches!(verb, Verb::Post | Verb::Put) || template == "/hash/{key}/del", "{template}");
    }
}

#[test]
fn a_slash_at_the_end_is_another_path() {
    assert!(routes::find("/queue/a").is_some() && routes::find("/hash/h/f").is_some());
    for path in ["/", "/queue/", "/queue/a/", "/hash/h/", "/kv/get/", "/health/"] {
        assert!(routes::find(path).is_none(), "{path}");
    }
}

#[test]
fn fixed_words_win_over_parameters() {
    for (path, template) in [
        ("/hash/h/len", "/hash/{key}/len"),
        ("/hash/h/mset", "/hash/{key}/mset"),
        ("/hash/h/exists", "/hash/{key}/{field}"),
        ("/hash/h/len/exists", "/hash/{key}/{field}/exists"),
        ("/hash/stats", "/hash/stats"),
        ("/queue/list", "/queue/list"),
        ("/stream/list", "/stream/list"),
        ("/kv/get/strlen", "/kv/get/{key}"),
    ] {
        assert_eq!(routes::find(path).map(|found| found.route.template), Some(template), "{path}");
    }
}

#[test]
fn members_of_the_path_come_last_and_as_what_they_are() {
    let call = named("list.index").body(Body::Optional).numbers(&["index", "count"]).texts(&["pattern"]);
    let template = "/list/{key}/index/{index}";
    for (target, body, expected) in [
        ("/list/a%2Fb+c/index/-1", "", r#"{"key":"a/b+c","index":-1}"#),
        ("/list/a/index/x", "{}", r#"{"key":"a","index":"x"}"#),
        ("/list/a/index/007", "{ }", r#"{"key":"a","index":"007"}"#),
        ("/list/a/index/1e5", r#"{"key":"b"}"#, r#"{"key":"b","key":"a","index":1e5}"#),
        ("/list/a/index/true", "", r#"{"key":"a","index":"true"}"#),
        ("/list/a/index/%091", "", r#"{"key":"a","index":"\t1"}"#),
        ("/list/a/index/0?count=1e+5", "", r#"{"count":1e+5,"key":"a","index":0}"#),
        ("/list/a/index/0?count=+inf&pattern=+a", "", r#"{"pattern":" a","count":"+inf","key":"a","index":0}"#),
        ("/list//index/", "", r#"{"key":"","index":""}"#),
        ("/list/a/index/0?count=2&pattern=1&x=3", "", r#"{"pattern":"1","count":2,"key":"a","index":0}"#),
        ("/list/a/index/0?count=&pattern", "", r#"{"key":"a","index":0}"#),
        ("/list/%22/index/0?pattern=a%22+b", "", r#"{"pattern":"a\" b","key":"\"","index":0}"#),
    ] {
        assert_eq!(payload(call, template, target, body).as_deref(), Ok(expected), "{target} {body}");
    }
    for target in ["/list/%/index/0", "/list/%zz/index/0", "/list/%ff/index/0"] {
        let refused = payload(call, template, target, "").map_err(|error| error.message().into_owned());
        assert_eq!(refused, Err("Invalid path encoding".to_owned()), "{target}");
    }
    let refused = payload(call, template, "/list/a/index/0?b=%f", "").map_err(|error| error.message().into_owned());
    assert_eq!(refused, Err("Invalid query encoding".to_owned()));
}

#[test]
fn a_body_is_one_of_the_forms_its_route_takes() {
    let status = |body: Body, text: &str| {
        payload(named("kv.get").body(body), "/x", "/x", text).map_err(|error| error.status().as_u16())
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(status(Body::Ignored, "["), ok("{}"));
    assert_eq!(status(Body::Optional, " \r\n"), ok("{}"));
    assert_eq!(status(Body::Optional, " { \"a\" : 1 } "), ok(r#"{"a" : 1}"#));
    assert_eq!(status(Body::Object, ""), Err(400));
    assert_eq!(status(Body::OrArray("f"), r#"[{"a":1}]"#), ok(r#"{"f":[{"a":1}]}"#));
    assert_eq!(status(Body::OrPairs("p"), r#"[["a",1]]"#), ok(r#"{"p":[["a",1]]}"#));
    assert_eq!(status(Body::OrPairs("p"), r#"[ "a",1]"#), ok(r#"{"p":[[ "a",1]]}"#));
    assert_eq!(status(Body::OrPairs("p"), "[]"), ok(r#"{"p":[]}"#));
    for body in [Body::Optional, Body::Object, Body::OrArray("f"), Body::OrPairs("p")] {
        for text in ["null", "1", r#""a""#, "true"] {
            assert_eq!(status(body, text), Err(422), "{body:?} {text}");
        }
        for text in ["{", "{}{}", "nul", "{'a':1}", &"[".repeat(200)] {
            assert_eq!(status(body, text), Err(400), "{body:?} {text}");
        }
        let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        assert_eq!(status(body, &deep), Err(400), "{body:?}");
    }
    assert_eq!(status(Body::Object, "[]"), Err(422));
}

#[test]
fn another_name_of_a_member_counts_when_it_is_the_first_one_there() {
    let of = |text: &str| {
        let call = named("kv.get").body(Body::Object).renamed(["a", "b"], "c");
        payload(call, "/x", "/x", text).expect("an object")
    };
    assert_eq!(of(r#"{"a":1,"b":2}"#), r#"{"a":1,"b":2,"c":1}"#);
    assert_eq!(of(r#"{"c":3,"b":null}"#), r#"{"c":3,"b":null,"c":null}"#);
    assert_eq!(of(r#"{"c":3}"#), r#"{"c":3}"#);
    let strict = named("kv.get").body(Body::Object).renamed(["a", "b"], "c").forms_only();
    let refused = payload(strict, "/x", "/x", r#"{"c":3}"#).map_err(|error| error.message().into_owned());
    assert_eq!(refused, Err("Body matches no accepted form".to_owned()));
}

#[test]
fn an_answer_is_spelled_as_its_route_says() {
    let call = named("kv.get");
    let operations: &'static [(Verb, Endpoint)] = Vec::leak(vec![(Verb::Get, Endpoint::Rest(call))]);
    let table: &'static [Route<Endpoint>] = Vec::leak(vec![Route { template: "/x/{key}", rest: false, operations }]);
    let found = crate::http::route::find(table, "/x/k%22").expect("the template fits");
    let target = Target::read(&found, None).expect("a sound path");
    let body = |reply: Reply, payload: &str| {
        let body = reply.body(payload.as_bytes().to_vec(), &target);
        body.map(|body| String::from_utf8(body).expect("JSON is UTF-8")).map_err(|error| error.message().into_owned())
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(body(Reply::Whole, "[1]"), ok("[1]"));
    assert_eq!(body(Reply::Only(&["b", "a"]), r#"{"a":1,"b":[2],"c":3}"#), ok(r#"{"b":[2],"a":1}"#));
    assert_eq!(body(Reply::WithKey, r#"{"deleted":true}"#), ok(r#"{"deleted":true,"key":"k\""}"#));
    assert_eq!(body(Reply::Bare("v"), r#"{"v":[1, 2]}"#), ok("[1, 2]"));
    assert_eq!(body(Reply::IfFound, r#"{"found":true,"value":null}"#), ok("null"));
    assert_eq!(body(Reply::IfFound, r#"{"found":false,"value":null}"#), ok(r#"{"found":false}"#));
    assert_eq!(body(Reply::UnlessZero("n"), r#"{"n":1}"#), ok(r#"{"n":1}"#));
    assert_eq!(body(Reply::UnlessZero("n"), r#"{"n":0}"#), Err("Key not found: k\"".to_owned()));
    assert_eq!(
        body(
            Reply::Message,
            r#"{"message":{"id":"msg_1","payload":[1],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}}"#
        ),
        ok(r#"{"message_id":"msg_1","payload":[1],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}"#),
    );
    let none =
        r#"{"message_id":null,"payload":null,"priority":null,"retry_count":null,"max_retries":null,"headers":null}"#;
    assert_eq!(body(Reply::Message, r#"{"message":null}"#), ok(none));
}
