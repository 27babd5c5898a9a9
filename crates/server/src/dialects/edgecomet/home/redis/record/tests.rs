use std::collections::HashMap;

use manifold_engine::recache::{DimensionId, HostId};

use super::*;

const KEY: PageKey = PageKey { host: HostId(1), dimension: DimensionId(1), hash: 0x699b_abd2_09aa_8b92 };

fn full() -> Record {
    Record {
        url: "https://example.com/page1".to_owned(),
        file_path: "1/2025/01/18/10/30/699babd209aa8b92_1.html".to_owned(),
        dimension: "desktop".to_owned(),
        request_id: "recache-1-1-1737196200".to_owned(),
        created_at: Some(1_737_196_200),
        expires_at: Some(1_737_199_800),
        last_access: Some(1_737_196_200),
        size: Some(7),
        disk_size: Some(5),
        source: "bypass".to_owned(),
        status_code: Some(200),
        headers: vec![("Link".to_owned(), vec!["a".to_owned(), "b".to_owned()]), ("ETag".to_owned(), vec![])],
        eg_ids: "a,b".to_owned(),
        last_bot_hit: Some(3),
        index_status: Some(4),
        title: "A \"page\"".to_owned(),
    }
}

fn read(fields: &[(&str, String)]) -> Record {
    let fields: HashMap<&str, &String> = fields.iter().map(|(name, value)| (*name, value)).collect();
    from_values(FIELDS.map(|name| fields.get(name).map(|value| value.as_bytes().to_vec())))
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    assert_eq!(read(&fields(KEY, &full())), full());
    assert_eq!(read(&fields(KEY, &Record::default())), Record::default());
}

#[test]
fn fields_are_texts_with_the_names_of_the_original() {
    let fields: HashMap<&str, String> = fields(KEY, &full()).into_iter().collect();
    assert_eq!(fields.len(), FIELDS.len() + 2);
    assert_eq!(fields["key"], "cache:1:1:699babd209aa8b92");
    assert_eq!(fields["host_id"], "1");
    assert_eq!(fields["headers"], r#"{"Link":["a","b"],"ETag":[]}"#);
    assert_eq!(fields["expires_at"], "1737199800");
}

#[test]
fn optional_fields_are_absent_when_they_are_empty() {
    let names: Vec<&str> = fields(KEY, &Record::default()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["key", "url", "file_path", "host_id", "dimension", "request_id", "source"]);
}

#[test]
fn odd_values_count_as_missing() {
    let odd = [
        ("created_at", "yesterday"),
        ("expires_at", "99999999999999999999999"),
        ("size", "-1"),
        ("status_code", "70000"),
        ("index_status", "5"),
        ("headers", r#"{"a":"b"}"#),
        ("last_access", " 12 "),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    assert_eq!(read(&odd), Record { last_access: Some(12), ..Record::default() });
}
