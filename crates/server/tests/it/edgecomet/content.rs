//! Pages that were stored, read back.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{
    daemon::{DESKTOP, Daemon, MOBILE, SOON},
    origin::{Answer, Origin},
};
use crate::harness::{Request, Response, eventually};

fn site() -> Origin {
    Origin::start(|request| {
        let page = format!("<title>{}</title>{}", request.path(), "x".repeat(2000));
        Answer::html(page).header("Set-Cookie", "id=1").header("ETag", "\"7\"").header("X-Other", "no")
    })
}

fn files(daemon: &Daemon) -> Vec<PathBuf> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() { collect(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    collect(&daemon.server.data_dir().join("edgecomet/cache"), &mut found);
    found
}

fn error(answer: &Response) -> (u16, String) {
    (answer.status, answer.json()["message"].as_str().expect("a text").to_owned())
}

#[test]
fn a_page_is_shown_as_it_came_with_what_is_known_of_it() {
    let origin = site();
    let daemon = Daemon::start(Daemon::settings());
    let url = origin.url("/page?id=5");
    // Stored without the tracking parameter, and found with it.
    daemon.recache_in(&[origin.url("/page?utm_source=x&id=5")], &[DESKTOP, MOBILE]);
    eventually("the other dimension", SOON, || {
        (daemon.content_with(&url, "&dimension=mobile").status == 200).then_some(())
    });
    let page = daemon.stored(&url);
    assert_eq!(page.text(), format!("<title>/page</title>{}", "x".repeat(2000)));
    let known = daemon.known(&url);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-cache-key", known["cache_key"].as_str().expect("a key")),
        ("x-cache-status", "active"),
        ("x-cache-source", "bypass"),
        ("x-cache-status-code", "200"),
        ("x-cache-created-at", &known["created_at"].to_string()),
        ("x-cache-expires-at", &known["expires_at"].to_string()),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    assert_eq!((page.header("x-cache-location"), page.header("set-cookie"), page.header("etag")), (None, None, None));
    assert!(known["cache_key"].as_str().expect("a key").starts_with("cache:1:1:"));
    assert_eq!(known["headers"], json!({"Content-Type": ["text/html; charset=utf-8"], "ETag": ["\"7\""]}));
    assert_eq!(
        (&known["url"], &known["dimension"], &known["title"]),
        (&json!(url), &json!("desktop"), &json!("/page"))
    );
    let lifetime = known["expires_at"].as_i64().expect("a time") - known["created_at"].as_i64().expect("a time");
    assert_eq!((lifetime, &known["index_status"], &known["size"]), (3600, &json!(1), &json!(2020)));
    assert!(known["disk_size"].as_u64().expect("a size") < 1000, "{known}");

    // Any spelling of the address; the lowest dimension that has the page.
    let any = daemon.content_with(&origin.url("/./page?gclid=1&id=5#x"), "").expect(200);
    assert_eq!(any.header("x-cache-key"), page.header("x-cache-key"));
    let mobile = daemon.content_with(&url, "&dimension=mobile").expect(200);
    assert!(mobile.header("x-cache-key").expect("a key").starts_with("cache:1:2:"));
}

#[test]
fn what_is_asked_wrongly_is_refused_in_the_contracts_order() {
    let daemon = Daemon::start(Daemon::settings());
    let target = "/internal/cache/content";
    for (query, status, message) in [
        ("", 400, "host_id is required"),
        ("host_id=x", 400, "host_id must be a valid integer"),
        ("host_id=9", 404, "host_id 9 not found"),
        ("host_id=1", 400, "url is required"),
        ("host_id=1&url=&format=x", 400, "url is required"),
        ("host_id=1&url=nodot&dimension_id=9", 400, "invalid url"),
        ("host_id=1&url=a.b&dimension_id=x", 400, "dimension_id must be a valid integer"),
        ("host_id=1&url=a.b&dimension_id=3&format=x", 400, "dimension_id 3 not configured for host '127.0.0.1'"),
        ("host_id=1&url=a.b&dimension=tablet", 400, "dimension 'tablet' not configured for host"),
        ("host_id=1&url=a.b&format=x", 400, "format must be 'raw' or 'meta'"),
        ("host_id=1&url=a.b&dimension=bots", 404, "no cache entry"),
        ("host_id=1&url=a.b", 404, "no cache entry"),
    ] {
        let answer = daemon.send(&Request::get(format!("{target}?{query}")));
        assert_eq!(error(&answer), (status, message.to_owned()), "{query}");
    }
}

#[test]
fn files_are_packed_as_configured_and_a_lost_one_is_told() {
    for (compression, ending) in [("none", ".html"), ("snappy", ".html.snappy"), ("lz4", ".html.lz4")] {
        let origin = site();
        let daemon = Daemon::start(Daemon::settings().set("edgecomet.storage.compression", compression));
        let url = origin.url("/page");
        daemon.recache(std::slice::from_ref(&url));
        let page = daemon.stored(&url).text();
        let [file] = files(&daemon).try_into().expect("one file");
        assert!(file.to_string_lossy().ends_with(ending), "{file:?}");
        let length = fs::metadata(&file).expect("is there").len();
        assert_eq!(daemon.known(&url)["disk_size"], json!(length));
        assert_eq!(length == page.len() as u64, compression == "none");

        if compression != "none" {
            fs::write(&file, b"\xff\xff\xff\xff\xff").expect("written");
            let damaged = daemon.content_with(&url, "");
            assert_eq!(error(&damaged), (404, "cache file not found".to_owned()));
        }
        fs::remove_file(&file).expect("removed");
        assert_eq!(error(&daemon.content_with(&url, "")), (404, "cache file not found".to_owned()));
        daemon.content_with(&url, "&format=meta").expect(200);
    }
}

#[test]
fn files_of_forgotten_pages_are_removed_and_no_others() {
    let origin = site();
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.storage.cleanup_delay", "1s"));
    let (kept, forgotten, fetched_again) = (origin.url("/kept"), origin.url("/forgotten"), origin.url("/again"));
    daemon.recache(&[kept.clone(), forgotten.clone(), fetched_again.clone()]);
    for url in [&kept, &forgotten, &fetched_again] {
        daemon.stored(url);
    }
    assert_eq!(files(&daemon).len(), 3);
    assert_eq!((daemon.invalidate(&forgotten), daemon.invalidate(&fetched_again)), (1, 1));
    assert_eq!(error(&daemon.content_with(&forgotten, "")), (404, "no cache entry".to_owned()));
    daemon.recache(std::slice::from_ref(&fetched_again));
    daemon.stored(&fetched_again);

    // Fetched again in the next minute, it would have two files for a moment.
    eventually("the file is gone", SOON, || (files(&daemon).len() == 2).then_some(()));
    for url in [&kept, &fetched_again] {
        assert_eq!(daemon.content_with(url, "").status, 200, "{url}");
    }
    assert_eq!(origin.count_of("/again"), 2);
}

#[test]
fn minutes_that_are_long_past_are_swept() {
    let origin = site();
    let short = Daemon::settings()
        .env("TEST_MODE", "local")
        .set("edgecomet.storage.cleanup.interval", "1s")
        .set("edgecomet.storage.cleanup.safety_margin", "1s");
    let daemon = Daemon::start(short);
    daemon.recache(&[origin.url("/page")]);
    daemon.stored(&origin.url("/page"));
    let base = daemon.server.data_dir().join("edgecomet/cache");
    let old = base.join("1/2020/01/01/00/00");
    fs::create_dir_all(&old).expect("created");
    fs::write(old.join("699babd209aa8b92_1.html"), b"page").expect("written");
    fs::write(base.join("1/readme"), b"mine").expect("written");
    eventually("the year is gone", Duration::from_secs(20), || (!base.join("1/2020").exists()).then_some(()));
    assert!(base.join("1/readme").exists());
    daemon.content(&origin.url("/page")).expect(200);
}
