//! Nothing that was acknowledged is lost when the process is killed.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use toml::toml;

use super::origin::{Answer, Origin};
use crate::harness::{Connection, Request, Server, Settings, eventually, now_ms};

/// The dimensions of the host: two and the one that is built in.
const DIMENSIONS: usize = 3;

fn settings() -> Settings {
    let host = toml! {
        id = 1
        domain = ["example.com", "127.0.0.1"]
        dimensions = { desktop = { id = 1, width = 1920, height = 1080 }, mobile = { id = 2, width = 375, height = 667 } }
    };
    Settings::default().set("edgecomet.hosts", vec![toml::Value::Table(host)])
}

/// Nothing takes what waits.
fn idle() -> Settings {
    settings().set("edgecomet.worker.enabled", false)
}

fn call(connection: &mut Connection, request: Request) -> Option<Value> {
    let answer = connection.send(&request.key(None).header("X-Internal-Auth", "dev")).ok()?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Some(answer.json()["data"].clone())
}

fn ask(server: &Server, request: Request) -> Value {
    call(&mut Connection::open(server.edgecomet()), request).expect("an answer")
}

fn recache(urls: &[String], more: Value) -> Request {
    let mut body = json!({"host_id": 1, "urls": urls, "priority": "high"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    Request::post("/internal/cache/recache", body.to_string())
}

/// In an hour: until then everything stays in the queue.
fn later() -> Value {
    json!({"schedule_at": now_ms() / 1000 + 3600})
}

fn urls(names: impl Iterator<Item = usize>) -> Vec<String> {
    names.map(|name| format!("https://example.com/{name}")).collect()
}

/// Entries that wait in the queues of the host.
fn pending(server: &Server) -> usize {
    let summary = ask(server, Request::get("/internal/cache/queue/summary?host_id=1"));
    summary["pending"].as_u64().expect("a number") as usize
}

/// All addresses that wait, each once, page by page.
fn queued(server: &Server) -> BTreeSet<String> {
    let mut connection = Connection::open(server.edgecomet());
    let mut found = BTreeSet::new();
    let mut cursor = "0".to_owned();
    loop {
        let target = format!("/internal/cache/queue?host_id=1&limit=100&cursor={cursor}");
        let page = call(&mut connection, Request::get(target)).expect("an answer");
        let items = page["items"].as_array().expect("a list");
        found.extend(items.iter().map(|item| item["url"].as_str().expect("an address").to_owned()));
        cursor = page["cursor"].as_str().expect("a cursor").to_owned();
        if page["has_more"] == false {
            return found;
        }
    }
}

#[test]
fn entries_of_an_answered_request_are_there_after_a_kill() {
    let mut server = Server::with(idle());
    for round in 0..3 {
        let asked = ask(&server, recache(&urls(round * 100..(round + 1) * 100), later()));
        assert_eq!(asked["entries_enqueued"], 100 * DIMENSIONS);
        server.kill();
        server.start_again();
        assert_eq!(pending(&server), (round + 1) * 100 * DIMENSIONS);
    }
    assert_eq!(queued(&server), urls(0..300).into_iter().collect());
}

#[test]
fn a_request_that_a_kill_cuts_off_is_stored_whole_or_not_at_all() {
    const URLS: usize = 10;
    let mut server = Server::with(idle());
    let acknowledged = AtomicUsize::new(0);
    let address = server.edgecomet();
    let (acknowledged, sent) = (&acknowledged, &AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut connection = Connection::open(address);
            loop {
                let number = sent.fetch_add(1, Ordering::SeqCst);
                if call(&mut connection, recache(&urls(number * URLS..(number + 1) * URLS), later())).is_none() {
                    return;
                }
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        eventually("requests are answered", Duration::from_secs(20), || {
            (acknowledged.load(Ordering::SeqCst) >= 20).then_some(())
        });
        server.kill();
    });
    server.start_again();
    let (acknowledged, sent) = (acknowledged.load(Ordering::SeqCst), sent.load(Ordering::SeqCst));
    let stored = pending(&server) / (URLS * DIMENSIONS);
    assert_eq!(pending(&server) % (URLS * DIMENSIONS), 0, "no request is stored in part");
    assert!((acknowledged..=sent).contains(&stored), "{acknowledged} were answered, {sent} sent, {stored} are there");
}

#[test]
fn every_page_is_fetched_although_the_process_is_killed_while_it_fetches() {
    const PAGES: usize = 100;
    let origin = Origin::start(|_| Answer::html("page").after(Duration::from_millis(20)));
    let settings = settings()
        .set("edgecomet.scheduler.tick_interval", "100ms")
        .set("edgecomet.worker.allow_private", true)
        .set("edgecomet.worker.concurrency", 4);
    let mut server = Server::with(settings);
    let pages: Vec<String> = (0..PAGES).map(|page| origin.url(&format!("/{page}"))).collect();
    ask(&server, recache(&pages, json!({"dimension_ids": [1]})));
    let fetched = || origin.received().iter().map(|request| request.path().to_owned()).collect::<BTreeSet<String>>();
    eventually("some pages are fetched", Duration::from_secs(20), || (fetched().len() > 10).then_some(()));
    server.kill();
    server.start_again();
    eventually("all pages are fetched", Duration::from_secs(30), || (fetched().len() == PAGES).then_some(()));
    eventually("nothing is left", Duration::from_secs(20), || {
        let summary = ask(&server, Request::get("/internal/cache/queue/summary?host_id=1"));
        (summary == json!({"pending": 0, "processing": 0})).then_some(())
    });
}
