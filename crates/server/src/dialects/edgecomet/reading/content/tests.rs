use manifold_engine::recache::HostId;

use super::*;

const KEY: PageKey = PageKey { host: HostId(1), dimension: DimensionId(2), hash: 0xab };

fn record(status_code: u16, headers: &[(&str, &str)]) -> Record {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
    Record {
        source: "bypass".to_owned(),
        status_code: Some(status_code),
        created_at: Some(10),
        expires_at: Some(20),
        headers: headers.collect(),
        ..Record::default()
    }
}

fn shown(record: &Record) -> Vec<(String, String)> {
    let response = page(KEY, record, Freshness::Active, Bytes::new());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn with(extra: &[(&str, &str)], status_code: &str, media: &str) -> Vec<(String, String)> {
    let fixed = [
        ("x-cache-key", "cache:1:2:00000000000000ab"),
        ("x-cache-status", "active"),
        ("x-cache-source", "bypass"),
        ("x-cache-status-code", status_code),
        ("x-cache-created-at", "10"),
        ("x-cache-expires-at", "20"),
    ];
    let last = [("content-type", media), ("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox")];
    let all = fixed.iter().chain(extra).chain(&last);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_page_is_shown_with_what_is_known_of_it() {
    let html = "text/html; charset=utf-8";
    assert_eq!(shown(&record(200, &[])), with(&[], "200", html));
    assert_eq!(shown(&record(404, &[("content-TYPE", "text/plain")])), with(&[], "404", "text/plain"));
    let moved = record(301, &[("Location", "/new")]);
    assert_eq!(shown(&moved), with(&[("x-cache-location", "/new")], "301", html));
    let no_redirect = record(201, &[("Location", "/new")]);
    assert_eq!(shown(&no_redirect), with(&[], "201", html));
}

#[test]
fn what_no_header_can_hold_is_left_out() {
    let odd = record(301, &[("Location", "a\r\nSet-Cookie: b"), ("Content-Type", "a\0b")]);
    assert_eq!(shown(&odd), with(&[], "301", "text/html; charset=utf-8"));
}

#[test]
fn headers_of_a_record_are_an_object_of_lists() {
    let record = record(200, &[("Content-Type", "text/html"), ("ETag", "\"1\"")]);
    let item = Item::new(KEY, &record, 15, 0);
    let said = serde_json::to_string(&Meta { item, headers: &record.headers }).expect("a text");
    assert!(said.starts_with(r#"{"url":"","title":"""#), "{said}");
    let last = r#""index_status":0,"headers":{"Content-Type":["text/html"],"ETag":["\"1\""]}}"#;
    assert!(said.ends_with(last), "{said}");
}
