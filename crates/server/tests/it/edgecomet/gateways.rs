//! Jobs that are given to gateways.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use serde_json::json;

use super::{
    daemon::Daemon,
    gateway::{Gateway, done, failed, job},
};
use crate::{
    dunena::upstream::Answer,
    harness::{Request, Settings, eventually, free_port},
};

const PATIENCE: Duration = Duration::from_secs(30);

fn settings(gateways: &[&str]) -> Settings {
    let gateways: Vec<toml::Value> = gateways.iter().map(|address| (*address).into()).collect();
    Daemon::settings().set("edgecomet.gateways", gateways)
}

fn urls(pages: usize) -> Vec<String> {
    (0..pages).map(|page| format!("http://127.0.0.1/page?n={page}&x=1")).collect()
}

#[track_caller]
fn wait_done(daemon: &Daemon) {
    eventually("all done", PATIENCE, || {
        let answer = daemon.send(&Request::get("/internal/cache/queue/summary?host_id=1")).expect(200).json();
        (answer["data"] == json!({"pending": 0, "processing": 0})).then_some(())
    });
}

#[test]
fn each_entry_is_one_request_with_exactly_these_bytes() {
    let gateway = Gateway::start();
    let daemon = Daemon::start(settings(&[&gateway.address()]));
    daemon.recache(&urls(20));
    wait_done(&daemon);
    let received = gateway.received();
    let mut bodies: Vec<&str> = received.iter().map(|request| request.body.as_str()).collect();
    bodies.sort_unstable();
    let mut expected: Vec<String> = (0..20)
        .map(|page| format!(r#"{{"url":"http://127.0.0.1/page?n={page}\u0026x=1","host_id":1,"dimension_id":1}}"#))
        .collect();
    expected.sort_unstable();
    assert_eq!(bodies, expected);
    for request in &received {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/internal/cache/recache"));
        assert_eq!(request.header("x-internal-auth"), Some("dev"));
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(daemon.failed().len(), 0);
}

#[test]
fn five_entries_on_two_idle_gateways_are_three_and_two() {
    let gateways = [Gateway::start(), Gateway::start()];
    let addresses = gateways.each_ref().map(Gateway::address);
    gateways.iter().for_each(Gateway::hold);
    let daemon = Daemon::start(settings(&addresses.each_ref().map(String::as_str)));
    assert_eq!(daemon.status()["rs_capacity"]["total_free_tabs"], 8);
    daemon.recache(&urls(5));
    eventually("all are given", PATIENCE, || {
        (gateways.iter().map(Gateway::in_flight).sum::<usize>() == 5).then_some(())
    });
    let mut counts = gateways.each_ref().map(Gateway::count);
    counts.sort_unstable();
    assert_eq!(counts, [2, 3]);
    assert_eq!(daemon.status()["rs_capacity"]["total_free_tabs"], 3);
    gateways.iter().for_each(Gateway::release);
    wait_done(&daemon);
}

#[test]
fn a_gateway_is_given_no_more_than_it_takes() {
    let gateway = Gateway::start();
    gateway.hold();
    let settings = settings(&[&gateway.address()]).set("edgecomet.recache.gateway_concurrency", 3);
    let daemon = Daemon::start(settings);
    daemon.recache(&urls(10));
    eventually("three are given", PATIENCE, || (gateway.in_flight() == 3).then_some(()));
    eventually("others wait", PATIENCE, || {
        (daemon.status()["internal_queue"]["size"].as_u64() > Some(0)).then_some(())
    });
    assert_eq!(daemon.status()["rs_capacity"]["total_free_tabs"], 0);
    gateway.release();
    wait_done(&daemon);
    assert_eq!((gateway.count(), gateway.most_in_flight()), (10, 3));
}

#[test]
fn what_a_gateway_says_decides() {
    let gateway = Gateway::answering(|received| match job(received).url.as_str() {
        url if url.ends_with("final") => failed("500 Internal Server Error", "host not found: 1"),
        url if url.ends_with("missing") => failed("500 Internal Server Error", "page returned non-200 status: 404"),
        url if url.ends_with("skipped") => failed("500 Internal Server Error", "bypass cache disabled for host 1"),
        url if url.ends_with("busy") => failed("503 Service Unavailable", "no tab is free"),
        url if url.ends_with("empty") => Some(Answer::status("204 No Content", &[], "")),
        url if url.ends_with("broken") => None,
        _ => done(),
    });
    let daemon = Daemon::start(settings(&[&gateway.address()]));
    let pages = ["final", "missing", "skipped", "busy", "empty", "broken", "good"];
    daemon.recache(&pages.map(|page| format!("http://127.0.0.1/{page}")));
    wait_done(&daemon);
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    gateway.jobs().into_iter().for_each(|job| *tried.entry(job.url).or_default() += 1);
    let tried = pages.map(|page| tried[&format!("http://127.0.0.1/{page}")]);
    assert_eq!(tried, [1, 1, 1, 3, 3, 3, 1]);
    let letters: BTreeMap<String, (u64, String)> = daemon
        .failed()
        .iter()
        .map(|letter| {
            let text = |name: &str| letter[name].as_str().expect("a text").to_owned();
            (text("url"), (letter["attempts"].as_u64().expect("a number"), text("reason")))
        })
        .collect();
    let letter = |page: &str| letters.get(&format!("http://127.0.0.1/{page}")).cloned();
    assert_eq!(letter("final"), Some((1, "host not found: 1".to_owned())));
    assert_eq!(letter("missing"), Some((1, "page returned non-200 status: 404".to_owned())));
    assert_eq!(letter("busy"), Some((3, "no tab is free".to_owned())));
    assert_eq!(letter("empty"), Some((3, "the gateway answered 204".to_owned())));
    assert_eq!(letter("broken").map(|(attempts, _)| attempts), Some(3));
    assert_eq!(letters.len(), 5);
}

#[test]
fn a_gateway_that_is_silent_is_not_waited_for_longer_than_configured() {
    let silent = Gateway::start();
    silent.hold();
    let settings = settings(&[&silent.address()]).set("edgecomet.recache.timeout_per_url", "200ms");
    let daemon = Daemon::start(settings.set("edgecomet.internal_queue.max_retries", 1));
    daemon.recache(&urls(1));
    wait_done(&daemon);
    let reason = daemon.failed()[0]["reason"].clone();
    assert_eq!(reason, format!("gateway {}: timed out", silent.address()));
}

#[test]
fn a_gateway_that_is_not_there_is_left_out_and_no_attempt_is_lost() {
    let (absent, gateway) = (format!("127.0.0.1:{}", free_port()), Gateway::start());
    let settings = settings(&[&absent, &gateway.address()]).set("edgecomet.internal_queue.max_retries", 1);
    let daemon = Daemon::start(settings);
    daemon.recache(&urls(30));
    wait_done(&daemon);
    assert_eq!((gateway.count(), daemon.failed().len()), (30, 0));
}

#[test]
fn entries_wait_for_a_gateway_that_is_not_there() {
    let absent = format!("127.0.0.1:{}", free_port());
    let settings = settings(&[&absent]).set("edgecomet.internal_queue.max_retries", 1);
    let daemon = Daemon::start(settings);
    daemon.recache(&urls(2));
    eventually("it is left out, and the entries wait", PATIENCE, || {
        let status = daemon.status();
        let (free, waiting) = (&status["rs_capacity"]["total_free_tabs"], &status["internal_queue"]["size"]);
        (*free == 0 && *waiting == 2).then_some(())
    });
    assert_eq!(daemon.failed().len(), 0);
}

#[test]
fn a_slow_gateway_does_not_hold_up_another() {
    let (slow, quick) = (Gateway::start(), Gateway::start());
    slow.hold();
    let daemon = Daemon::start(settings(&[&slow.address(), &quick.address()]));
    daemon.recache(&urls(50));
    eventually("the quick one does the rest", PATIENCE, || (quick.count() >= 50 - 4).then_some(()));
    slow.release();
    wait_done(&daemon);
    assert_eq!(slow.count() + quick.count(), 50);
}

#[test]
fn the_worker_helps_out_where_it_is_on_and_gateways_are_gone() {
    let calls = AtomicUsize::new(0);
    let origin = super::origin::Origin::start(move |_| {
        calls.fetch_add(1, SeqCst);
        super::origin::Answer::html("page")
    });
    let absent = format!("127.0.0.1:{}", free_port());
    let daemon = Daemon::start(settings(&[&absent]).set("edgecomet.worker.enabled", "true"));
    assert_eq!(daemon.status()["rs_capacity"]["total_free_tabs"], 4, "the gateways come first");
    daemon.recache(&[origin.url("/page")]);
    wait_done(&daemon);
    assert_eq!((origin.count(), daemon.failed().len()), (1, 0));
}
