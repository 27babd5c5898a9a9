//! Addresses in normal form, over the golden cases.

use serde_json::{Value, json};

use super::daemon::{DESKTOP, Daemon, HOST};
use crate::harness::Request;

/// One JSON object a line: `in`, and what becomes of it.
const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/edgecomet_url_vectors.jsonl"));

#[test]
fn every_golden_case_is_queued_in_its_normal_form_or_skipped() {
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.recache.strip_tracking_params", false));
    let mut connection = daemon.connect();
    let mut ask = |request: Request| {
        let answer = connection.send(&request.header("X-Internal-Auth", "dev")).expect("an answer");
        answer.expect(200).json()
    };
    ask(Request::post("/internal/scheduler/pause", ""));
    for line in VECTORS.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let body = json!({ "host_id": HOST, "urls": [case["in"]], "dimension_ids": [DESKTOP], "priority": "high" });
        let queued = ask(Request::post("/internal/cache/recache", body.to_string()));
        let listed = ask(Request::get(format!("/internal/cache/queue?host_id={HOST}")));
        let (enqueued, items) = (&queued["data"]["entries_enqueued"], &listed["data"]["items"]);
        match case.get("out") {
            Some(out) => assert_eq!((enqueued, &items[0]["url"]), (&json!(1), out), "{line}"),
            None => assert_eq!((enqueued, items), (&json!(0), &json!([])), "{line}"),
        }
        ask(Request::post("/internal/cache/queue/purge", json!({ "host_id": HOST }).to_string()));
    }
}
