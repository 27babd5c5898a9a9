//! Stored pages: listed, counted, invalidated.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    daemon::{Daemon, HOST},
    origin::{Answer, Origin},
};
use crate::harness::{Request, eventually};

/// A daemon with pages `/1` to `/count` stored, and their addresses.
fn stored(origin: &Origin, count: usize) -> (Daemon, Vec<String>) {
    let daemon = Daemon::start(Daemon::settings());
    let urls: Vec<String> = (1..=count).map(|page| origin.url(&format!("/{page}"))).collect();
    daemon.recache(&urls);
    eventually("all pages are stored", Duration::from_secs(20), || {
        (summary(&daemon)["total_urls"] == count).then_some(())
    });
    (daemon, urls)
}

fn site() -> Origin {
    Origin::start(|asked| Answer::html(format!("<title>Page {}</title>", asked.path())))
}

#[track_caller]
fn get(daemon: &Daemon, target: &str) -> Value {
    daemon.send(&Request::get(target)).expect(200).json()["data"].take()
}

#[track_caller]
fn post(daemon: &Daemon, target: &str, body: &Value) -> Value {
    daemon.send(&Request::post(target, body.to_string())).expect(200).json()["data"].take()
}

fn summary(daemon: &Daemon) -> Value {
    get(daemon, &format!("/internal/cache/summary?host_id={HOST}"))
}

fn listed(daemon: &Daemon, filter: &str) -> Vec<Value> {
    let list = get(daemon, &format!("/internal/cache/urls?host_id={HOST}&limit=100&{filter}"));
    assert_eq!((&list["cursor"], &list["has_more"]), (&json!("0"), &json!(false)));
    list["items"].as_array().expect("items").clone()
}

#[test]
fn paging_gives_every_page_once_and_ends_with_0() {
    let origin = site();
    let (daemon, urls) = stored(&origin, 10);
    let (mut found, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = get(&daemon, &format!("/internal/cache/urls?host_id={HOST}&limit=3&cursor={cursor}"));
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 3, "{page}");
        found.extend(items.iter().map(|item| item["url"].as_str().expect("an address").to_owned()));
        cursor = page["cursor"].as_str().expect("a cursor").to_owned();
        assert_eq!(page["has_more"], cursor != "0");
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 10);
    assert_eq!(found.iter().collect::<BTreeSet<_>>(), urls.iter().collect());
}

#[test]
fn filters_choose_among_what_is_stored() {
    let origin = site();
    let (daemon, _) = stored(&origin, 10);
    for (filter, count) in [
        ("status=active", 10),
        ("status=stale,expired", 0),
        ("dimension=desktop", 10),
        ("dimension=bypass", 0),
        (&format!("url_contains={}/1", origin.address().port()), 2),
        ("url_contains=HTTP://", 10),
        ("size_min=1000", 0),
        ("size_max=1000", 10),
        ("cache_age_min=1000", 0),
        ("cache_age_max=1000", 10),
        ("status_code=404", 0),
        ("status_code=404,200", 10),
        ("source=render", 0),
        ("source=bypass", 10),
        ("index_status=2,3", 0),
    ] {
        assert_eq!(listed(&daemon, filter).len(), count, "{filter}");
    }
    let whole = summary(&daemon);
    assert_eq!((&whole["active_count"], &whole["expired_count"]), (&json!(10), &json!(0)));
    assert_eq!(whole["by_dimension"], json!({ "desktop": 10 }));
}

#[test]
fn an_invalidated_page_is_gone_and_others_stay() {
    let origin = site();
    let (daemon, urls) = stored(&origin, 4);
    // Several spellings of one page are one record.
    let spelled = [urls[0].clone(), format!("{}?utm_source=x", urls[0]), format!("{}#top", urls[0])];
    let body = json!({ "host_id": HOST, "urls": spelled, "dimension_ids": [] });
    let expected = json!({ "host_id": HOST, "urls_count": 3, "dimension_ids_count": 3, "entries_invalidated": 1 });
    assert_eq!(post(&daemon, "/internal/cache/invalidate", &body), expected);
    assert_eq!(post(&daemon, "/internal/cache/invalidate", &body)["entries_invalidated"], 0);
    assert_eq!(listed(&daemon, "").len(), 3);

    let other = json!({ "host_id": HOST, "urls": urls, "dimension_ids": [0] });
    assert_eq!(post(&daemon, "/internal/cache/invalidate", &other)["entries_invalidated"], 0);

    let prefix = json!({ "host_id": HOST, "prefix": urls[1] });
    assert_eq!(post(&daemon, "/internal/cache/invalidate-prefix", &prefix)["entries_invalidated"], 1);
    let all = json!({ "host_id": HOST, "dimension_ids": [0] });
    assert_eq!(post(&daemon, "/internal/cache/invalidate-all", &all)["entries_invalidated"], 0);
    let all = json!({ "host_id": HOST });
    assert_eq!(post(&daemon, "/internal/cache/invalidate-all", &all)["entries_invalidated"], 2);
    assert_eq!(summary(&daemon)["total_urls"], 0);
}
