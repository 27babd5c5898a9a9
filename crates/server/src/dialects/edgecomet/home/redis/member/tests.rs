use super::*;

fn entry(url: &str, dimension: u64) -> Option<Entry> {
    Some(Entry { url: url.into(), dimension: DimensionId(dimension) })
}

#[test]
fn what_is_written_reads_back() {
    let written = Entry { url: "https://a.b/?a=1&b=<\"\\\u{2028}ü>".into(), dimension: DimensionId(3) };
    assert_eq!(read(&written.member()), Some(written));
}

#[test]
fn reading_is_lenient() {
    assert_eq!(read(br#" { "dimension_id" : 2, "url": "https://a.b/" } "#), entry("https://a.b/", 2));
    assert_eq!(read(br#"{"URL":"https://a.b/","Dimension_ID":2,"more":{"url":[1]}}"#), entry("https://a.b/", 2));
    assert_eq!(read(br#"{"url":"x","url":"https://a.b/","dimension_id":1}"#), entry("https://a.b/", 1));
    assert_eq!(read(br#"{"url":"https://a.b/","dimension_id":null}"#), entry("https://a.b/", 0));
    assert_eq!(read(br#"{"url":"https://a.b/?a=1\u0026b=2","dimension_id":1}"#), entry("https://a.b/?a=1&b=2", 1));
}

#[test]
fn what_is_no_entry_is_refused() {
    let deep = [b"{\"x\":".repeat(5_000), b"1".to_vec(), b"}".repeat(5_000)].concat();
    let long = format!(r#"{{"url":"https://a.b/{}","dimension_id":1}}"#, "x".repeat(MOST_BYTES)).into_bytes();
    let refused: [&[u8]; 14] = [
        b"",
        b"garbage",
        b"null",
        b"[]",
        b"\"https://a.b/\"",
        b"{}",
        br#"{"url":""}"#,
        br#"{"url":1,"dimension_id":1}"#,
        br#"{"url":"https://a.b/","dimension_id":-1}"#,
        br#"{"url":"https://a.b/","dimension_id":"1"}"#,
        br#"{"url":"https://a.b/","dimension_id":1} x"#,
        b"{\"url\":\"https://a.b/\xff\",\"dimension_id\":1}",
        &deep,
        &long,
    ];
    for member in refused {
        assert_eq!(read(member), None, "{}", String::from_utf8_lossy(&member[..member.len().min(80)]));
    }
}
